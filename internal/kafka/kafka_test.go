package kafka

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"rollcall"
)

// now is the tests' clock.
func now() time.Time { return time.Date(2002, 10, 3, 20, 0, 0, 0, time.UTC) }

func options(t *testing.T) Options {
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	return Options{Log: log, Now: now}
}

// within gives a context for one test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

const patience = 20 * time.Second

func openBroker(t *testing.T, dir string, opt BrokerOptions) *Broker {
	t.Helper()
	opt.Options = options(t)
	b, err := OpenBroker(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.Cluster().EnsureTopics(within(t, patience), 2); err != nil {
		t.Fatal(err)
	}
	return b
}

func newWriter(t *testing.T, c *Cluster) *Writer {
	t.Helper()
	w := NewWriter(c, WriterOptions{Options: options(t)})
	t.Cleanup(func() { w.Close() })
	return w
}

func newSource(t *testing.T, c *Cluster, opt SourceOptions) *Source {
	t.Helper()
	opt.Options = options(t)
	s, err := NewSource(c, "rollcall-test", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// events makes n events whose visitors count from first.
func events(first, n int) []rollcall.Event {
	list := make([]rollcall.Event, n)
	for i := range list {
		list[i] = rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 7},
			Time:  now().Add(-time.Duration(i) * time.Second), Visitor: rollcall.Visitor(first + i),
		}
	}
	return list
}

// gather reads until so many different visitors were seen, and commits.
func gather(t *testing.T, s *Source, n int) map[rollcall.Visitor]int {
	t.Helper()
	ctx := within(t, patience)
	seen := make(map[rollcall.Visitor]int)
	offsets := rollcall.Offsets{}
	for len(seen) < n {
		b, err := s.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d visitors: %v", len(seen), n, err)
		}
		for _, v := range b.Visitor {
			seen[rollcall.Visitor(v)]++
		}
		offsets[b.Partition] = b.Next
	}
	if err := s.Commit(ctx, offsets); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestAppendAndRead(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{})
	w := newWriter(t, b.Cluster())
	const n = 20000
	if err := w.Append(within(t, patience), events(0, n)); err != nil {
		t.Fatal(err)
	}
	s := newSource(t, b.Cluster(), SourceOptions{})
	for v, times := range gather(t, s, n) {
		if times != 1 {
			t.Errorf("visitor %d was read %d times", v, times)
		}
	}
	if err := Settle(within(t, patience), b.Cluster(), "rollcall-test"); err != nil {
		t.Error(err)
	}
	if s.Members() != 1 {
		t.Errorf("the group has %d members", s.Members())
	}
}

// BenchmarkLog is the whole way of events: encoded, acknowledged on disk, read,
// decoded and checked.
func BenchmarkLog(b *testing.B) {
	opt := Options{Now: now}
	broker, err := OpenBroker(b.TempDir(), BrokerOptions{Options: opt, Bound: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	if err := broker.Cluster().EnsureTopics(b.Context(), 2); err != nil {
		b.Fatal(err)
	}
	w := NewWriter(broker.Cluster(), WriterOptions{Options: opt})
	defer w.Close()
	list := events(0, 200000)
	appended := time.Now()
	for b.Loop() {
		if err := w.Append(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	total := b.N * len(list)
	b.ReportMetric(float64(total)/time.Since(appended).Seconds()/1e6, "Mappended/s")
	s, err := NewSource(broker.Cluster(), "rollcall-bench", SourceOptions{Options: opt})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var began time.Time
	for rows := 0; rows < total; {
		batch, err := s.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if began.IsZero() {
			began = time.Now()
		}
		rows += batch.Len()
	}
	b.ReportMetric(float64(total)/time.Since(began).Seconds()/1e6, "Mread/s")
}
