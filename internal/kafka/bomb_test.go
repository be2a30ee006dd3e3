package kafka_test

import (
	"context"
	"maps"
	"testing"

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
	for r, err := range kafka.ReadRejected(logtest.Within(t, logtest.Patience), c, 0) {
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
