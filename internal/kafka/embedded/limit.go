package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall"
)

// room keeps the embedded log at its bound: what would pass it waits until
// something was trimmed.
type room struct {
	bound int64
	size  func() int64 // of the log now

	mu    sync.Mutex // guards the rest
	used  int64      // at most what the log takes, and what was let in since
	freed chan struct{}
	ended bool
}

const lookEvery = 100 * time.Millisecond

func newRoom(bound int64, size func() int64) *room {
	return &room{bound: bound, size: size, used: size(), freed: make(chan struct{})}
}

// take waits until n more bytes have room. When ctx ends before, the error is
// both rollcall.ErrFull and the context's.
func (r *room) take(ctx context.Context, n int64) error {
	for {
		freed, err := r.try(n)
		if freed == nil {
			return err
		}
		wait := time.NewTimer(lookEvery)
		select {
		case <-freed:
		case <-wait.C:
			r.measure()
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("the log holds %d MiB that are not yet stored: %w: %w", r.bound>>20, rollcall.ErrFull, ctx.Err())
		}
		wait.Stop()
	}
}

// try takes n bytes, or gives the channel that is closed when some are freed.
// A single piece larger than the bound is let in when the log is below it.
func (r *room) try(n int64) (<-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil, fmt.Errorf("the broker is closed: %w", rollcall.ErrConflict)
	}
	if r.used < r.bound {
		r.used += n
		return nil, nil
	}
	return r.freed, nil
}

func (r *room) full() bool {
	r.measure()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used >= r.bound
}

// measure looks at the log, and wakes those who wait if it has room.
func (r *room) measure() {
	size := r.size()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used = size
	if size < r.bound {
		close(r.freed)
		r.freed = make(chan struct{})
	}
}

func (r *room) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	close(r.freed)
	r.freed = make(chan struct{})
}
