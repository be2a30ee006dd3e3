package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// partition reads one partition for one generation.
type partition struct {
	source  *Source
	gen     *kafka.Generation
	id      int
	next    int64 // the offset expected next; negative: the log's first
	done    int64 // everything before it was handed on
	missed  int64 // a place where the log was seen to have more; -1: none
	reader  *kafka.Reader
	batcher *batcher
	wait    fetchDeadline
}

// Limits of a batch.
const (
	batchRows    = 1 << 16
	batchRecords = 1 << 13
)

// errStalled says that a reader gave nothing while the log has more.
var errStalled = errors.New("the reader stands still while the log grows")

// consume reads the partition until the generation ends. A reader in trouble is
// replaced; kafka-go's own retries can last for ever.
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

// follow opens a reader and hands on what it gives, until it fails.
func (p *partition) follow(ctx context.Context) error {
	if err := p.locate(ctx); err != nil {
		return err
	}
	link := &connections{dial: p.source.cluster.dial}
	p.reader = kafka.NewReader(p.readerConfig(link))
	defer p.reader.Close()
	defer link.cut() // else Close waits for a connection that may never answer
	if err := p.reader.SetOffset(p.next); err != nil {
		return fmt.Errorf("kafka: read partition %d from %d: %w", p.id, p.next, err)
	}
	defer p.batcher.drop()
	p.wait = fetchDeadline{parent: ctx, after: p.source.opt.Stall}
	defer p.wait.end()
	for {
		m, err := p.fetch(ctx)
		if err != nil {
			return err
		}
		if p.source.cluster.jammed(&m) {
			err = p.leap(ctx)
		} else {
			err = p.take(ctx, &m)
		}
		if err != nil {
			return err
		}
	}
}

// leap keeps the batch that can't be read among the rejected, as it is, and goes
// on behind it.
func (p *partition) leap(ctx context.Context) error {
	b, why, err := p.source.cluster.unreadable(ctx, Events, p.id, p.next)
	if err != nil {
		return err
	}
	p.source.opt.Log.Error("a batch of records can't be read, and is kept among the rejected",
		"partition", p.id, "from", b.first, "to", b.next, "err", why)
	p.batcher.refuseBatch(&b, why)
	p.next = b.next
	if err := p.reader.SetOffset(p.next); err != nil {
		return fmt.Errorf("kafka: read partition %d from %d: %w", p.id, p.next, err)
	}
	return p.handOn(ctx, p.next, true)
}

func (p *partition) readerConfig(link *connections) kafka.ReaderConfig {
	dialer := p.source.cluster.dialer()
	dialer.DialFunc = link.connect
	return kafka.ReaderConfig{
		Brokers: p.source.cluster.brokers, Dialer: dialer, Topic: Events, Partition: p.id,
		MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, QueueCapacity: queuedMessages,
		ReadLagInterval: -1, OffsetOutOfRangeError: true,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) {
			p.source.opt.Log.Debug("kafka reader: " + fmt.Sprintf(format, args...))
		}),
	}
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
	p.done, p.missed = p.next, -1
	return nil
}

// skipped notes that the records from next up to the offset are gone.
func (p *partition) skipped(to int64) {
	p.source.stats.Gaps.Add(to - p.next)
	p.source.opt.Log.Error("records are gone from the log before they were read",
		"partition", p.id, "from", p.next, "to", to, "records", to-p.next)
	p.next = to
}

// fetch waits for the next record. Where none came for a while it looks at the
// log: kafka-go's reader can block for good after a broker's trouble, or wait
// for an offset that the log no longer reaches.
func (p *partition) fetch(ctx context.Context) (kafka.Message, error) {
	for {
		m, err := p.reader.FetchMessage(p.wait.context())
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return m, fmt.Errorf("kafka: read partition %d at %d: %w", p.id, p.next, err)
		}
		if err := p.look(ctx); err != nil {
			return m, err
		}
	}
}

// look compares the reader's place with the log's end. One that was seen behind
// at the last look too, and has not moved, stands still.
func (p *partition) look(ctx context.Context) error {
	spans, err := p.source.cluster.spans(ctx, Events, p.id)
	if err != nil {
		return err
	}
	end := spans[p.id].next
	if end == p.next || end > p.next && p.missed != p.next {
		p.missed = p.next
		if end == p.next {
			p.missed = -1
		}
		return nil
	}
	if end > p.next {
		p.source.stats.Stalls.Add(1)
	}
	return fmt.Errorf("kafka: partition %d at %d, log's end at %d: %w", p.id, p.next, end, errStalled)
}

// take adds a record to the batch, and hands the batch on when nothing more
// waits or it is large enough.
func (p *partition) take(ctx context.Context, m *kafka.Message) error {
	if m.Offset > p.next {
		p.skipped(m.Offset)
	}
	in := p.batcher
	for more := in.open(m); more; {
		more = in.read()
		if more { // a large record: its offset is committed with its last part
			if err := p.handOn(ctx, m.Offset, true); err != nil {
				return err
			}
		}
	}
	p.next = m.Offset + 1
	behind := p.next < m.HighWaterMark
	if behind && !in.full() {
		return nil
	}
	return p.handOn(ctx, p.next, behind)
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

// fetchDeadline gives a context that ends when nothing was fetched for a
// while. One is used for many fetches: making one costs more than a fetch.
type fetchDeadline struct {
	parent context.Context //nolint:containedctx // it makes contexts: this is what they end with
	after  time.Duration
	ctx    context.Context //nolint:containedctx // shared by many fetches, see above
	cancel context.CancelFunc
	fresh  time.Time // until when ctx may be used again
}

func (d *fetchDeadline) context() context.Context {
	now := time.Now()
	if d.ctx == nil || now.After(d.fresh) || d.ctx.Err() != nil {
		d.end()
		d.ctx, d.cancel = context.WithTimeout(d.parent, d.after)
		d.fresh = now.Add(d.after / 2)
	}
	return d.ctx
}

func (d *fetchDeadline) end() {
	if d.cancel != nil {
		d.cancel()
	}
}
