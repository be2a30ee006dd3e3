package columnar

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"

	"rollcall/ingest"
	"rollcall/internal/arrowipc"
)

// Stream carries an Arrow IPC stream from outside to the batcher: each row is a
// sighting, its line the row's number from 1. A bad row is refused as the JSON
// that it would have been. Good rows before a fault of the stream are kept; the
// error is then an Invalid. The caller bounds r; what is decoded of it is
// bounded by arrowipc.MaxMemory and MaxRows.
func Stream(ctx context.Context, in *ingest.Batcher, r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	in.MostKept = mostKept
	taken := &taker{in: in}
	for rec, err := range arrowipc.Records(body) {
		if err == nil {
			err = taken.record(ctx, rec)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("after row %d: %w", taken.rows, err), in.Flush(ctx))
		}
	}
	return in.Flush(ctx)
}

// mostKept is what a body may add to the rejected, as much as the largest body of
// lines: 100 KB of it can have a text of 1 MiB for each of 10,000 rows.
const mostKept = 64 << 20

type taker struct {
	in     *ingest.Batcher
	rows   int
	fields ingest.Fields
}

func (k *taker) record(ctx context.Context, rec arrow.Record) error {
	t, err := tableOf(rec, &k.in.Defaults)
	if err != nil {
		return err
	}
	alike := rowsOf(t)
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
