package columnar

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Draft is a body in the making that is filled column by column. A row has the
// code of a text, its place among the column's words, so that a text that many
// rows have is sent, checked and hashed once. Rows count when they are in every
// column, which Added says.
type Draft struct {
	// Columns are in the order of the fields.
	Columns []*DraftColumn
	// Number tells one body from the next: the codes of one mean nothing in another.
	Number int

	names []string
	units []arrow.DataType // of the columns of timestamps
	rows  int
	text  int // bytes of all words
	open  int // and of those that are of rows that do not count yet
}

// DraftColumn is a column of a draft: of texts or of timestamps.
type DraftColumn struct {
	Codes []int32 // of texts; Null: the row has none
	Times []int64 // of timestamps
	Empty []int32 // the rows that have no timestamp

	few   map[string]int32 // codes of the words, where they are to be told apart; nil: anywhere
	text  []byte           // of all words
	ends  []int32          // and where each begins; the last one's end
	bytes []byte           // of codes in as few bytes as they fit in
	draft *Draft
}

// Null is the code of no text.
const Null = -1

// NewDraft makes a draft of some columns of Names, whose types are text or
// timestamps.
func NewDraft(from []arrow.Field) *Draft {
	d := &Draft{}
	for _, f := range from {
		c := &DraftColumn{ends: []int32{0}, draft: d}
		var unit arrow.DataType
		if stamp, ok := f.Type.(*arrow.TimestampType); ok {
			unit = &arrow.TimestampType{Unit: stamp.Unit, TimeZone: "UTC"}
		} else if ofGroup(f.Name) {
			c.few = make(map[string]int32)
		}
		d.Columns, d.names, d.units = append(d.Columns, c), append(d.names, f.Name), append(d.units, unit)
	}
	return d
}

// ofGroup reports whether a column is of those whose few texts together are an
// event's group.
func ofGroup(name string) bool {
	switch name {
	case "market", "service", "location", "kind", "panel", "platform", "segment", "precision":
		return true
	}
	return false
}

// Takes reports whether another text of so many bytes may be among the rows that
// do not count yet: together they have at most maxBytes.
func (c *DraftColumn) Takes(size int) bool { return size <= maxBytes-c.draft.open }

// Word gives the code of a text; no text is Null.
func (c *DraftColumn) Word(text []byte) int32 {
	if len(text) == 0 {
		return Null
	}
	if code, ok := c.few[string(text)]; ok {
		return code
	}
	code := int32(len(c.ends) - 1)
	c.text = append(c.text, text...)
	c.ends = append(c.ends, int32(len(c.text)))
	c.draft.text, c.draft.open = c.draft.text+len(text), c.draft.open+len(text)
	if c.few != nil {
		c.few[string(text)] = code
	}
	return code
}

// Left gives how many rows may still be added; 0: the body is full.
func (d *Draft) Left() int {
	if d.text >= maxBytes {
		return 0
	}
	return maxRows - d.rows
}

// Added counts n rows that are in every column.
func (d *Draft) Added(n int) {
	d.rows += n
	d.open = 0
}

// Body gives the rows that count as a body, and begins another; ok is false
// where there are none.
func (d *Draft) Body() (body Body, ok bool, err error) {
	defer d.reset()
	if d.rows == 0 {
		return Body{}, false, nil
	}
	arrays, fields := make([]arrow.Array, len(d.Columns)), make([]arrow.Field, len(d.Columns))
	size := 0
	for i, c := range d.Columns {
		if unit := d.units[i]; unit != nil {
			arrays[i] = c.instants(unit, d.rows)
		} else {
			arrays[i] = c.texts(d.rows)
		}
		fields[i] = arrow.Field{Name: d.names[i], Type: arrays[i].DataType(), Nullable: true}
		size += sizeOf(arrays[i])
	}
	schema := arrow.NewSchema(fields, nil)
	var b bytes.Buffer
	b.Grow(size + 8<<10) // and the heads of its messages
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	err = w.Write(array.NewRecord(schema, arrays, int64(d.rows)))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return Body{}, false, fmt.Errorf("write %d rows as an Arrow stream: %w", d.rows, err)
	}
	return Body{b.Bytes(), d.rows}, true, nil
}

