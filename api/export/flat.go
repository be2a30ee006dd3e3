package export

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"rollcall"
)

// flat is a table as one Arrow record: the citation's columns, then the
// table's own in their order, a measure over six of them.
//
//	citation, dimension   utf8, int64 or bool
//	dimension, a list     list of utf8
//	measure               float64, with _se, _low and _high; _n int64; _status utf8
//
// Every field may be null. A withheld measure has a status and five nulls; one
// that the row doesn't have is null in all six. Texts are plain utf8, never
// dictionaries: what reads them needs no state from one batch to the next.
type flat struct {
	meta     *rollcall.Meta
	fields   []field
	record   arrow.Record
	citation int // how many of the fields are the citation's
}

// field is where a field of the record comes from.
type field struct {
	column rollcall.Column // of the table; of a citation only the name
	part   part
	name   string
}

// part is which part of a measure a field is.
type part int

const (
	whole part = iota // not of a measure: a dimension or a citation
	value
	se
	low
	high
	n
	status
)

// suffix is what is added to a measure's name.
func (p part) suffix() string {
	return [...]string{"", "", "_se", "_low", "_high", "_n", "_status"}[p]
}

// Roles and units that decide a field's type.
const (
	measureRole = "measure"
	unitWhole   = "integer"
	unitList    = "list"
	unitTruth   = "boolean"
)

// flatten makes the record, whose metadata is in a language. Its owner releases it.
func flatten(t *rollcall.Table, l Locale) (*flat, error) {
	t = t.Flagged()
	f := &flat{meta: &t.Meta}
	var builders []array.Builder
	for _, c := range citations(t) {
		f.fields = append(f.fields, field{column: rollcall.Column{Name: c.name}, name: c.name})
		builders = append(builders, constant(c, len(t.Rows)))
	}
	f.citation = len(f.fields)
	for i := range t.Columns {
		made, err := f.addColumn(t, i)
		if err != nil {
			return nil, err
		}
		builders = append(builders, made...)
	}
	schema, err := f.schema(builders, l)
	if err != nil {
		return nil, err
	}
	columns := make([]arrow.Array, len(builders))
	for i, b := range builders {
		columns[i] = b.NewArray()
	}
	f.record = array.NewRecord(schema, columns, int64(len(t.Rows)))
	return f, nil
}

// constant is the same value in every row.
func constant(c citation, rows int) array.Builder {
	switch v := c.value.(type) {
	case int:
		return filled(array.NewInt64Builder(memory.DefaultAllocator), int64(v), rows)
	case bool:
		return filled(array.NewBooleanBuilder(memory.DefaultAllocator), v, rows)
	case string:
		return filled(array.NewStringBuilder(memory.DefaultAllocator), v, rows)
	}
	b := array.NewBuilder(memory.DefaultAllocator, citationType(c.name))
	b.AppendNulls(rows)
	return b
}

// citationType is the type of a citation whose value is null: the same as where
// it has one, so that files stack.
func citationType(name string) arrow.DataType {
	if name == "version" || name == "pool" {
		return arrow.PrimitiveTypes.Int64
	}
	return arrow.BinaryTypes.String
}

func filled[T any, B interface {
	array.Builder
	Append(T)
}](b B, v T, rows int) array.Builder {
	b.Reserve(rows)
	for range rows {
		b.Append(v)
	}
	return b
}

// addColumn makes the fields of one column of the table.
func (f *flat) addColumn(t *rollcall.Table, i int) ([]array.Builder, error) {
	c := t.Columns[i]
	parts := []part{whole}
	if c.Role == measureRole {
		parts = []part{value, se, low, high, n, status}
	}
	builders := make([]array.Builder, len(parts))
	for j, p := range parts {
		f.fields = append(f.fields, field{column: c, part: p, name: c.Name + p.suffix()})
		builders[j] = array.NewBuilder(memory.DefaultAllocator, fieldType(c, p, isTruth(t.Rows, i)))
		builders[j].Reserve(len(t.Rows))
	}
	for row, cells := range t.Rows {
		if len(cells) != len(t.Columns) {
			return nil, fmt.Errorf("row %d: %d cells for %d columns", row+1, len(cells), len(t.Columns))
		}
		if !appendCell(builders, cells[i]) {
			return nil, fmt.Errorf("row %d: column %s: a %T is no %s %s", row+1, c.Name, cells[i], c.Role, c.Unit)
		}
	}
	return builders, nil
}

// isTruth reports whether the first cell of a column that has one is a bool.
func isTruth(rows []rollcall.Row, column int) bool {
	for _, cells := range rows {
		if column < len(cells) && cells[column] != nil {
			_, ok := cells[column].(bool)
			return ok
		}
	}
	return false
}

