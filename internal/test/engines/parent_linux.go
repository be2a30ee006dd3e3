package engines

import "syscall"

// dieWithParent has the kernel kill a child when its parent thread ends, so
// that no server outlives a test that was itself killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
