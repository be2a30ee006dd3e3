package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// Replay reads a part of rollcall.events once more, outside of any group, up to
// the end that the log had when it began. It is an aggregate stage's Source:
// Next waits for ctx after the last batch, and Drained says that all of it was
// folded. Nothing is committed, and what is refused is not refused again.
type Replay struct {
	source  *Source
	ended   chan struct{} // closed by the reading goroutine
	err     error         // of the reading; set before ended
	drained chan struct{} // closed by Next
	drain   sync.Once
}

// Start says where a replay begins: at a time of the records' own clock, or at
// offsets. Partitions without an offset are left out.
type Start struct {
	Time    time.Time
	Offsets rollcall.Offsets // nil: Time says
}

// NewReplay begins to read. Close ends it.
func NewReplay(ctx context.Context, c *Cluster, from Start, opt SourceOptions) (*Replay, error) {
	opt.Options = opt.WithDefaults()
	spans, err := c.from(ctx, from, opt.Now())
	if errors.Is(err, rollcall.ErrInvalid) { // of what was asked for
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: replay: %w", err)
	}
	s := &Source{
		cluster: c, opt: opt, name: "replay",
		out: make(chan read, queuedBatches), free: make(chan *rollcall.Batch, queuedBatches),
	}
	s.stopped, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	r := &Replay{source: s, ended: make(chan struct{}), drained: make(chan struct{})}
	s.run.Go(func() {
		defer close(r.ended)
		r.err = s.again(s.stopped, spans)
	})
	return r, nil
}

// from gives the spans to read.
func (c *Cluster) from(ctx context.Context, start Start, now time.Time) (map[int]span, error) {
	spans, err := c.stableSpans(ctx, Events)
	if err != nil {
		return nil, err
	}
	if start.Offsets == nil {
		if err := start.checkTime(now); err != nil {
			return nil, err
		}
		return spans, c.since(ctx, start.Time, spans)
	}
	for p := range start.Offsets {
		if _, ok := spans[p]; !ok {
			return nil, &rollcall.Invalid{Field: "from", Value: fmt.Sprint(p), Reason: fmt.Sprintf("is no partition of the log, which has 0 to %d", len(spans)-1), Code: "partition"}
		}
	}
	for p, at := range spans {
		if from := start.Offsets[p]; from > at.next {
			return nil, &rollcall.Invalid{
				Field: "from", Value: fmt.Sprintf("%d=%d", p, from), Code: "offset",
				Reason: fmt.Sprintf("the partition holds the offsets from %d up to %d", at.first, at.next),
			}
		}
		from, ok := start.Offsets[p]
		if !ok {
			delete(spans, p)
			continue
		}
		spans[p] = span{first: max(at.first, from), next: at.next}
	}
	return spans, nil
}

// checkTime refuses a time of which the log can have nothing.
func (s *Start) checkTime(now time.Time) error {
	switch from := s.Time; {
	case from.Year() < 1990:
		return &rollcall.Invalid{Field: "from", Value: from.Format(time.RFC3339), Reason: "is before 1990, of which no event is taken", Code: "from"}
	case from.After(now):
		return &rollcall.Invalid{Field: "from", Value: from.Format(time.RFC3339), Reason: "is in the future: the log has nothing so late", Code: "from"}
	}
	return nil
}

// since moves each span's beginning to the first record at or after the time.
func (c *Cluster) since(ctx context.Context, t time.Time, spans map[int]span) error {
	var asked []kafka.OffsetRequest
	for p := range spans {
		asked = append(asked, kafka.TimeOffsetOf(p, t))
	}
	res, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{Events: asked}})
	if err != nil {
		return fmt.Errorf("offsets of %s at %s: %w", Events, t.Format(time.RFC3339), err)
	}
	for _, p := range res.Topics[Events] {
		if p.Error != nil {
			return fmt.Errorf("offset of partition %d at %s: %w", p.Partition, t.Format(time.RFC3339), p.Error)
		}
		first := spans[p.Partition].next // no record is so late
		for offset := range p.Offsets {
			if offset >= 0 {
				first = max(spans[p.Partition].first, offset)
			}
		}
		spans[p.Partition] = span{first: first, next: spans[p.Partition].next}
	}
	return nil
}

// again reads each span, one after the other.
func (s *Source) again(ctx context.Context, spans map[int]span) error {
	for id, at := range spans {
		p := &partition{source: s, id: id, next: at.first, done: at.first, batcher: newBatcher(s, id)}
		p.batcher.again = true
		for m, err := range s.cluster.records(ctx, Events, id, at) {
			if err == nil {
				err = p.takeRecord(ctx, &m)
			}
			if err != nil {
				return fmt.Errorf("kafka: replay: %w", err)
			}
		}
		if err := p.handOn(ctx, at.next, false); err != nil {
			return fmt.Errorf("kafka: replay: %w", err)
		}
	}
	return nil
}

// Next waits for the next batch, and after the last for the end of ctx. The
// batch is valid until the next call.
func (r *Replay) Next(ctx context.Context) (*rollcall.Batch, error) {
	s := r.source
	s.recycle(s.last)
	s.last = nil
	ended := r.ended
	for {
		select {
		case b := <-s.out:
			s.last = b.batch
			return b.batch, nil
		case <-ended:
			if r.err != nil {
				return nil, r.err
			}
			if len(s.out) == 0 { // and nothing more comes
				r.drain.Do(func() { close(r.drained) })
				ended = nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Commit does nothing: a replay moves no group.
func (r *Replay) Commit(context.Context, rollcall.Offsets) error { return nil }

// Again fails: what was read of a replay is not read twice.
func (r *Replay) Again() error {
	return fmt.Errorf("%w: a part of the census was removed while the log was replayed; begin the replay again", rollcall.ErrConflict)
}

// Drained waits until Next was called again after the last batch: all of the
// range is folded. The error is that of the reading.
func (r *Replay) Drained(ctx context.Context) error {
	select {
	case <-r.drained:
		return nil
	case <-r.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	select {
	case <-r.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stats gives the replay's counts.
func (r *Replay) Stats() *Stats { return &r.source.stats }

// Close stops the reading.
func (r *Replay) Close() error {
	r.source.stop()
	r.source.run.Wait()
	if errors.Is(r.err, context.Canceled) {
		return nil
	}
	return r.err
}
