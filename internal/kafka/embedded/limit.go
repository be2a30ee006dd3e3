package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall"
)

// limit holds the embedded log to its bound: what would pass it waits until
// something was trimmed.
type limit struct {
	bound int64
	size  func() int64 // of the log now

	mu    sync.Mutex // guards the rest
	used  int64      // at most what the log takes, and what was let in since
	freed chan struct{}
	ended bool
}

const lookEvery = 100 * time.Millisecond

func newLimit(bound int64, size func() int64) *limit {
	return &limit{bound: bound, size: size, used: size(), freed: make(chan struct{})}
}

// wait waits until the log may grow by n bytes. When ctx ends before, the error is
// both rollcall.ErrFull and the context's.
func (l *limit) wait(ctx context.Context, n int64) error {
	for {
		freed, err := l.try(n)
		if freed == nil {
			return err
		}
		timer := time.NewTimer(lookEvery)
		select {
		case <-freed:
		case <-timer.C:
			l.measure()
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the log holds %d MiB that are not yet stored: %w: %w", l.bound>>20, rollcall.ErrFull, ctx.Err())
		}
		timer.Stop()
	}
}

// try takes n bytes, or gives the channel that is closed when some are freed.
// A single piece larger than the bound is let in when the log is below it.
func (l *limit) try(n int64) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, fmt.Errorf("the broker is closed: %w", rollcall.ErrConflict)
	}
	if l.used < l.bound {
		l.used += n
		return nil, nil
	}
	return l.freed, nil
}

// reached reports that the log is at its bound.
func (l *limit) reached() bool {
	l.measure()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used >= l.bound
}

// measure looks at the log, and wakes those who wait if it is below its bound.
func (l *limit) measure() {
	size := l.size()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = size
	if size < l.bound {
		close(l.freed)
		l.freed = make(chan struct{})
	}
}

func (l *limit) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.freed)
	l.freed = make(chan struct{})
}
