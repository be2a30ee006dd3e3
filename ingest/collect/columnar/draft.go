package columnar

import (
	"bytes"
	"fmt"

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

	schema *arrow.Schema
	rows   int
}

// DraftColumn is a column of a draft: of texts or of timestamps.
type DraftColumn struct {
	Codes []int32 // of texts; Null: the row has none
	Times []int64 // of timestamps
	Empty []int32 // the rows that have no timestamp

	few     map[string]int32 // codes of the words, where they are to be told apart; nil: anywhere
	text    []byte           // of all words
	ends    []int32          // and where each begins; the last one's end
	counted int              // bytes of text of the rows that count
}

// Null is the code of no text.
const Null = -1

// NewDraft makes a draft of some columns of Names, whose types are text or
// timestamps.
func NewDraft(from []arrow.Field) *Draft {
	d := &Draft{}
	var fields []arrow.Field
	for _, f := range from {
		c := &DraftColumn{ends: []int32{0}}
		as := arrow.DataType(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String})
		if stamp, ok := f.Type.(*arrow.TimestampType); ok {
			as = &arrow.TimestampType{Unit: stamp.Unit, TimeZone: "UTC"}
		} else if ofGroup(f.Name) {
			c.few = make(map[string]int32)
		}
		d.Columns = append(d.Columns, c)
		fields = append(fields, arrow.Field{Name: f.Name, Type: as, Nullable: true})
	}
	d.schema = arrow.NewSchema(fields, nil)
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
// do not count yet: all of them have at most maxBytes in a column.
func (c *DraftColumn) Takes(size int) bool { return size <= maxBytes-(len(c.text)-c.counted) }

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
	if c.few != nil {
		c.few[string(text)] = code
	}
	return code
}

// Left gives how many rows may still be added; 0: the body is full.
func (d *Draft) Left() int {
	size := 0
	for _, c := range d.Columns {
		size += len(c.text)
	}
	if size >= maxBytes {
		return 0
	}
	return maxRows - d.rows
}

// Added counts n rows that are in every column.
func (d *Draft) Added(n int) {
	d.rows += n
	for _, c := range d.Columns {
		c.counted = len(c.text)
	}
}

// Body gives the rows that count as a body, and begins another; ok is false
// where there are none.
func (d *Draft) Body() (body Body, ok bool, err error) {
	defer d.reset()
	if d.rows == 0 {
		return Body{}, false, nil
	}
	arrays := make([]arrow.Array, len(d.Columns))
	size := 0
	for i, c := range d.Columns {
		arrays[i] = c.array(d.schema.Field(i).Type, d.rows)
		size += len(c.text) + 4*len(c.ends) + 8*d.rows
	}
	var b bytes.Buffer
	b.Grow(size + 4<<10)
	w := ipc.NewWriter(&b, ipc.WithSchema(d.schema))
	err = w.Write(array.NewRecord(d.schema, arrays, int64(d.rows)))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return Body{}, false, fmt.Errorf("write %d rows as an Arrow stream: %w", d.rows, err)
	}
	return Body{b.Bytes(), d.rows}, true, nil
}

func (d *Draft) reset() {
	d.rows = 0
	d.Number++
	for _, c := range d.Columns {
		clear(c.few)
		c.Codes, c.Times, c.Empty, c.text, c.ends, c.counted = c.Codes[:0], c.Times[:0], c.Empty[:0], c.text[:0], c.ends[:1], 0
	}
}

// array gives the column's first rows in Arrow's form, which shares its memory.
func (c *DraftColumn) array(as arrow.DataType, rows int) arrow.Array {
	empty := 0
	var valid *memory.Buffer
	mark := func(row int) {
		if valid == nil {
			bits := make([]byte, (rows+7)/8)
			bitutil.SetBitsTo(bits, 0, int64(rows), true)
			valid = memory.NewBufferBytes(bits)
		}
		bitutil.ClearBit(valid.Bytes(), row)
		empty++
	}
	of, ok := as.(*arrow.DictionaryType)
	if !ok {
		for _, row := range c.Empty {
			if int(row) < rows {
				mark(int(row))
			}
		}
		values := memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(c.Times[:rows]))
		return array.MakeFromData(array.NewData(as, rows, []*memory.Buffer{valid, values}, nil, empty, 0))
	}
	for row, code := range c.Codes[:rows] {
		if code == Null {
			mark(row)
			c.Codes[row] = 0
		}
	}
	words := array.NewData(of.ValueType, len(c.ends)-1, []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends)), memory.NewBufferBytes(c.text),
	}, nil, 0, 0)
	codes := array.NewData(of.IndexType, rows, []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.Codes[:rows]))}, nil, empty, 0)
	return array.NewDictionaryArray(of, array.MakeFromData(codes), array.MakeFromData(words))
}
