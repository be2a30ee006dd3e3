package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/ingest"
	"rollcall/internal/kafka"
	"rollcall/schemas"
)

// poster posts bodies to a collector, each until it is taken, and counts them.
type poster struct {
	taken atomic.Int64 // bodies answered 200
	full  atomic.Int64 // answers that said to come back later
	stop  func()
}

// post posts bodies drawn from the seed to wherever the collector listens.
func (c *cluster) post(seed uint64, to func() *child) *poster {
	p := new(poster)
	ctx, cancel := context.WithCancel(c.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if p.try(to(), postBody(seed, int(p.taken.Load()))) {
				p.taken.Add(1)
			}
			<-tick.C
		}
	}()
	p.stop = func() { cancel(); <-done }
	return p
}

// postBody is the seed's i-th body.
func postBody(seed uint64, i int) string {
	return strings.Join(seededEvents(seed<<32+uint64(i), 100), "\n")
}

// try posts once. A body whose answer is lost is posted again.
func (p *poster) try(to *child, body string) bool {
	answer, err := to.api.Post("http://localhost/v1/events?backfill=true", "application/x-ndjson", strings.NewReader(body))
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if answer.Header.Get("Retry-After") != "" {
			p.full.Add(1)
		}
	}
	return false
}

// TestLogAway kills the broker and the collector under load. What the
// collector has answered 200 for must be in the store, and nothing else.
func TestLogAway(t *testing.T) {
	c := newCluster(t)
	spool := filepath.Join(t.TempDir(), "spool")
	collect := func() *child { return c.spawn("collect", "http", "--spool", spool, "--spool-mib", "1") }
	var collector atomic.Pointer[child]
	collector.Store(collect())
	aggregator := c.aggregator()
	await(t, aggregator.ready)
	p := c.post(1, collector.Load)
	await(t, func() bool { return p.taken.Load() > 50 })

	c.kafka.Kill()
	before := p.taken.Load()
	await(t, func() bool { return p.taken.Load() > before+20 && collector.Load().metric("rollcall_spool_bytes") > 0 })
	if !collector.Load().ready() {
		t.Error("a collector whose spool has room is not ready")
	}
	await(t, func() bool { return !aggregator.ready() })
	c.server.Kill()         // the catalogue's store is away too
	collector.Load().kill() // with what it holds on its disk
	collector.Store(collect())
	await(t, func() bool { return p.full.Load() > 0 })
	await(t, func() bool { return !collector.Load().ready() })

	c.server.Restart()
	c.kafka.Restart()
	before = p.taken.Load()
	await(t, func() bool { return p.taken.Load() > before+50 })
	p.stop()
	await(t, func() bool { return collector.Load().metric("rollcall_spool_bytes") == 0 })
	await(t, func() bool { return collector.Load().metric("rollcall_spool_log_away") == 0 && aggregator.ready() })
	t.Logf("%d bodies taken, %d times told to come back later", p.taken.Load(), p.full.Load())
	c.compareWithAll(postBodies(1, int(p.taken.Load())))
}

// postBodies gives the seed's first n bodies.
func postBodies(seed uint64, n int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = postBody(seed, i)
	}
	return bodies
}

// compareWithAll wants the store to be what the fold makes of the bodies
// without any log between.
func (c *cluster) compareWithAll(bodies []string) {
	c.Helper()
	c.settle()
	got := c.dump()
	whole := c.fresh(c.T, "whole")
	source := &bodySource{cluster: whole, bodies: bodies}
	store := whole.open()
	defer store.Close()
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	source.end = cancel
	catalogue := c.catalogue(store)
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte{0x5a}, ingest.MasterSize)})
	if err != nil {
		c.Fatal(err)
	}
	source.converter = &ingest.Converter{Keys: keys, Catalogue: func() *rollcall.Catalogue { return catalogue }, Now: time.Now}
	if err := aggregate.Run(ctx, source, store, aggregate.Options{K: store.K(), Calendar: catalogue.Calendar, Log: quiet().Log}); err != nil {
		c.Fatal(err)
	}
	if want := whole.dump(); got != want {
		c.Fatalf("the store differs from what was answered 200: %s", firstDifference(got, want))
	}
}

