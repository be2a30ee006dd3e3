//go:build !linux

package engines

import "syscall"

// dieWithParent does nothing here: a server may outlive a test that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
