//go:build !purego

package hll

import (
	"slices"
	"testing"
)

// requireSameByWidth holds the vectors of 32 bytes, which a processor that has those
// of 64 doesn't use, to the plain functions, and those of 64 where it has them.
func requireSameByWidth(t *testing.T, ids []uint64, times []int64, k byte) {
	t.Helper()
	ids, blocks := ids[:len(ids)&^7], len(ids)/8
	if blocks == 0 {
		return
	}
	got, want := make([]Rise, len(ids)), make([]Rise, len(ids))
	risesPlain(want, ids, k)
	if avx2 && rises8s(&got[0], &ids[0], blocks, uint64(k)) && !slices.Equal(got, want) {
		t.Fatal("rises by 32 bytes are not what they are plainly")
	}
	if avx512 {
		rises8w(&got[0], &ids[0], blocks, uint64(k))
		if !slices.Equal(got, want) {
			t.Fatal("rises by 64 bytes are not what they are plainly")
		}
	}
	pairRisesPlain(want, ids, times, k)
	if avx2 && pairRises8s(&got[0], &ids[0], &times[0], blocks, uint64(k)) && !slices.Equal(got, want) {
		t.Fatal("rises of pairs by 32 bytes are not what they are plainly")
	}
	if avx512 {
		pairRises8w(&got[0], &ids[0], &times[0], blocks, uint64(k))
		if !slices.Equal(got, want) {
			t.Fatal("rises of pairs by 64 bytes are not what they are plainly")
		}
	}
}
