package logtest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/kafka"
)

// What the tests of the log's two sides share, the client's and the embedded
// broker's.

// Group is the consumer group of Source.
const Group = "rollcall-test"

// Patience bounds what a test waits for on the embedded broker.
const Patience = 20 * time.Second

// Options have the suite's clock, and log to the test.
func Options(t *testing.T) kafka.Options {
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	return kafka.Options{Log: log, Now: Now}
}

// Within gives a context for one test.
func Within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Writer makes a writer that the test closes.
func Writer(t *testing.T, c *kafka.Cluster) *kafka.Writer {
	t.Helper()
	w := kafka.NewWriter(c, kafka.WriterOptions{Options: Options(t)})
	t.Cleanup(func() { w.Close() })
	return w
}

// Source makes a member of Group that the test closes.
func Source(t *testing.T, c *kafka.Cluster, opt kafka.SourceOptions) *kafka.Source {
	t.Helper()
	opt.Options = Options(t)
	s, err := kafka.NewSource(c, Group, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Events makes n events whose visitors count from first.
func Events(first, n int) []rollcall.Event {
	list := make([]rollcall.Event, n)
	for i := range list {
		list[i] = rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 7},
			Time:  Now().Add(-time.Duration(i) * time.Second), Visitor: rollcall.Visitor(first + i),
		}
	}
	return list
}

// Append writes events, and waits until they are acknowledged.
func Append(t *testing.T, w *kafka.Writer, list []rollcall.Event) {
	t.Helper()
	if err := w.Append(Within(t, Patience), rollcall.BatchOf(list...)); err != nil {
		t.Fatal(err)
	}
}

// Gather reads until so many different visitors were seen, and commits.
func Gather(t *testing.T, s *kafka.Source, n int) map[rollcall.Visitor]int {
	t.Helper()
	ctx := Within(t, Patience)
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
