package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

const (
	beatEvery  = time.Second
	silentTime = 5 * time.Second        // a server that says nothing for so long is away
	slowTime   = 500 * time.Millisecond // Answers says no after so much
)

// pulse knows which servers answer, and the connections to each. A server that
// hangs takes connections and questions as ever, and is silent.
type pulse struct {
	together bool // shards: without one of them there is no answer

	mu     sync.Mutex // guards the rest
	silent map[string]bool
	asked  map[string]time.Time // when a question that is not answered yet was asked
	conns  map[net.Conn]string  // to which server
}

func newPulse(together bool) *pulse {
	return &pulse{together: together, silent: map[string]bool{}, asked: map[string]time.Time{}, conns: map[net.Conn]string{}}
}

// errSilent is a server that takes connections and does not answer.
var errSilent = fmt.Errorf("ClickHouse is %w: it does not answer", rollcall.ErrAway)

// admits refuses a new connection to a server that would not answer.
func (p *pulse) admits(addr string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent[addr] {
		return errSilent
	}
	return nil
}

func (p *pulse) add(addr string, c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = addr
}

func (p *pulse) remove(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// note notes how a question to a server went, and reports whether it is silent.
// Whatever is under way with a silent one is given up: its connections are closed.
func (p *pulse) note(addr string, err error) (silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.asked, addr)
	silent = errors.Is(err, context.DeadlineExceeded) || isTimeout(err)
	p.silent[addr] = silent
	for c, of := range p.conns {
		if silent && (of == addr || p.together) {
			_ = c.Close() // it says nothing, and is not waited for
			delete(p.conns, c)
		}
	}
	return silent
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, ch.ErrAcquireConnTimeout)
}

func (p *pulse) ask(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[addr] = time.Now()
}

// slow reports whether a server is silent, or late with its answer.
func (p *pulse) slow(addr string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	since, waiting := p.asked[addr]
	return p.silent[addr] || waiting && time.Since(since) > slowTime
}

// probe is a connection of its own to one server.
type probe struct {
	addr string
	db   driver.Conn
}

// probes makes the connections that Watch asks on. They dial nothing.
func (s *database) probes(o *ch.Options) error {
	for _, addr := range o.Addr {
		one := *o
		one.Addr = []string{addr}
		one.MaxOpenConns, one.MaxIdleConns, one.DialTimeout = 1, 1, silentTime
		one.DialContext = dialer(o.TLS, silentTime, nil)
		db, err := ch.Open(&one)
		if err != nil {
			return err
		}
		s.asks = append(s.asks, probe{addr, db})
	}
	return nil
}

// Watch asks every server each second whether it answers, until ctx ends. What
// was asked of one that is silent for 5 s is given up, and what is asked of it
// then fails at once, until it answers again: nothing waits for a server that
// hangs.
func (s *database) Watch(ctx context.Context) {
	var all sync.WaitGroup
	for _, one := range s.asks {
		all.Go(func() { s.watch(ctx, one) })
	}
	all.Wait()
}

func (s *database) watch(ctx context.Context, one probe) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	hung := false // since it last answered: one that is started anew refuses at first
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.pulse.ask(one.addr)
		limited, cancel := context.WithTimeout(ctx, silentTime)
		err := one.db.Ping(limited)
		cancel()
		if ctx.Err() != nil {
			return
		}
		switch silent := s.pulse.note(one.addr, err); {
		case silent && !hung:
			s.log.Warn("ClickHouse does not answer; what is under way is given up", "server", one.addr)
			hung = true
		case err == nil && hung:
			s.log.Info("ClickHouse answers again", "server", one.addr)
			hung = false
		}
	}
}

// Answers is nil unless the servers are known not to answer now: where any one
// would do all of them, of shards one. It asks nothing.
func (s *database) Answers() error {
	late := 0
	for _, one := range s.asks {
		if s.pulse.slow(one.addr) {
			late++
		}
	}
	if late > 0 && (late == len(s.asks) || s.pulse.together) {
		return errSilent
	}
	return nil
}
