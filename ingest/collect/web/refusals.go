package web

import (
	"sync"
	"time"
)

// What a sender may put among the refused: a burst, and so many lines a second
// after it. One that sends nothing but faults would else push out of that log,
// which is bounded, what others had refused and want back.
const (
	refusedBurst  = 50_000
	refusedPace   = 50
	refusedSender = 1024 // senders remembered before the quiet are forgotten
)

// refusals is what each sender may still have refused.
type refusals struct {
	mu sync.Mutex // guards the rest
	by map[string]allowance
}

// allowance is how many lines were left at a time.
type allowance struct {
	left float64
	at   time.Time
}

// now gives what is left now.
func (a allowance) now(now time.Time) float64 {
	return min(refusedBurst, a.left+max(0, now.Sub(a.at).Seconds())*refusedPace)
}

// allow takes one line from what the sender may have refused.
func (r *refusals) allow(sender string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of, known := r.by[sender]
	if !known {
		r.forget(now)
		of = allowance{refusedBurst, now}
	}
	left := of.now(now)
	ok := left >= 1
	if ok {
		left--
	}
	r.by[sender] = allowance{left, now}
	return ok
}

// forget makes space for a sender: those who may have a whole burst again need
// no line. The caller holds mu.
func (r *refusals) forget(now time.Time) {
	if r.by == nil {
		r.by = make(map[string]allowance)
	}
	if len(r.by) < refusedSender {
		return
	}
	for sender, a := range r.by {
		if a.now(now) >= refusedBurst {
			delete(r.by, sender)
		}
	}
}
