package aggregate

import (
	"context"
	"sync"
	"time"
)

// Waiters are those who wait until the store has what the log holds. While there
// are any, their aggregator flushes as soon as nothing more comes, and not by
// time. The zero value is ready; nil has none.
type Waiters struct {
	mu   sync.Mutex         // guards the rest
	n    int                // how many there are
	wake context.CancelFunc // ends the aggregator's wait for a batch; nil: it has not read yet
}

// quiet is how long nothing has come when nothing more is expected.
const quiet = 20 * time.Millisecond

// Wait adds one, until done is called.
func (w *Waiters) Wait() (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n++; w.wake != nil {
		w.wake()
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.n--
	}
}

// watch has the next to come call wake, and reports whether somebody waits
// already.
func (w *Waiters) watch(wake context.CancelFunc) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake = wake
	return w.n > 0
}
