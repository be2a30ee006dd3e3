//go:build !amd64 || purego

package hll

import "testing"

// requireSameByWidth: there are no vectors.
func requireSameByWidth(*testing.T, []uint64, []int64, byte) {}
