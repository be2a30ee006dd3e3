package kafka

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"

	"rollcall"
)

// What the tests beside the package use of its inside: package embedded, whose
// broker they need, imports this one.

// Client is for requests that the package doesn't make.
func (c *Cluster) Client() *kafka.Client { return c.client }

// Dialer is how the cluster's brokers are reached.
func (c *Cluster) Dialer() DialFunc { return c.dial }

// Committed gives the group's offsets.
func (c *Cluster) Committed(ctx context.Context, group string, partitions []int) (rollcall.Offsets, error) {
	return c.committed(ctx, group, partitions)
}

// Generation is the source's now; nil: none yet.
func (s *Source) Generation() *kafka.Generation { return s.current() }

// Owned is the number of partitions that the generation has.
func (s *Source) Owned() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owned)
}

// Queue hands a batch on as one of the generation's readers would.
func (s *Source) Queue(b *rollcall.Batch, gen *kafka.Generation) { s.out <- read{batch: b, gen: gen} }

// Compress has the writer compress what it sends.
func (w *Writer) Compress(c kafka.Compression) { w.events.Compression, w.atOnce.Compression = c, c }

// BatchSizes gives the bytes of each batch of records that the events are in.
func (c *Cluster) BatchSizes(ctx context.Context) (sizes []int, err error) {
	spans, err := c.spans(ctx, Events)
	if err != nil {
		return nil, err
	}
	for id, s := range spans {
		for at := s.first; at < s.next; {
			f, err := c.fetch(ctx, Events, id, at)
			if err != nil {
				return nil, err
			}
			for _, b := range f.batches {
				sizes = append(sizes, len(b.bytes))
			}
			at = f.next()
		}
	}
	return sizes, nil
}

// Hold has the writer hold few events back for so long.
func (w *Writer) Hold(d time.Duration) { w.events.BatchTimeout = d }

// BatchType is the content type of a batch that can't be read.
const BatchType = batchType
