package report

import "sync"

// together does two things at once, and returns when both are done. A panic of
// the first goes on in the caller, as it would have without.
func together(aside, here func()) {
	var wait sync.WaitGroup
	var fault any
	wait.Go(func() {
		defer func() { fault = recover() }()
		aside()
	})
	defer func() {
		wait.Wait()
		if fault != nil {
			panic(fault)
		}
	}()
	here()
}
