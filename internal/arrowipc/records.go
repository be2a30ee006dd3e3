package arrowipc

import (
	"iter"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// Reader reads streams one after the other, with the same memory. The zero value is
// ready.
type Reader struct{ arena arena }

// mostHeld bounds the memory that a Reader holds between two streams.
const mostHeld = 16 << 20

// Records yields the record batches of any Arrow IPC stream from outside,
// within the same limits as Decoder's. A record is valid until the next step or the
// end. An error is a *rollcall.Invalid and ends the sequence. The columns are not
// checked: an array's offsets may still lie, and reading one may panic.
func (of *Reader) Records(value []byte) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		of.arena.most = mostHeld
		defer of.arena.reset()
		r := &records{arena: &of.arena}
		err := r.open(value)
		for err == nil {
			var rec arrow.Record
			rec, err = r.next()
			if rec == nil {
				break
			}
			if !yield(rec, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

type records struct {
	arena  *arena
	stream *ipc.Reader
	rows   int // claimed so far
}

func (r *records) open(value []byte) (err error) {
	defer recovered(&err)
	r.stream, err = ipc.NewReaderFromMessageReader(&frames{rest: value}, ipc.WithAllocator(r.arena))
	if err != nil {
		return invalid(err)
	}
	return nil
}

// next gives the next record batch; nil after the last.
func (r *records) next() (rec arrow.Record, err error) {
	defer recovered(&err)
	if !r.stream.Next() {
		if err := r.stream.Err(); err != nil {
			return nil, invalid(err)
		}
		return nil, nil
	}
	rec = r.stream.Record()
	if r.rows += int(rec.NumRows()); r.rows > MaxRows {
		return nil, beyond("has more than %d rows", MaxRows)
	}
	return rec, nil
}