// catalogue is what the store and the common services make.
func (c *cluster) catalogue(store rollcall.Store) *rollcall.Catalogue {
	c.Helper()
	markets, err := store.Markets(c.Context())
	common, failed := schemas.Services()
	if err := errors.Join(err, failed); err != nil {
		c.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(markets, common)
	if err != nil {
		c.Fatal(err)
	}
	return catalogue
}

// bodySource gives bodies to the fold, a batch each, and then ends.
type bodySource struct {
	*cluster
	converter *ingest.Converter
	bodies    []string
	next      int
	end       func()
	events    []rollcall.Event // of a line
	batch     rollcall.Batch
}

func (s *bodySource) Next(ctx context.Context) (*rollcall.Batch, error) {
	if s.next == len(s.bodies) {
		s.end()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	s.batch.Reset()
	for line := range strings.Lines(s.bodies[s.next]) {
		sighting, err := ingest.ParseJSON([]byte(line))
		if err != nil {
			return nil, err
		}
		if s.events, err = s.converter.Append(s.events[:0], &sighting, time.Now(), true); err != nil {
			return nil, err
		}
		for i := range s.events {
			s.batch.Add(&s.events[i])
		}
	}
	s.next++
	s.batch.Next, s.batch.Behind = int64(s.next), true
	return &s.batch, nil
}

func (s *bodySource) Commit(context.Context, rollcall.Offsets) error { return nil }

func (s *bodySource) Again() error { return nil }

// TestGap: records that were gone before they were read are counted and named.
func TestGap(t *testing.T) {
	c := newCluster(t, "log.retention.check.interval.ms=500", "log.initial.task.delay.ms=500", "log.segment.delete.delay.ms=0")
	first := c.aggregator()
	c.run("events", "load", "--backfill", write(t, t.TempDir(), "a.ndjson", seededEvents(1, 2000)))
	first.stop()
	log := kafka.Dial([]string{c.kafka.Addr()}, kafka.Security{})
	defer log.Close()
	stop := c.produce(2)
	await(t, func() bool { return c.lag(log) > 40 })
	stop()
	lost := float64(c.lag(log))
	c.expire()
	second := c.aggregator()
	await(t, func() bool { return second.metric("rollcall_log_gap_offsets_total") == lost })
	if !strings.Contains(second.logs.String(), "records are gone from the log before they were read") {
		t.Error("the gap is not in the log")
	}
	c.settle()
}

// lag counts the records that the group has not committed, of the partitions
// that it has read.
func (c *cluster) lag(log *kafka.Cluster) (records int64) {
	c.Helper()
	store := c.open()
	defer store.Close()
	positions, err := log.Positions(c.Context(), "rollcall-"+store.ID())
	if err != nil {
		c.Fatal(err)
	}
	for _, p := range positions {
		if p.Committed >= 0 { // else the group never was there, and misses nothing
			records += p.Lag()
		}
	}
	return records
}

// expire has Kafka delete everything that the events' topic holds.
func (c *cluster) expire() {
	c.Helper()
	client := kafkago.Client{Addr: kafkago.TCP(c.kafka.Addr()), Timeout: 10 * time.Second}
	_, err := client.IncrementalAlterConfigs(c.Context(), &kafkago.IncrementalAlterConfigsRequest{
		Resources: []kafkago.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: kafka.Events,
			Configs: []kafkago.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "1", ConfigOperation: kafkago.ConfigOperationSet}},
		}},
	})
	if err != nil {
		c.Fatal(err)
	}
	log := kafka.Dial([]string{c.kafka.Addr()}, kafka.Security{})
	defer log.Close()
	await(c.T, func() bool {
		positions, err := log.Positions(c.Context(), "nobody")
		if err != nil {
			return false
		}
		for _, p := range positions {
			if p.First < p.End {
				return false
			}
		}
		return true
	})
}