func fieldType(c rollcall.Column, p part, truth bool) arrow.DataType {
	switch {
	case p == n, p == whole && c.Unit == unitWhole:
		return arrow.PrimitiveTypes.Int64
	case p == whole && c.Unit == unitList:
		return arrow.ListOf(arrow.BinaryTypes.String)
	case p == whole && (truth || c.Unit == unitTruth):
		return arrow.FixedWidthTypes.Boolean
	case p == whole, p == status:
		return arrow.BinaryTypes.String
	}
	return arrow.PrimitiveTypes.Float64
}

// appendCell adds a cell to its field, or a measure to its six; false: the cell
// is of another kind than the column.
func appendCell(to []array.Builder, cell any) bool {
	if cell == nil {
		for _, b := range to {
			b.AppendNull()
		}
		return true
	}
	if m, ok := cell.(rollcall.Measure); ok {
		return len(to) == 6 && appendMeasure(to, m)
	}
	if len(to) != 1 {
		return false
	}
	switch b := to[0].(type) {
	case *array.Int64Builder:
		v, ok := cell.(int)
		return ok && appended(b, int64(v))
	case *array.BooleanBuilder:
		v, ok := cell.(bool)
		return ok && appended(b, v)
	case *array.ListBuilder:
		v, ok := cell.([]string)
		return ok && appendList(b, v)
	case *array.StringBuilder:
		return appendText(b, cell)
	}
	return false
}

func appended[T any](b interface{ Append(T) }, v T) bool {
	b.Append(v)
	return true
}

// appendText takes a text. A whole number or a truth in a column of texts is
// written as JSON writes it.
func appendText(b *array.StringBuilder, cell any) bool {
	switch v := cell.(type) {
	case string:
		b.Append(v)
	case int, bool:
		b.Append(fmt.Sprint(v))
	default:
		return false
	}
	return true
}

func appendList(b *array.ListBuilder, list []string) bool {
	b.Append(true)
	items, ok := b.ValueBuilder().(*array.StringBuilder)
	if !ok {
		return false
	}
	for _, item := range list {
		items.Append(item)
	}
	return true
}

func appendMeasure(to []array.Builder, m rollcall.Measure) bool {
	numbers, persons := to[:4], to[4]
	if m.Status.Withheld() {
		for _, b := range to[:5] {
			b.AppendNull()
		}
	} else {
		for i, x := range [...]float64{m.Value, m.SE, m.Low, m.High} {
			appendNumber(numbers[i], x)
		}
		if m.N == rollcall.Untold {
			persons.AppendNull()
		} else {
			appendCell([]array.Builder{persons}, m.N)
		}
	}
	return appendCell(to[5:], string(m.Status))
}

// appendNumber adds a number; one that is not finite is null, as in JSON.
func appendNumber(to array.Builder, x float64) {
	b, ok := to.(*array.Float64Builder)
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
		to.AppendNull()
		return
	}
	b.Append(x)
}

// schema names the fields, says in each one's metadata what it is, and carries
// the report's meta: a key for each of its members, texts as they are and all
// else as JSON.
func (f *flat) schema(builders []array.Builder, l Locale) (*arrow.Schema, error) {
	seen := map[string]bool{}
	fields := make([]arrow.Field, len(builders))
	for i, b := range builders {
		from := f.fields[i]
		if seen[from.name] {
			return nil, fmt.Errorf("two columns are called %q", from.name)
		}
		seen[from.name] = true
		fields[i] = arrow.Field{Name: from.name, Type: b.Type(), Nullable: true, Metadata: from.metadata(l.words())}
	}
	spoken := l.spoken(f.meta)
	meta, err := keyValues(&spoken)
	if err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, &meta), nil
}

func (f field) metadata(w *words) arrow.Metadata {
	if f.column.Label == "" {
		return arrow.Metadata{}
	}
	keys := []string{"role", "label"}
	values := []string{f.column.Role, w.label(f.column)}
	if f.part == whole || f.part == value {
		keys, values = append(keys, "definition"), append(values, w.definition(f.column))
	}
	if unit := f.unit(); unit != "" {
		keys, values = append(keys, "unit"), append(values, unit)
	}
	return arrow.NewMetadata(keys, values)
}

// unit is the column's, but of an n: that is persons, or accounts.
func (f field) unit() string {
	if f.part == n && f.column.Unit != "accounts" {
		return "persons"
	}
	if f.part == status {
		return ""
	}
	return f.column.Unit
}

// keyValues are the members of a report's meta, in the order of their JSON.
func keyValues(m *rollcall.Meta) (arrow.Metadata, error) {
	members, err := members(m)
	if err != nil {
		return arrow.Metadata{}, err
	}
	keys, values := make([]string, len(members)), make([]string, len(members))
	for i, member := range members {
		keys[i], values[i] = member.name, member.text()
	}
	return arrow.NewMetadata(keys, values), nil
}

// member is one member of an object.
type member struct {
	name string
	json json.RawMessage
}

// text is a text as it is, all else as JSON.
func (m member) text() string {
	var s string
	if json.Unmarshal(m.json, &s) == nil {
		return s
	}
	return string(m.json)
}
