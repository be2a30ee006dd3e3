package kafka_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/bombtest"
	"rollcall/internal/test/logtest"
)

// TestBombs: a batch that would be very large is kept among the rejected as it
// is, once; what stands before and behind it is read; the offsets go on.
func TestBombs(t *testing.T) {
	b := openBroker(t)
	c := b.Cluster()
	w := logtest.Writer(t, c)
	want, all := 0, bombtest.All(t, kafka.MaxInflated, kafka.MaxRecord, 16*kafka.MaxInflated)
	for _, raw := range all {
		for partition := range 2 {
			bombtest.Produce(t, c.Client(), kafka.Events, partition, raw)
		}
		logtest.Append(t, w, logtest.Events(want, 20_000))
		want += 20_000
	}
	bombtest.Produce(t, c.Client(), kafka.Events, 0, all["zstd"]) // the last of its partition
	s := logtest.Source(t, c, kafka.SourceOptions{})
	seen := commitAll(t, c, s)
	if len(seen) != want {
		t.Errorf("%d of %d events came", len(seen), want)
	}
	whole := map[string]int{}
	for r, err := range kafka.ReadRejected(logtest.Within(t, logtest.Patience), c, kafka.Wanted{}) {
		if err != nil {
			t.Fatal(err)
		}
		whole[r.Type+" "+r.Code]++
	}
	if n := 2*len(all) + 1; !maps.Equal(whole, map[string]int{kafka.BatchType + " records": n}) {
		t.Errorf("rejected %v, want %d batches", whole, n)
	}
}

// commitAll reads and commits until the group has settled, and gives who was
// seen.
func commitAll(t *testing.T, c *kafka.Cluster, s *kafka.Source) map[rollcall.Visitor]bool {
	t.Helper()
	ctx, stop := context.WithCancel(logtest.Within(t, 5*logtest.Patience))
	settled := make(chan error, 1)
	go func() {
		defer stop()
		settled <- kafka.Settle(ctx, c, logtest.Group)
	}()
	seen := map[rollcall.Visitor]bool{}
	for {
		b, err := s.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = s.Commit(ctx, rollcall.Offsets{b.Partition: b.Next})
		}
		if err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		for _, v := range b.Visitor {
			seen[rollcall.Visitor(v)] = true
		}
	}
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	return seen
}

// TestDeepJSON: two million brackets in two kilobytes are rejected before any
// parser calls itself for each, and the offset goes on.
func TestDeepJSON(t *testing.T) {
	c := openBroker(t).Cluster()
	deep := `{"colour":` + strings.Repeat("[", 2_000_000)
	for _, kind := range []string{"application/json", "application/cloudevents+json", "application/vnd.rollcall.row+json", ""} {
		bombtest.Produce(t, c.Client(), kafka.Events, 0, bombtest.Gzipped(t, kind, deep))
	}
	logtest.Append(t, logtest.Writer(t, c), logtest.Events(0, 10))
	s := logtest.Source(t, c, kafka.SourceOptions{Decode: func(to []rollcall.Event, value []byte, _ string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		t.Errorf("%d bytes came to the parser", len(value))
		return to, nil
	}})
	if seen := commitAll(t, c, s); len(seen) != 10 {
		t.Errorf("%d events came, not 10", len(seen))
	}
	n := 0
	for r, err := range kafka.ReadRejected(logtest.Within(t, logtest.Patience), c, kafka.Wanted{}) {
		if n++; err != nil || r.Code != "json_depth" {
			t.Errorf("rejected as %s: %s, %v", r.Code, r.Reason, err)
		}
	}
	if n != 4 {
		t.Errorf("%d records were rejected, not 4", n)
	}
}

// TestBatchOfFaults: a few KB of very many records that can't be used don't fill
// the rejected topic; the batch is kept in their place.
func TestBatchOfFaults(t *testing.T) {
	c := openBroker(t).Cluster()
	const n = 100_000
	bombtest.Produce(t, c.Client(), kafka.Events, 0, bombtest.Many(t, n, "{}"))
	logtest.Append(t, logtest.Writer(t, c), logtest.Events(0, 10))
	s := logtest.Source(t, c, kafka.SourceOptions{})
	if seen := commitAll(t, c, s); len(seen) != 10 {
		t.Errorf("%d events came, not 10", len(seen))
	}
	if got := s.Stats().Rejected.Load(); got != n {
		t.Errorf("%d records were counted as rejected, not %d", got, n)
	}
	kept := map[string]int{}
	for r, err := range kafka.ReadRejected(logtest.Within(t, logtest.Patience), c, kafka.Wanted{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept[r.Type]++
	}
	if kept[kafka.BatchType] != 1 || kept["application/json"] > 20_000 {
		t.Errorf("rejected by type: %v", kept)
	}
}
