package kafka

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// ReadRejected gives the refused inputs, from the oldest up to the last that is
// there at the call, at most so many (0: all). An error ends the sequence.
func ReadRejected(ctx context.Context, c *Cluster, most int) iter.Seq2[rollcall.Rejected, error] {
	return func(yield func(rollcall.Rejected, error) bool) {
		spans, err := c.spans(ctx, Rejects)
		if err != nil {
			yield(rollcall.Rejected{}, err)
			return
		}
		left := most
		for _, p := range slices.Sorted(maps.Keys(spans)) {
			for m, err := range c.records(ctx, Rejects, p, spans[p]) {
				if !yield(rejectedOf(&m), err) || err != nil {
					return
				}
				if left--; left == 0 {
					return
				}
			}
		}
	}
}

// records reads a partition's records of the span.
func (c *Cluster) records(ctx context.Context, topic string, partition int, s span) iter.Seq2[kafka.Message, error] {
	return func(yield func(kafka.Message, error) bool) {
		if s.first >= s.next {
			return
		}
		r := kafka.NewReader(kafka.ReaderConfig{
			Brokers: c.brokers, Dialer: c.dialer(), Topic: topic, Partition: partition,
			MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, QueueCapacity: queuedMessages,
			ReadLagInterval: -1, OffsetOutOfRangeError: true,
		})
		defer r.Close()
		err := r.SetOffset(s.first)
		for at := s.first; at < s.next; {
			var m kafka.Message
			if err == nil {
				m, err = r.FetchMessage(ctx)
			}
			if err == nil && c.jammed(&m) {
				at, err = c.leap(ctx, r, at)
				continue
			}
			if err != nil {
				yield(m, fmt.Errorf("kafka: read %s/%d at %d: %w", topic, partition, at, err))
				return
			}
			if !yield(m, nil) {
				return
			}
			at = m.Offset + 1
		}
	}
}

// leap takes the reader behind a batch that can't be read.
func (c *Cluster) leap(ctx context.Context, r *kafka.Reader, at int64) (int64, error) {
	b, _, err := c.unreadable(ctx, r.Config().Topic, r.Config().Partition, at)
	if err != nil {
		return at, err
	}
	return b.next, r.SetOffset(b.next)
}

// rejectedOf reads a record of rollcall.rejected. A header that is missing or
// not as Reject writes it leaves its field empty.
func rejectedOf(m *kafka.Message) rollcall.Rejected {
	h := make(map[string]string, len(m.Headers))
	for _, header := range m.Headers {
		h[header.Key] = string(header.Value)
	}
	r := rollcall.Rejected{
		Time: m.Time, Source: h[headerSource], Code: h[headerCode], Reason: h[headerReason],
		Type: h[headerType], Body: m.Value, Backfill: h[headerBackfill] == "1",
	}
	if t, err := time.Parse(time.RFC3339Nano, h[headerTime]); err == nil {
		r.Time = t
	}
	if line, err := strconv.Atoi(h[headerLine]); err == nil {
		r.Line = line
	}
	return r
}
