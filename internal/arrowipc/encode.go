package arrowipc

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Encoder gathers events and writes them as one stream. It is not safe for
// concurrent use; its memory is used again after each stream.
type Encoder struct {
	schemas [2]*arrow.Schema // of version 1 and 2
	groups  map[rollcall.Group]int
	values  [][texts]int16 // of each group: its indexes into the dictionaries
	codes   []int          // of a batch's groups, their places in values; -1: not there yet
	dicts   [texts]dictionary

	time, until  []int64
	visitor, key []uint64
	index        [texts][]int16
	hasUntil     validity
	has          [texts]validity // of the columns that may be null
	out          bytes.Buffer
}

// Bytes of a row and of an empty stream, for Size.
const (
	rowBytes    = 4*8 + texts*2
	streamBytes = 4 << 10
)

// NewEncoder makes an empty encoder.
func NewEncoder() *Encoder {
	e := &Encoder{schemas: [2]*arrow.Schema{schema("1", platform), Schema()}, groups: make(map[rollcall.Group]int)}
	for i := range e.dicts {
		e.dicts[i].index = make(map[string]int16)
	}
	return e
}

// Len gives the number of events gathered.
func (e *Encoder) Len() int { return len(e.time) }

// Size gives about how many bytes the stream will have, never fewer.
func (e *Encoder) Size() int {
	n := streamBytes + len(e.time)*rowBytes + len(e.time)/8*(1+texts)
	for i := range e.dicts {
		n += e.dicts[i].bytes
	}
	return n
}

// Full reports that a dictionary can't take another group's values, so the
// stream must be written before the next Add.
func (e *Encoder) Full() bool { return len(e.values) >= maxValues }

// Add gathers one event.
func (e *Encoder) Add(ev *rollcall.Event) { e.AddRows(rollcall.BatchOf(*ev), 0, math.MaxInt) }

// AddRows gathers a batch's events from one on, until the stream has about so
// many bytes or is Full. It gives the first that is left.
func (e *Encoder) AddRows(b *rollcall.Batch, from, most int) int {
	e.codes = slices.Grow(e.codes[:0], len(b.Groups))[:len(b.Groups)]
	for i := range e.codes {
		e.codes[i] = -1
	}
	row := from
	for ; row < b.Len() && e.Size() < most && !e.Full(); row++ {
		of := b.Code[row]
		if e.codes[of] < 0 {
			e.codes[of] = e.group(b.Groups[of])
		}
		e.add(&b.Groups[of], e.codes[of])
		e.time = append(e.time, b.Time[row])
		e.until = append(e.until, b.Until[row])
		e.hasUntil.add(b.Until[row] != 0)
		e.visitor = append(e.visitor, b.Visitor[row])
	}
	return row
}

// add gathers what an event's group says, which has a place in values.
func (e *Encoder) add(g *rollcall.Group, code int) {
	v := &e.values[code]
	for i := range e.index {
		e.index[i] = append(e.index[i], v[i])
	}
	e.has[panel].add(g.Panel != "")
	e.has[platform].add(g.Platform != rollcall.NoPlatform)
	e.has[segment].add(g.Segment != "")
	e.has[precision].add(g.Precision != rollcall.ToMinute)
	e.key = append(e.key, uint64(g.Key))
}

// group gives the group's place in values. The key is a column of its own.
func (e *Encoder) group(g rollcall.Group) int {
	g.Key = 0
	code, ok := e.groups[g]
	if ok {
		return code
	}
	code = len(e.values)
	e.groups[g] = code
	e.values = append(e.values, [texts]int16{
		market:   e.dicts[market].add(string(g.Market)),
		service:  e.dicts[service].add(string(g.Service)),
		location: e.dicts[location].add(g.Location.String()),
		kind:     e.dicts[kind].add(g.Kind.String()),
		panel:    e.dicts[panel].add(string(g.Panel)),

		platform:  e.dicts[platform].add(g.Platform.String()),
		segment:   e.dicts[segment].add(string(g.Segment)),
		precision: e.dicts[precision].add(g.Precision.String()),
	})
	return code
}

