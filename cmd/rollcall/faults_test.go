package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/server"
)

// severity says how hard the faults are.
type severity struct {
	rounds int           // of a random fault
	outage time.Duration // of an engine
}

// produce puts events on the log, a small body at a time, until stop is called.
func (c *cluster) produce(seed uint64) (stop func()) {
	c.Helper()
	e := &server.Engine{Brokers: []string{c.kafka.Addr()}, Clickhouse: c.dsn(), KeyFile: c.keyFile()}
	to, err := server.Connect(c.Context(), e, quiet())
	if err != nil {
		c.Fatal(err)
	}
	enough, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- trickle(c.Context(), newSender(&client{http: to.HTTP}, "trickle", true), seed, enough) }()
	return func() {
		c.Helper()
		close(enough)
		if err := errors.Join(<-done, to.Close()); err != nil {
			c.Fatal(err)
		}
	}
}

// trickle posts 100 events every 20 ms.
func trickle(ctx context.Context, to *sender, seed uint64, enough <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := uint64(0); ; i++ {
		body := strings.Join(seededEvents(seed<<32+i, 100), "\n")
		if err := to.post(ctx, []byte(body), ""); err != nil {
			return err
		}
		select {
		case <-enough:
			return nil
		case <-tick.C:
		}
	}
}

// TestFaults folds a log that grows all the while, disturbed in one way after
// the other. Each store must then be, byte for byte, what an undisturbed
// aggregator makes of the same log, that knows from the start what was removed.
func TestFaults(t *testing.T) { faults(t, severity{rounds: 5, outage: 5 * time.Second}) }

// TestSoakFaults is the same for longer.
func TestSoakFaults(t *testing.T) {
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("only in a soak: set ROLLCALL_SOAK")
	}
	faults(t, severity{rounds: 50, outage: time.Minute})
}

func faults(t *testing.T, how severity) {
	c := newCluster(t)
	for i, f := range []struct {
		name    string
		disturb func(*cluster, severity)
	}{
		{"kill -9 of the aggregator", killAggregators},
		{"kill -9 of ClickHouse", killStore},
		{"ClickHouse is away", storeAway},
		{"a zombie", zombie},
		{"members come, go and die", membership},
		{"a range again", rangeAgain},
		{"days removed while members die", removals},
	} {
		t.Run(f.name, func(t *testing.T) {
			disturbed := c.exactly(t, fmt.Sprintf("disturbed%d", i))
			stop := disturbed.produce(uint64(i))
			f.disturb(disturbed, how)
			stop()
			disturbed.settle()
			undisturbed := c.exactly(t, fmt.Sprintf("undisturbed%d", i))
			undisturbed.correct(disturbed)
			undisturbed.aggregator()
			disturbed.requireSame(undisturbed)
		})
	}
}

// exactly is fresh, with a service that is counted exactly: its sets are in the
// dump.
func (c *cluster) exactly(t *testing.T, database string) *cluster {
	t.Helper()
	f := c.fresh(t, database)
	f.run("service", "add", "msn", "--name", "MSN Messenger", "--census", "exact")
	return f
}

const (
	foldedTotal = "rollcall_events_folded_total"
	flushes     = "rollcall_flush_seconds_count"
)

// somewhere waits until the aggregator has folded a random number of events
// more.
func (p *child) somewhere(c *cluster, r *rand.Rand) {
	c.Helper()
	some := p.metric(foldedTotal) + float64(r.IntN(10_000))
	c.await(func() bool { return p.metric(foldedTotal) > some })
}

// random draws otherwise at each run: faults should come where nobody thought.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// killAggregators kills the one aggregator at random points.
func killAggregators(c *cluster, how severity) {
	r := random(c.T)
	for range how.rounds {
		a := c.aggregator()
		a.somewhere(c, r)
		a.kill()
	}
	c.aggregator()
}

// killStore kills ClickHouse while it is flushed to.
func killStore(c *cluster, how severity) {
	r := random(c.T)
	a := c.aggregator()
	for range how.rounds {
		a.somewhere(c, r)
		c.server.Kill()
		c.server.Restart()
	}
}

