package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rollcall"
)

// writeTime is what the brokers have for one write. kafka-go itself tries for
// minutes, and holds the bytes meanwhile.
const writeTime = 15 * time.Second

// patience bounds what waits for brokers that do not answer: after a write that
// took too long one at a time is tried, and all others are refused at once.
type patience struct {
	mu     sync.Mutex // guards the rest
	away   bool
	trying bool // one is tried while they are away
}

var errSilent = fmt.Errorf("the brokers are %w: they do not answer", rollcall.ErrAway)

// write does f, or refuses.
func (p *patience) write(ctx context.Context, f func(context.Context) error) error {
	try, ok := p.admit()
	if !ok {
		return errSilent
	}
	limited, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err := f(limited)
	late := err != nil && limited.Err() != nil && ctx.Err() == nil
	p.note(try, late, err == nil)
	if late {
		return errSilent
	}
	return err
}

// admit reports whether a write may be tried, and whether it is the one try
// while the brokers are away.
func (p *patience) admit() (try, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away && p.trying {
		return false, false
	}
	p.trying = p.away
	return p.away, true
}

func (p *patience) note(try, late, written bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if try {
		p.trying = false
	}
	if late || written {
		p.away = late
	}
}
