package main

import (
	"fmt"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/server"
)

// wide is a log of as many different cells and diaries as can be: hardly two
// events have one in common.
type wide struct {
	*bench
	markets  []rollcall.MarketID
	services []rollcall.ServiceID
	next     int
}

// wide adds markets to the store, and gives a writer of their events.
func (c *cluster) wide(markets int) *wide {
	w := &wide{bench: c.bench(), services: []rollcall.ServiceID{"msn", "aim", "icq", "yahoo", "jabber", "skype", "whatsapp", "telegram", "signal", "discord"}}
	for i := range markets {
		w.markets = append(w.markets, rollcall.MarketID(fmt.Sprintf("M%d", i)))
	}
	return w
}

// addMarkets makes the events' markets known in the cluster's store.
func (w *wide) addMarkets(c *cluster) {
	for _, m := range w.markets {
		c.run("market", "add", string(m), "--zone", "Europe/Paris")
	}
}

// event draws the next event: 3 of 4 make a cell of their own, the fourth a
// diary.
func (w *wide) event() rollcall.Event {
	n := w.next
	w.next++
	pick := func(of int) int { i := n % of; n /= of; return i }
	panel := pick(4) == 0
	e := rollcall.Event{Group: rollcall.Group{Key: 1}}
	e.Market = w.markets[pick(len(w.markets))]
	e.Service = w.services[pick(len(w.services))]
	e.Location = []rollcall.Location{rollcall.Home, rollcall.Work, rollcall.Elsewhere}[pick(3)]
	e.Kind = []rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}[pick(3)]
	e.Time = time.Date(1995, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, pick(10_000))
	e.Visitor = rollcall.Visitor(uint64(w.next) * 0x9e3779b97f4a7c15)
	if panel {
		e.Panel = "nn"
	}
	return e
}

// write appends so many.
func (w *wide) write(n int) {
	w.Helper()
	events := make([]rollcall.Event, 50_000)
	for range n / len(events) {
		for i := range events {
			events[i] = w.event()
		}
		if err := w.to.Append(w.Context(), rollcall.BatchOf(events...)); err != nil {
			w.Fatal(err)
		}
	}
}

// TestAggregatorMemory gives an aggregator ten times what it folds between two
// flushes, in cells and diaries that hardly ever meet twice, while the store
// comes and goes. The store must then be what an undisturbed one is.
func TestAggregatorMemory(t *testing.T) { aggregatorMemory(t, 16<<20) }

// TestSoakAggregatorMemory is the same with the flush's default size.
func TestSoakAggregatorMemory(t *testing.T) {
	soak(t)
	aggregatorMemory(t, 256<<20)
}

func aggregatorMemory(t *testing.T, flushBytes int) {
	const eventBytes = 300 // of a fold, about, when each event has a cell or diary of its own
	c := newCluster(t)
	c.program = build(t)
	w := c.wide(8)
	w.addMarkets(c)
	w.write(10 * max(flushBytes/eventBytes, 1<<16))
	flags := []string{"--flush-bytes", fmt.Sprint(flushBytes), "--flush-every", "1h", "--flush-behind", "1h"}
	bound := int64(2*flushBytes + server.IdleMemory)
	a := c.spawn(append([]string{"aggregate"}, flags...)...)
	c.await(func() bool { return a.metric(foldedTotal) > 0 })
	c.server.Kill()
	await(t, func() bool { return a.metric("rollcall_flush_failures_total") > 1 })
	a.requireBound(fmt.Sprintf("%d events of their own, ClickHouse away", w.next), bound)
	c.server.Restart()
	awaitFor(t, floodTime, time.Second/10, func() bool { return a.metric(foldedTotal) >= float64(w.next) })
	a.requireBound(fmt.Sprintf("all folded in %v flushes", a.metric(flushes)), bound)
	if n := a.metric(flushes); n < 6 { // a batch may take a flush beyond its size
		t.Errorf("folded in %v flushes: the load was not ten times what one takes", n)
	}
	a.stop()
	undisturbed := c.fresh(t, "undisturbed")
	w.addMarkets(undisturbed)
	undisturbed.aggregator("--flush-bytes", "67108864", "--flush-behind", "30s")
	c.requireSame(undisturbed)
}