// sizeOf gives the bytes that an array's buffers have.
func sizeOf(a arrow.Array) (size int) {
	for _, b := range a.Data().Buffers() {
		if b != nil {
			size += b.Len()
		}
	}
	if of, ok := a.(*array.Dictionary); ok {
		size += sizeOf(of.Dictionary())
	}
	return size
}

func (d *Draft) reset() {
	d.rows, d.text, d.open = 0, 0, 0
	d.Number++
	for _, c := range d.Columns {
		clear(c.few)
		c.Codes, c.Times, c.Empty, c.text, c.ends = c.Codes[:0], c.Times[:0], c.Empty[:0], c.text[:0], c.ends[:1]
	}
}

// instants gives the first rows' timestamps in Arrow's form, which shares the
// column's memory.
func (c *DraftColumn) instants(unit arrow.DataType, rows int) arrow.Array {
	var valid bitmap
	for _, row := range c.Empty {
		if int(row) < rows {
			valid.clear(int(row), rows)
		}
	}
	values := memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(c.Times[:rows]))
	return array.MakeFromData(array.NewData(unit, rows, []*memory.Buffer{valid.bits, values}, nil, valid.cleared, 0))
}

// texts gives the first rows' texts in Arrow's form, whose words share the
// column's memory.
func (c *DraftColumn) texts(rows int) arrow.Array {
	words := len(c.ends) - 1
	dictionary := array.MakeFromData(array.NewData(arrow.BinaryTypes.String, words, []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends)), memory.NewBufferBytes(c.text),
	}, nil, 0, 0))
	var valid bitmap
	for row, code := range c.Codes[:rows] {
		if code == Null {
			valid.clear(row, rows)
		}
	}
	index, codes := c.narrow(rows, words)
	of := &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
	data := array.NewData(index, rows, []*memory.Buffer{valid.bits, memory.NewBufferBytes(codes)}, nil, valid.cleared, 0)
	return array.NewDictionaryArray(of, array.MakeFromData(data), dictionary)
}

// narrow gives the first rows' codes, of so many words, in as few bytes as they fit
// in, and in the memory of the body before. What Null is written as is looked at by nobody.
func (c *DraftColumn) narrow(rows, words int) (arrow.DataType, []byte) {
	codes := c.Codes[:rows]
	switch {
	case words <= math.MaxInt8:
		c.bytes = slices.Grow(c.bytes[:0], rows)[:rows]
		narrow(arrow.Int8Traits.CastFromBytes(c.bytes), codes)
		return arrow.PrimitiveTypes.Int8, c.bytes
	case words <= math.MaxInt16:
		c.bytes = slices.Grow(c.bytes[:0], 2*rows)[:2*rows]
		narrow(arrow.Int16Traits.CastFromBytes(c.bytes), codes)
		return arrow.PrimitiveTypes.Int16, c.bytes
	}
	return arrow.PrimitiveTypes.Int32, arrow.Int32Traits.CastToBytes(codes)
}

func narrow[T int8 | int16](to []T, codes []int32) {
	for i, code := range codes[:len(to)] {
		to[i] = T(code)
	}
}

// bitmap says which rows have something; none: all have.
type bitmap struct {
	bits    *memory.Buffer
	cleared int
}

// clear says of one of so many rows that it has nothing.
func (b *bitmap) clear(row, rows int) {
	if b.bits == nil {
		all := make([]byte, (rows+7)/8)
		bitutil.SetBitsTo(all, 0, int64(rows), true)
		b.bits = memory.NewBufferBytes(all)
	}
	bitutil.ClearBit(b.bits.Bytes(), row)
	b.cleared++
}
