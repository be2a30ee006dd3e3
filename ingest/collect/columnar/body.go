package columnar

import (
	"bytes"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"rollcall"
)

// Body is one Arrow IPC stream of whole rows, small enough to be sent at once.
type Body struct {
	Stream []byte
	Rows   int
}

// Bounds of a body; a row more than maxBytes is a body of its own.
const (
	maxRows  = 1 << 16
	maxBytes = 4 << 20 // of text
)

// Bodies cuts records, all of one schema, into bodies that Stream reads. Only
// the columns of Names are taken. After an error of the records, what came
// before it is yielded first.
func Bodies(records iter.Seq2[arrow.Record, error]) iter.Seq2[Body, error] {
	return func(yield func(Body, error) bool) {
		var p *packer
		for rec, err := range records {
			var t *table
			if err == nil {
				t, err = tableOf(rec, new(rollcall.Defaults), new(spare))
			}
			if err != nil {
				if p.flush(yield) {
					yield(Body{}, err)
				}
				return
			}
			if p == nil {
				p = newPacker(rec.Schema())
			}
			if !p.add(t, yield) {
				return
			}
		}
		p.flush(yield)
	}
}

// packer gathers the rows of a body.
type packer struct {
	schema *arrow.Schema
	fields []packed
	rows   int
	bytes  int
}

// packed is a column of a body.
type packed struct {
	column int
	values array.Builder
	words  *words // of a dictionary, whose codes are values
}

// words is a column's dictionary in the making.
type words struct {
	as    *arrow.DictionaryType
	codes map[string]int32
	texts *array.StringBuilder
}

// code gives a text's code, a new one where it has none.
func (w *words) code(text string) int32 {
	if code, ok := w.codes[text]; ok {
		return code
	}
	code := int32(len(w.codes))
	w.codes[strings.Clone(text)] = code // it is part of a record
	w.texts.Append(text)
	return code
}

func newPacker(from *arrow.Schema) *packer {
	p := &packer{}
	var fields []arrow.Field
	for at, name := range Names() {
		if !from.HasField(name) {
			continue
		}
		as := sent(at, from.Field(from.FieldIndices(name)[0]).Type)
		fields = append(fields, arrow.Field{Name: name, Type: as, Nullable: true})
		p.fields = append(p.fields, newPacked(at, as))
	}
	p.schema = arrow.NewSchema(fields, nil)
	return p
}

func newPacked(column int, as arrow.DataType) packed {
	d, ok := as.(*arrow.DictionaryType)
	if !ok {
		return packed{column: column, values: array.NewBuilder(memory.DefaultAllocator, as)}
	}
	return packed{
		column: column, values: array.NewInt32Builder(memory.DefaultAllocator),
		words: &words{as: d, codes: make(map[string]int32), texts: array.NewStringBuilder(memory.DefaultAllocator)},
	}
}

// sent is the type that a column has in a body: timestamps keep their unit,
// columns of few values are dictionaries.
func sent(column int, from arrow.DataType) arrow.DataType {
	if stamp, ok := from.(*arrow.TimestampType); ok {
		return &arrow.TimestampType{Unit: stamp.Unit, TimeZone: "UTC"}
	}
	if columnMarket <= column && column <= columnPanel {
		return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	}
	return arrow.BinaryTypes.String
}

func (p *packer) add(t *table, yield func(Body, error) bool) bool {
	for from := 0; from < t.rows; {
		n, size := p.fit(t, from)
		for i := range p.fields {
			p.fields[i].append(t, from, from+n)
		}
		p.rows, p.bytes, from = p.rows+n, p.bytes+size, from+n
		if (p.rows >= maxRows || p.bytes >= maxBytes) && !p.flush(yield) {
			return false
		}
	}
	return true
}

// fit gives how many of the table's next rows the body takes, and their text's
// size: at least one.
func (p *packer) fit(t *table, from int) (rows, size int) {
	for rows < min(maxRows-p.rows, t.rows-from) && p.bytes+size < maxBytes {
		for _, f := range p.fields {
			size += len(t.texts[f.column].at(from + rows))
		}
		rows++
	}
	return rows, size
}

func (f *packed) append(t *table, from, to int) {
	switch b := f.values.(type) {
	case *array.TimestampBuilder:
		appendTimes(b, t.times[f.column], from, to)
	case *array.StringBuilder:
		for i := from; i < to; i++ {
			appendText(b, t.texts[f.column].at(i))
		}
	case *array.Int32Builder:
		for i := from; i < to; i++ {
			f.words.append(b, t.texts[f.column].at(i))
		}
	}
}

func (w *words) append(codes *array.Int32Builder, text string) {
	if text == "" {
		codes.AppendNull()
		return
	}
	codes.Append(w.code(text))
}

func appendText(b *array.StringBuilder, text string) {
	if text == "" {
		b.AppendNull()
		return
	}
	b.Append(text)
}

func appendTimes(b *array.TimestampBuilder, from *instants, begin, end int) {
	for i := begin; i < end; i++ {
		if from.null(i) {
			b.AppendNull()
			continue
		}
		b.Append(from.values[i])
	}
}

// flush yields what was gathered, if anything; false: stop.
func (p *packer) flush(yield func(Body, error) bool) bool {
	if p == nil || p.rows == 0 {
		return true
	}
	rows := p.rows
	stream, err := p.stream()
	if err != nil {
		yield(Body{}, err)
		return false
	}
	return yield(Body{stream, rows}, nil)
}

func (p *packer) stream() ([]byte, error) {
	arrays := make([]arrow.Array, len(p.fields))
	for i := range p.fields {
		arrays[i] = p.fields[i].take()
	}
	rec := array.NewRecord(p.schema, arrays, int64(p.rows))
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(p.schema))
	if err := w.Write(rec); err != nil {
		return nil, fmt.Errorf("write %d rows as an Arrow stream: %w", p.rows, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write %d rows as an Arrow stream: %w", p.rows, err)
	}
	p.rows, p.bytes = 0, 0
	return b.Bytes(), nil
}

// take gives what was appended and empties the column, its dictionary too.
func (f *packed) take() arrow.Array {
	values := f.values.NewArray()
	if f.words == nil {
		return values
	}
	clear(f.words.codes)
	return array.NewDictionaryArray(f.words.as, values, f.words.texts.NewArray())
}
