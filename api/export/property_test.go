package export

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"rollcall"
)

// TestAnyTableSurvives draws tables and reads each form back in this process;
// other programs read some of them in TestOtherProgramsReadEveryCell.
func TestAnyTableSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := anyTable().Draw(t, "table")
		locale := rapid.SampledFrom([]Locale{English, French}).Draw(t, "locale")
		forms := []Form{CSV, Parquet, Arrow}
		if rapid.IntRange(0, 4).Draw(t, "workbook too") == 0 {
			forms = Forms()
		}
		survives(t, table, locale, forms)
	})
}

// FuzzTexts puts any texts into names, cells and the target.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"=1+1", "a\"b", "x;y,z", "'@", "\r\n", "", " ", "é漢😀", "_x0041_", "]]>&lt;", "\ufeff"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		one, other = allowed(one), allowed(other)
		table := &rollcall.Table{
			Meta:    rollcall.Meta{Report: "ranking", Market: "FR", Panel: rollcall.PanelID(other), Target: one},
			Columns: []rollcall.Column{{Name: "a", Label: one}, {Name: "b", Label: other, Unit: unitList}},
			Rows:    []rollcall.Row{{one, []string{"x"}}, {other, nil}},
		}
		forms := []Form{CSV, Parquet, Arrow}
		if (len(one)+len(other))%8 == 0 { // a workbook takes as long as fifty of the others
			forms = Forms()
		}
		survives(t, table, French, forms)
	})
}

// allowed leaves of a text what a name may have: no control characters but line
// breaks and tabs, and Unicode only.
func allowed(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 1000)]
}

type failing interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func survives(t failing, table *rollcall.Table, l Locale, forms []Form) {
	t.Helper()
	want := laidFlat(t, table)
	for _, form := range forms {
		var b bytes.Buffer
		if err := Write(&b, table, form, Options{Locale: l}); err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		read := map[Form]func(failing, []byte, Locale) [][]any{CSV: readBackCSV, Parquet: readBackParquet, Arrow: readBackArrow, XLSX: readBackXLSX}[form]
		got := read(t, b.Bytes(), l)
		if form == XLSX {
			checkText(t, want, got, table)
			continue
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", form, len(got), len(want))
		}
		for r := range want {
			for c := range want[r] {
				if wanted := asRead(want[r][c], form, l); fmt.Sprintf("%#v", got[r][c]) != fmt.Sprintf("%#v", wanted) {
					t.Errorf("%s: row %d, cell %d is %#v, want %#v", form, r+1, c+1, got[r][c], wanted)
				}
			}
		}
	}
}

// laidFlat is the table's own part of the record, as Go values.
func laidFlat(t failing, table *rollcall.Table) [][]any {
	f, err := flatten(table, English)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.record.Release()
	return valuesOf(f.record)
}

func valuesOf(record arrow.Record) [][]any {
	rows := make([][]any, record.NumRows())
	for r := range rows {
		for _, column := range record.Columns() {
			rows[r] = append(rows[r], valueOf(column, r))
		}
	}
	return rows
}

func valueOf(column arrow.Array, row int) any {
	if column.IsNull(row) {
		return nil
	}
	switch a := column.(type) {
	case *array.String:
		return strings.Clone(a.Value(row))
	case *array.Int64:
		return a.Value(row)
	case *array.Float64:
		return a.Value(row)
	case *array.Boolean:
		return a.Value(row)
	case *array.List:
		return list(a, row)
	}
	return column
}

// asRead is what a form gives back of a value: CSV a text.
func asRead(v any, form Form, l Locale) any {
	if form != CSV {
		return v
	}
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		c := csvWriter{comma: l.comma()}
		return c.float(v)
	case []string:
		return strings.Join(v, " ")
	}
	return fmt.Sprint(v)
}

