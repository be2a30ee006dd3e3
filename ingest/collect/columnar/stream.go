package columnar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"rollcall/ingest"
	"rollcall/internal/arrowipc"
)

// Streams reads Arrow IPC streams, several at once or one after the other, which
// then use the same memory. The zero value is ready.
type Streams struct{ free sync.Pool } // of *taker

// Take carries an Arrow IPC stream from outside to the batcher: each row is a
// sighting, its line the row's number from 1. A bad row is refused as the JSON
// that it would have been. Good rows before a fault of the stream are kept; the
// error is then an Invalid. The caller bounds r; what is decoded of it is
// bounded by arrowipc.MaxMemory and MaxRows.
func (s *Streams) Take(ctx context.Context, in *ingest.Batcher, r io.Reader) error {
	k, ok := s.free.Get().(*taker)
	if !ok {
		k = new(taker)
	}
	k.in, k.rows = in, 0
	err := k.stream(ctx, r)
	k.in, k.fields = nil, ingest.Fields{}
	k.alike.forget()
	if k.body.Cap() <= mostBody && k.spare.size() <= mostBody {
		s.free.Put(k)
	}
	return err
}

// mostBody bounds the memory of a body, and that of its codes, which is held for the
// next one.
const mostBody = 8 << 20

// mostKept is what a body may add to the rejected, as much as the largest body of
// lines: 100 KB of it can have a text of 1 MiB for each of 10,000 rows.
const mostKept = 64 << 20

// taker takes one stream. What it holds besides is memory for the next.
type taker struct {
	in     *ingest.Batcher
	rows   int
	fields ingest.Fields

	body  bytes.Buffer
	arrow arrowipc.Reader
	spare spare
	alike rows
}

func (k *taker) stream(ctx context.Context, r io.Reader) error {
	k.body.Reset()
	if _, err := k.body.ReadFrom(r); err != nil {
		return err
	}
	k.in.MostKept = mostKept
	for rec, err := range k.arrow.Records(k.body.Bytes()) {
		if err == nil {
			err = k.record(ctx, rec)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("after row %d: %w", k.rows, err), k.in.Flush(ctx))
		}
	}
	return k.in.Flush(ctx)
}

func (k *taker) record(ctx context.Context, rec arrow.Record) error {
	t, err := tableOf(rec, &k.in.Defaults, &k.spare)
	if err != nil {
		return err
	}
	alike := k.alike.of(t)
	for i := 0; i < t.rows; {
		if k.in.Hopeless() {
			k.in.RefuseRest(k.rows+1, t.rows-i)
			k.rows += t.rows - i
			return nil
		}
		n, err := k.some(ctx, t, alike, i)
		if err != nil {
			return err
		}
		i, k.rows = i+n, k.rows+n
	}
	return nil
}

// some takes rows from row i on, and says how many: those that are like others, or
// one by itself.
func (k *taker) some(ctx context.Context, t *table, alike *rows, i int) (int, error) {
	if alike == nil {
		_, err := k.single(ctx, t, i)
		return 1, err
	}
	if n, err := alike.take(ctx, k.in, i); n > 0 || err != nil {
		return n, err
	}
	read, err := k.single(ctx, t, i)
	if read {
		alike.remember(k.in, i)
	}
	return 1, err
}

// single takes row i by itself, and says whether it was a sighting at all.
func (k *taker) single(ctx context.Context, t *table, i int) (bool, error) {
	raw := func() []byte { return t.json(i) }
	s, err := t.sighting(i, &k.fields)
	if err != nil {
		return false, k.in.RefuseAs(ctx, k.rows+1, err, raw)
	}
	return true, k.in.Sighting(ctx, k.rows+1, &s, raw)
}

// json is row i as a line of NDJSON, so that it can be loaded again.
func (t *table) json(i int) []byte {
	f := t.written(i)
	return f.JSON()
}
