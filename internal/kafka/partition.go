package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
)

// partition reads one partition for one generation.
type partition struct {
	source  *Source
	gen     *kafka.Generation
	id      int
	next    int64 // the offset expected next; negative: the log's first
	done    int64 // everything before it was handed on
	batcher *batcher
}

// Limits of a batch.
const (
	batchRows    = 1 << 16
	batchRecords = 1 << 13
)

// errStalled says that brokers gave nothing while the log has more.
var errStalled = errors.New("the brokers give nothing of a log that has more")

// consume reads the partition until the generation ends. What fails begins anew
// behind what was handed on.
func (s *Source) consume(ctx context.Context, gen *kafka.Generation, a kafka.PartitionAssignment) {
	ctx, cancel := context.WithCancel(ctx) // one that others derive from cheaply
	defer cancel()
	p := &partition{source: s, gen: gen, id: a.ID, next: a.Offset, done: a.Offset, batcher: newBatcher(s, a.ID)}
	for ctx.Err() == nil {
		err := p.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		p.next = p.done // what was read and not handed on is read again
		s.opt.Log.Warn("reading a partition begins anew", "partition", p.id, "offset", p.next, "err", err)
		pause(ctx, joinBackoff)
	}
}

// follow hands on what is fetched, until that fails. The next answer is fetched
// while one is taken apart.
func (p *partition) follow(ctx context.Context) error {
	if err := p.locate(ctx); err != nil {
		return err
	}
	defer p.batcher.drop()
	var fetching sync.WaitGroup
	defer fetching.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	answers, failed := make(chan fetched, 1), make(chan error, 1)
	at := p.next
	fetching.Go(func() { failed <- p.fetchFrom(ctx, at, answers) })
	for {
		select {
		case f := <-answers:
			if err := p.take(ctx, &f); err != nil {
				return err
			}
		case err := <-failed:
			return err
		}
	}
}

// fetchFrom hands on answers, none of which is empty, until one fails.
func (p *partition) fetchFrom(ctx context.Context, at int64, answers chan<- fetched) error {
	for empty := 0; ; {
		f, err := p.fetch(ctx, at)
		switch {
		case err != nil:
			return err
		case len(f.batches) > 0:
			empty, at = 0, f.next()
		case f.stable <= at: // the request has waited for more
			empty = 0
			continue
		case empty > 0:
			p.source.stats.Stalls.Add(1)
			return fmt.Errorf("kafka: partition %d at %d, which ends at %d: %w", p.id, at, f.stable, errStalled)
		default:
			empty++
			continue
		}
		select {
		case answers <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fetch waits for an answer, for so long: after a broker's trouble a connection
// may be silent for good.
func (p *partition) fetch(ctx context.Context, at int64) (fetched, error) {
	limited, cancel := context.WithTimeout(ctx, fetchWait+p.source.opt.Stall)
	defer cancel()
	f, err := p.source.cluster.fetch(limited, Events, p.id, at)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		p.source.stats.Stalls.Add(1)
	}
	return f, err
}

// locate puts next inside of what the log has. An offset ahead of the log means
// that the log is not the one that was read: all of it is read, since reading
// twice is harmless and skipping is not.
func (p *partition) locate(ctx context.Context) error {
	spans, err := p.source.cluster.spans(ctx, Events, p.id)
	if err != nil {
		return err
	}
	at := spans[p.id]
	switch {
	case p.next < 0:
		p.next = at.first
	case p.next > at.next:
		p.source.stats.Ahead.Add(1)
		p.source.opt.Log.Error("the committed offset is ahead of the log: the log was lost or replaced, and is read from its start",
			"partition", p.id, "offset", p.next, "first", at.first, "end", at.next)
		p.next = at.first
		p.source.began(p.gen, p.id, p.next)
	case p.next < at.first:
		p.skipped(at.first)
	}
	p.done = p.next
	return nil
}

// skipped notes that the records from next up to the offset are gone.
func (p *partition) skipped(to int64) {
	p.source.stats.Gaps.Add(to - p.next)
	p.source.opt.Log.Error("records are gone from the log before they were read",
		"partition", p.id, "from", p.next, "to", to, "records", to-p.next)
	p.next = to
}

// take adds what was fetched to the batch, and hands it on when nothing more
// waits or it is large enough.
func (p *partition) take(ctx context.Context, f *fetched) error {
	for i := range f.batches {
		b := &f.batches[i]
		if b.first > p.next {
			p.skipped(b.first)
		}
		if err := p.takeBatch(ctx, b); err != nil {
			return err
		}
		p.next = b.next
	}
	if p.next < f.stable {
		return nil
	}
	return p.handOn(ctx, p.next, false)
}

// takeBatch adds a batch's records, unless none of them counts.
func (p *partition) takeBatch(ctx context.Context, b *rawBatch) error {
	if b.pass {
		p.source.stats.passed(b)
		return nil
	}
	records, why, err := p.source.cluster.open(ctx, Events, p.id, b)
	if err != nil {
		return err
	}
	p.batcher.begin(b)
	if why != nil {
		p.source.opt.Log.Error("a batch of records can't be read, and is kept among the rejected",
			"partition", p.id, "from", b.first, "to", b.next, "err", why)
		p.batcher.refuseBatch(why)
		return nil
	}
	for m := range records.each(p.next) {
		if err := p.takeRecord(ctx, &m); err != nil {
			return err
		}
	}
	return nil
}

// takeRecord adds a record. A large one is handed on in parts: its offset is
// committed with its last.
func (p *partition) takeRecord(ctx context.Context, m *kafka.Message) error {
	for more := p.batcher.open(m); more; {
		more = p.batcher.read()
		if more {
			if err := p.handOn(ctx, m.Offset, true); err != nil {
				return err
			}
		}
	}
	if !p.batcher.full() {
		return nil
	}
	return p.handOn(ctx, m.Offset+1, true)
}

// handOn gives the batch to Next, after what was refused of it is acknowledged
// by the brokers: the offset may be committed from then on.
func (p *partition) handOn(ctx context.Context, next int64, behind bool) error {
	if err := p.batcher.reject(ctx); err != nil {
		return err
	}
	b := p.batcher.give()
	b.Partition, b.Next, b.Behind = p.id, next, behind
	p.source.stats.Rows.Add(int64(b.Len()))
	select {
	case p.source.out <- read{batch: b, gen: p.gen}:
		p.done = next
		return nil
	case <-ctx.Done():
		p.source.recycle(b)
		return ctx.Err()
	}
}
