package export

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// writeCSV writes RFC 4180: a header, CRLF, a field in quotes where it must be.
// (encoding/csv's writer would change line breaks within a text.) In French,
// fields are separated by ";" and numbers have a comma.
func writeCSV(w io.Writer, f *flat, l Locale) error {
	c := csvWriter{out: bufio.NewWriter(w), separator: l.separator(), comma: l.comma()}
	for i, from := range f.fields {
		c.field(i, from.name)
	}
	c.end()
	cells := f.cells()
	for row := range int(f.record.NumRows()) {
		for i, cell := range cells {
			c.field(i, cell(&c, row))
		}
		c.end()
	}
	return c.out.Flush()
}

// csvWriter writes fields. The first error of out is kept there, for Flush.
type csvWriter struct {
	out       *bufio.Writer
	separator byte
	comma     byte
	number    []byte // used again for each
}

func (c *csvWriter) field(i int, text string) {
	if i > 0 {
		_ = c.out.WriteByte(c.separator)
	}
	if strings.IndexByte(text, c.separator) < 0 && !strings.ContainsAny(text, "\"\r\n\t") && strings.TrimSpace(text) == text {
		_, _ = c.out.WriteString(text)
		return
	}
	_ = c.out.WriteByte('"')
	_, _ = c.out.WriteString(strings.ReplaceAll(text, `"`, `""`))
	_ = c.out.WriteByte('"')
}

func (c *csvWriter) end() { _, _ = c.out.WriteString("\r\n") }

// cell gives a row's text in one field; null is empty.
type cell func(c *csvWriter, row int) string

func (f *flat) cells() []cell {
	cells := make([]cell, len(f.fields))
	for i := range f.fields {
		cells[i] = cellOf(f.record.Column(i))
	}
	return cells
}

func cellOf(column arrow.Array) cell {
	show := func(*csvWriter, int) string { return "" }
	switch a := column.(type) {
	case *array.String:
		show = func(_ *csvWriter, row int) string { return defuse(a.Value(row)) }
	case *array.Int64:
		show = func(_ *csvWriter, row int) string { return strconv.FormatInt(a.Value(row), 10) }
	case *array.Boolean:
		show = func(_ *csvWriter, row int) string { return strconv.FormatBool(a.Value(row)) }
	case *array.Float64:
		show = func(c *csvWriter, row int) string { return c.float(a.Value(row)) }
	case *array.List:
		separator := listSeparator(a)
		show = func(_ *csvWriter, row int) string { return defuse(joinList(a, row, separator)) }
	}
	return func(c *csvWriter, row int) string {
		if column.IsNull(row) {
			return ""
		}
		return show(c, row)
	}
}

// float writes a number unrounded, so that it reads back as the same bits.
func (c *csvWriter) float(x float64) string {
	c.number = strconv.AppendFloat(c.number[:0], x, 'f', -1, 64)
	if c.comma != '.' {
		for i, b := range c.number {
			if b == '.' {
				c.number[i] = c.comma
			}
		}
	}
	return string(c.number)
}

func joinList(a *array.List, row int, separator string) string {
	return strings.Join(list(a, row), separator)
}

// list gives the items of a row's list.
func list(a *array.List, row int) []string {
	texts, ok := a.ListValues().(*array.String)
	if !ok {
		return nil
	}
	from, to := a.ValueOffsets(row)
	items := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		items = append(items, texts.Value(int(i)))
	}
	return items
}

// listSeparator is what a column's lists are joined with: a space, or where an
// item of any has a space of its own, a semicolon and a space.
func listSeparator(a *array.List) string {
	texts, ok := a.ListValues().(*array.String)
	if !ok {
		return " "
	}
	for i := range texts.Len() {
		if strings.Contains(texts.Value(i), " ") {
			return "; "
		}
	}
	return " "
}

// triggers begin a text that a spreadsheet would run as a formula.
const triggers = "=+-@\t\r\n＝＋－＠"

// defuse puts an apostrophe before a text that a spreadsheet would take for a
// formula, and before one that looks as if that had been done, so that taking
// one away gives every text back.
func defuse(s string) string {
	bare := strings.TrimLeft(s, "'")
	if first, _ := utf8.DecodeRuneInString(bare); bare != "" && strings.ContainsRune(triggers, first) {
		return "'" + s
	}
	return s
}
