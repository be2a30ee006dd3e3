package kafka

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// Wanted says which of the refused inputs are asked for; the zero value is all
// that still count as refused.
type Wanted struct {
	Code     string // "": of any
	Source   string // what the source begins with
	Replayed bool   // also those that were sent again and are valid now
	Most     int    // the oldest; 0: without end
}

func (w *Wanted) has(r *rollcall.Rejected) bool {
	return (w.Code == "" || r.Code == w.Code) && strings.HasPrefix(r.Source, w.Source) && (w.Replayed || r.Replayed.IsZero())
}

// ReadRejected gives the refused inputs, from the oldest up to the last that is
// there at the call. An error ends the sequence.
func ReadRejected(ctx context.Context, c *Cluster, want Wanted) iter.Seq2[rollcall.Rejected, error] {
	return func(yield func(rollcall.Rejected, error) bool) {
		marks, err := c.marks(ctx)
		if err != nil {
			yield(rollcall.Rejected{}, err)
			return
		}
		given := 0
		for m, err := range c.rejectedRecords(ctx) {
			if err != nil {
				yield(rollcall.Rejected{}, err)
				return
			}
			r := rejectedOf(&m)
			if r.Type == markType {
				continue
			}
			r.Replayed = marks[idOf(&r)]
			if !want.has(&r) {
				continue
			}
			if given++; !yield(r, nil) || given == want.Most {
				return
			}
		}
	}
}

// rejectedRecords gives the topic's records, a partition after the other.
func (c *Cluster) rejectedRecords(ctx context.Context) iter.Seq2[kafka.Message, error] {
	return func(yield func(kafka.Message, error) bool) {
		spans, err := c.stableSpans(ctx, Rejects)
		if err != nil {
			yield(kafka.Message{}, err)
			return
		}
		for _, p := range slices.Sorted(maps.Keys(spans)) {
			for m, err := range c.records(ctx, Rejects, p, spans[p]) {
				if !yield(m, err) || err != nil {
					return
				}
			}
		}
	}
}

// Stored is a refused input, or a mark, as it lies in rollcall.rejected.
type Stored struct {
	Offset  int64
	Source  string // of records of rollcall.events one for all: the log
	Bytes   int64  // about what it takes
	message kafka.Message
}

// StoredRejected gives what rollcall.rejected holds, for whoever has to bound it.
func StoredRejected(ctx context.Context, c *Cluster) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for m, err := range c.rejectedRecords(ctx) {
			s := Stored{Offset: m.Offset, Bytes: int64(len(m.Value)), message: m}
			for _, h := range m.Headers {
				s.Bytes += int64(len(h.Key) + len(h.Value))
				if h.Key == headerSource {
					s.Source = string(h.Value)
				}
			}
			if partition, _, ok := strings.Cut(s.Source, "@"); ok {
				if _, err := strconv.Atoi(partition); err == nil {
					s.Source = "log"
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// StoreAgain appends what was stored once more, at the topic's end.
func StoreAgain(ctx context.Context, c *Cluster, list []Stored) error {
	if len(list) == 0 {
		return nil
	}
	messages := make([]kafka.Message, len(list))
	for i := range list {
		m := &list[i].message
		messages[i] = kafka.Message{Value: m.Value, Time: m.Time, Headers: m.Headers}
	}
	w := NewWriter(c, WriterOptions{})
	if err := errors.Join(firstError(w.rejects.WriteMessages(ctx, messages...)), w.Close()); err != nil {
		return fmt.Errorf("kafka: store %d refused inputs again: %w", len(list), err)
	}
	return nil
}

// A mark is a record of rollcall.rejected that says of inputs before it that they
// were sent again and are valid now: its value is their ids, one after the other.
const (
	markType = "application/vnd.rollcall.replayed"
	markSize = 16
	markMost = 10000 // ids of one
)

// inputID tells an input from others: the beginning of its SHA-256. Two that are
// the same in everything are sent again, and marked, together.
type inputID [markSize]byte

func idOf(r *rollcall.Rejected) (id inputID) {
	h := sha256.New()
	for _, text := range []string{r.Time.UTC().Format(time.RFC3339Nano), r.Source, strconv.Itoa(r.Line), r.Code, r.Type} {
		fmt.Fprintf(h, "%d:%s,", len(text), text)
	}
	h.Write(r.Body)
	copy(id[:], h.Sum(nil))
	return id
}

// marks gives when inputs were sent again.
func (c *Cluster) marks(ctx context.Context) (map[inputID]time.Time, error) {
	marks := make(map[inputID]time.Time)
	for m, err := range c.rejectedRecords(ctx) {
		if err != nil {
			return nil, err
		}
		if r := rejectedOf(&m); r.Type == markType {
			for ids := range slices.Chunk(r.Body, markSize) {
				if len(ids) == markSize {
					marks[inputID(ids)] = r.Time
				}
			}
		}
	}
	return marks, nil
}

// Mark notes that the inputs, as ReadRejected gave them, were sent again and are
// valid now.
func (w *Writer) Mark(ctx context.Context, replayed []rollcall.Rejected) error {
	for part := range slices.Chunk(replayed, markMost) {
		var ids []byte
		for i := range part {
			id := idOf(&part[i])
			ids = append(ids, id[:]...)
		}
		m := rejectedMessage(&rollcall.Rejected{Time: w.opt.Now(), Type: markType, Body: ids}, rejectedBytes)
		if err := w.rejects.WriteMessages(ctx, m); err != nil {
			return fmt.Errorf("kafka: mark %d inputs: %w", len(part), firstError(err))
		}
	}
	return nil
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
				m.Headers = slices.Clone(m.Headers)
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
		h[header.Key] = rollcall.OneLine(string(header.Value))
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