// readBackCSV reads RFC 4180 and nothing else; encoding/csv changes line breaks
// within a text.
func readBackCSV(t failing, b []byte, l Locale) [][]any {
	var rows [][]any
	text := string(b)
	for text != "" {
		var row []any
		for {
			var field string
			if strings.HasPrefix(text, `"`) {
				field, text = quotedField(t, text)
			} else {
				end := strings.IndexAny(text, "\r\n"+string(l.separator()))
				field, text = text[:end], text[end:]
				if strings.Contains(field, `"`) {
					t.Errorf("a quote in a bare field: %q", field)
				}
			}
			row = append(row, armed(field))
			if text[0] != l.separator() {
				break
			}
			text = text[1:]
		}
		rest, ok := strings.CutPrefix(text, "\r\n")
		if !ok {
			t.Fatalf("a line ends in %.10q", text)
		}
		rows, text = append(rows, row), rest
	}
	return rows[1:]
}

// quotedField takes a field in quotes from the beginning of a text.
func quotedField(t failing, text string) (field, rest string) {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			field += text[i : i+1]
		case i+1 < len(text) && text[i+1] == '"':
			field += `"`
			i++
		default:
			return field, text[i+1:]
		}
	}
	t.Fatalf("no quote ends %.20q", text)
	return "", ""
}

func readBackParquet(t failing, b []byte, _ Locale) [][]any {
	in, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v", err)
	}
	reader, err := pqarrow.NewFileReader(in, pqarrow.ArrowReadProperties{BatchSize: 1024}, memory.DefaultAllocator)
	if err != nil {
		t.Fatalf("%v", err)
	}
	records, err := reader.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer records.Release()
	var rows [][]any
	for records.Next() {
		rows = append(rows, valuesOf(records.Record())...)
	}
	return rows
}

func readBackArrow(t failing, b []byte, _ Locale) [][]any {
	in, err := ipc.NewFileReader(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v", err)
	}
	var rows [][]any
	for i := range in.NumRecords() {
		record, err := in.Record(i)
		if err != nil {
			t.Fatalf("%v", err)
		}
		rows = append(rows, valuesOf(record)...)
	}
	return rows
}

func readBackXLSX(t failing, b []byte, _ Locale) [][]any {
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatalf("%v", err)
	}
	name := f.GetSheetList()[5]
	lines, err := f.GetRows(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	rows := make([][]any, 0, len(lines))
	for _, line := range lines[headRow:] {
		var row []any
		for _, text := range line {
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return rows
}

// checkText holds the texts of a sheet's rows; its numbers have a test of their own.
func checkText(t failing, want, got [][]any, table *rollcall.Table) {
	t.Helper()
	from := len(citations(table))
	for r := range want {
		for c, cell := range want[r][from:] {
			text, ok := cell.(string)
			if !ok || text == "" {
				continue
			}
			if got[r][c] != strings.ReplaceAll(text, "\r\n", "\n") && got[r][c] != text {
				t.Errorf("xlsx: row %d, cell %d is %#v, want %#v", r+1, c+1, got[r][c], text)
			}
		}
	}
}

// TestTablesThatNoFormHolds: an error, never half a file.
func TestTablesThatNoFormHolds(t *testing.T) {
	twice, wrong, short := sample(), sample(), sample()
	twice.Columns[4].Name, wrong.Rows[2][1], short.Rows[1] = "change", "three", short.Rows[1][:3]
	for what, table := range map[string]*rollcall.Table{"two columns": twice, "row 3: column days": wrong, "row 2: 3 cells": short} {
		for _, form := range Forms() {
			var b bytes.Buffer
			if err := Write(&b, table, form, Options{}); err == nil || !strings.Contains(err.Error(), what) || b.Len() > 0 {
				t.Errorf("%s: %s: error is %v after %d bytes", what, form, err, b.Len())
			}
		}
	}
}

// TestSameBytes: a table's file is the same each time, so that its hash says
// whether anything changed.
func TestSameBytes(t *testing.T) {
	for name, table := range stored(t) {
		for _, form := range Forms() {
			var one, two bytes.Buffer
			if err := Write(&one, table, form, Options{}); err != nil {
				t.Fatal(err)
			}
			if err := Write(&two, table, form, Options{}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one.Bytes(), two.Bytes()) {
				t.Errorf("%s: %s: %d bytes, then other %d", name, form, one.Len(), two.Len())
			}
		}
	}
}

func BenchmarkRanking(b *testing.B) {
	table := stored(b)["ranking"]
	for _, form := range Forms() {
		b.Run(string(form), func(b *testing.B) {
			var out bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := Write(&out, table, form, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(out.Len()), "bytes")
		})
	}
}
