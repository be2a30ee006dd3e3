// Package kafka is the log: events and refused inputs on Apache Kafka or any
// broker of its protocol, through segmentio/kafka-go alone. Where no cluster is
// named, package embedded has a broker in this process, so that the default
// install, the tests and a cluster run the same code.
//
//	Writer.Append ---> rollcall.events ---> Source.Next, Source.Commit
//	Writer.Reject ---> rollcall.rejected <--- Source, for what it can't read
//	                          |
//	                          +---> ReadRejected
//
// A record of rollcall.events has the header content-type, which says how its
// value is read: an Arrow IPC stream (package arrowipc), or one event as JSON.
// Records have no key: any worker can take any event. The header backfill: 1
// lifts the limits on the events' age. A record of rollcall.rejected has the
// refused input as its value and the rest of a rollcall.Rejected in headers.
//
// Delivery is at least once. Everything made of events is an idempotent union,
// so a range read twice changes nothing (docs/method).
//
// Read the files in this order: cluster, security and lag (how brokers are
// reached and asked), writer (what is written), source, partition and batcher
// (the group's reading, from generations to batches), fetch, batch and codec
// (what a leader answers, what of it counts, and what bounds it), replay and
// rejected (reading outside of the group), judge (what is valid now), stats.
package kafka

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The topics.
const (
	Events  = "rollcall.events"
	Rejects = "rollcall.rejected"
)

// Options that everything of the log takes; the zero value does.
type Options struct {
	Log        *slog.Logger          // nil: none
	Now        func() time.Time      // nil: time.Now
	Registerer prometheus.Registerer // nil: no metrics
}

// WithDefaults fills in what is nil; the registerer stays as it is.
func (o Options) WithDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
