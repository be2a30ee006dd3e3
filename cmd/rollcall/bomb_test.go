package main

import (
	"maps"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall/internal/kafka"
	"rollcall/internal/test/bombtest"
)

// TestBombMemory puts batches of a few KB that stand for gigabytes on a real
// Kafka, between good ones. The aggregator must stay small, keep each of them
// among the rejected once, and fold all the others.
func TestBombMemory(t *testing.T) {
	c := newCluster(t)
	c.program = build(t)
	client := &kafkago.Client{Addr: kafkago.TCP(c.kafka.Addr()), Timeout: time.Minute}
	var bodies []string
	good := func() {
		bodies = append(bodies, postBody(1, len(bodies)))
		c.run("events", "load", "--backfill", write(t, t.TempDir(), "good.ndjson", []string{bodies[len(bodies)-1]}))
	}
	a := c.aggregator()
	good()
	idle := a.peak()
	sent := 0
	for name, raw := range bombtest.All(t, kafka.MaxInflated, kafka.MaxRecord, 1<<30) {
		refused := 0
		for partition := range 4 {
			if err := bombtest.Try(t.Context(), client, kafka.Events, partition, raw); err != nil {
				t.Logf("%s (%d bytes): Kafka refuses it: %v", name, len(raw), err)
				refused++
			}
		}
		sent += 4 - refused
		good()
	}
	if sent < 16 {
		t.Fatalf("Kafka took %d batches", sent)
	}
	c.compareWithAll(bodies)
	log := kafka.Dial([]string{c.kafka.Addr()}, kafka.Security{})
	defer log.Close()
	rejected := map[string]int{}
	for r, err := range kafka.ReadRejected(t.Context(), log, kafka.Wanted{}) {
		if err != nil {
			t.Fatal(err)
		}
		rejected[r.Code]++
	}
	if want := map[string]int{"records": sent}; !maps.Equal(rejected, want) {
		t.Errorf("rejected %v, want %v", rejected, want)
	}
	if n := a.metric("rollcall_log_stalls_total") + a.metric("rollcall_log_gap_offsets_total"); n > 0 {
		t.Errorf("%v stalls and gaps", n)
	}
	t.Logf("%d batches, idle %d MiB", sent, idle>>20)
	a.requireBound("bombs", idle+4*8*kafka.MaxInflated)
}
