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
		spans, err := c.stableSpans(ctx, Rejects)
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

// records reads a partition's records of the span, which ends at a last stable
// offset. It passes over batches that can't be read.
func (c *Cluster) records(ctx context.Context, topic string, partition int, s span) iter.Seq2[kafka.Message, error] {
	return func(yield func(kafka.Message, error) bool) {
		for b, err := range c.batches(ctx, topic, partition, s) {
			if err != nil {
				yield(kafka.Message{}, err)
				return
			}
			records, why, err := c.open(ctx, topic, partition, &b)
			switch {
			case err != nil:
				yield(kafka.Message{}, err)
				return
			case why != nil:
				continue
			}
			for m := range records.each(s.first) {
				if m.Offset < s.next && !yield(m, nil) {
					return
				}
			}
		}
	}
}

// batches reads a partition's batches of the span that count.
func (c *Cluster) batches(ctx context.Context, topic string, partition int, s span) iter.Seq2[rawBatch, error] {
	return func(yield func(rawBatch, error) bool) {
		for at := s.first; at < s.next; {
			f, err := c.fetchWithin(ctx, topic, partition, at)
			if err == nil && len(f.batches) == 0 {
				err = fmt.Errorf("kafka: read %s/%d at %d of %d: %w", topic, partition, at, s.next, errStalled)
			}
			if err != nil {
				yield(rawBatch{}, err)
				return
			}
			for _, b := range f.batches {
				if !b.pass && b.first < s.next && !yield(b, nil) {
					return
				}
			}
			at = f.next()
		}
	}
}

// fetchWithin is fetch with a bound on how long it may take.
func (c *Cluster) fetchWithin(ctx context.Context, topic string, partition int, at int64) (fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait+defaultStall)
	defer cancel()
	return c.fetch(ctx, topic, partition, at)
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