// Stream writes what was gathered as one stream and empties the encoder. The
// bytes are the caller's.
func (e *Encoder) Stream() ([]byte, error) {
	defer e.reset()
	rec := e.record()
	defer rec.Release()
	w := ipc.NewWriter(&e.out, ipc.WithSchema(rec.Schema()))
	if err := w.Write(rec); err != nil {
		return nil, fmt.Errorf("arrow: write %d events: %w", e.Len(), err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("arrow: write %d events: %w", e.Len(), err)
	}
	return bytes.Clone(e.out.Bytes()), nil
}

// columns gives how many text columns the stream needs, and its schema.
func (e *Encoder) columns() (int, *arrow.Schema) {
	for i := platform; i < texts; i++ {
		if e.has[i].nulls < e.Len() {
			return texts, e.schemas[1]
		}
	}
	return platform, e.schemas[0]
}

func (e *Encoder) record() arrow.Record {
	texts, schema := e.columns()
	utc := schema.Field(0).Type
	columns := []arrow.Array{
		column(utc, arrow.Int64Traits.CastToBytes(e.time), e.Len(), nil),
		column(utc, arrow.Int64Traits.CastToBytes(e.until), e.Len(), &e.hasUntil),
	}
	for i := range texts {
		var valid *validity
		if !required(i) {
			valid = &e.has[i]
		}
		columns = append(columns, e.text(i, valid))
	}
	columns = append(columns,
		column(arrow.PrimitiveTypes.Uint64, arrow.Uint64Traits.CastToBytes(e.visitor), e.Len(), nil),
		column(arrow.PrimitiveTypes.Uint64, arrow.Uint64Traits.CastToBytes(e.key), e.Len(), nil))
	return array.NewRecord(schema, columns, int64(e.Len()))
}

func (e *Encoder) text(i int, valid *validity) arrow.Array {
	index := column(arrow.PrimitiveTypes.Int16, arrow.Int16Traits.CastToBytes(e.index[i]), e.Len(), valid)
	return array.NewDictionaryArray(textType(), index, e.dicts[i].array())
}

// column wraps values as an array, without copying.
func column(t arrow.DataType, values []byte, rows int, valid *validity) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(values)}
	nulls := 0
	if valid != nil && valid.nulls > 0 {
		buffers[0], nulls = memory.NewBufferBytes(valid.bits), valid.nulls
	}
	return array.MakeFromData(array.NewData(t, rows, buffers, nil, nulls, 0))
}

func (e *Encoder) reset() {
	clear(e.groups)
	e.values = e.values[:0]
	e.time, e.until, e.visitor, e.key = e.time[:0], e.until[:0], e.visitor[:0], e.key[:0]
	for i := range e.dicts {
		e.dicts[i].reset()
		e.index[i] = e.index[i][:0]
		e.has[i].reset()
	}
	e.hasUntil.reset()
	e.out.Reset()
}

// dictionary holds one string column's distinct values.
type dictionary struct {
	index  map[string]int16
	values []string
	bytes  int
}

func (d *dictionary) add(s string) int16 {
	if i, ok := d.index[s]; ok {
		return i
	}
	i := int16(len(d.values))
	d.index[s] = i
	d.values = append(d.values, s)
	d.bytes += len(s) + 4
	return i
}

func (d *dictionary) array() arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(d.values, nil)
	return b.NewArray()
}

func (d *dictionary) reset() {
	clear(d.index)
	d.values, d.bytes = d.values[:0], 0
}

// validity is a column's bitmap: a bit set for each row that has a value.
type validity struct {
	bits  []byte
	rows  int
	nulls int
}

func (v *validity) add(has bool) {
	if v.rows%8 == 0 {
		v.bits = append(v.bits, 0)
	}
	if has {
		v.bits[v.rows/8] |= 1 << (v.rows % 8)
	} else {
		v.nulls++
	}
	v.rows++
}

func (v *validity) reset() { v.bits, v.rows, v.nulls = v.bits[:0], 0, 0 }