// storeAway stops ClickHouse for a while: reading pauses, memory stays bounded,
// and the process says that it is not ready.
func storeAway(c *cluster, how severity) {
	a := c.aggregator()
	a.somewhere(c, random(c.T))
	c.server.Kill()
	await(c.T, func() bool { return !a.ready() && a.metric("rollcall_flush_failures_total") > 0 })
	folded := a.metric(foldedTotal)
	a.during(how.outage, func() {
		if now := a.metric(foldedTotal); now != folded {
			c.Errorf("from %v to %v events folded while the store was away", folded, now)
		}
		if rss := a.metric("process_resident_memory_bytes"); rss > 512<<20 {
			c.Errorf("the aggregator holds %v bytes while the store is away", rss)
		}
	})
	c.server.Restart()
	c.await(a.ready)
}

// during does f again and again for so long.
func (p *child) during(d time.Duration, f func()) {
	over := time.After(d)
	tick := time.NewTicker(d / 20)
	defer tick.Stop()
	for {
		f()
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// zombie freezes an aggregator in the middle. Another takes its partitions over;
// then the first wakes up with what it held.
func zombie(c *cluster, _ severity) {
	a := c.aggregator("--flush-every", "5s", "--flush-behind", "5s", "--flush-bytes", "268435456") // it holds what it reads
	a.somewhere(c, random(c.T))
	flushed := a.metric(flushes)
	a.signal(syscall.SIGSTOP)
	b := c.aggregator()
	b.somewhere(c, random(c.T))
	a.signal(syscall.SIGCONT)
	c.await(func() bool { return a.metric(flushes) > flushed }) // it brings the store what another has brought
}

// membership has aggregators join, leave in good order and die in silence.
func membership(c *cluster, _ severity) {
	r := random(c.T)
	first, second := c.aggregator(), c.aggregator()
	first.somewhere(c, r)
	third := c.aggregator()
	first.stop()
	second.kill()
	third.somewhere(c, r)
	c.aggregator()
}

// rangeAgain folds parts of the log again, into a store that has them.
func rangeAgain(c *cluster, _ severity) {
	a := c.aggregator()
	a.somewhere(c, random(c.T))
	for _, from := range []string{"2000-01-01", "0=0,1=5"} {
		var n int
		if _, err := fmt.Sscanf(c.run("replay", "--from", from), "folded again: %d events", &n); err != nil || n < 1000 {
			c.Errorf("replay --from %s: %d events, %v", from, n, err)
		}
	}
}

// removals removes days under two aggregators, of which one is killed just then,
// now before the other, now after it has heard of it.
func removals(c *cluster, how severity) {
	r := random(c.T)
	other := c.aggregator()
	for range how.rounds {
		victim := c.aggregator()
		other.somewhere(c, r)
		day := time.Date(2002, 10, 25+r.IntN(4), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		service := []string{"msn", "aim"}[r.IntN(2)] // counted exactly, and not
		early := r.IntN(2) == 0
		if early {
			victim.kill()
		}
		c.await(func() bool { // until something of that day was flushed
			said, err := c.try("census", "remove", "--market", "FR", "--service", service, "--from", day, "--to", day, "--reason", "loaded wrong")
			if err != nil && !errors.Is(err, rollcall.ErrNotFound) || err == nil && !strings.Contains(said, day) {
				c.Fatalf("removed: %s, %v", said, err)
			}
			return err == nil
		})
		if !early {
			victim.kill()
		}
	}
}

// correct has the store know what another was corrected by.
func (c *cluster) correct(as *cluster) {
	c.Helper()
	from, to := as.open(), c.open()
	all, err := from.Corrections(c.Context())
	if err == nil {
		_, err = to.AddCorrections(c.Context(), all...)
	}
	if err := errors.Join(err, from.Close(), to.Close()); err != nil {
		c.Fatal(err)
	}
}
