package export

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"rollcall"
)

// Marks that stand for a figure that isn't shown. The last stands after one that is.
const (
	markBelow     = "[x]"
	markCensus    = "[c]"
	markDetection = "[low]"
	markUndefined = "[z]"
	markCaution   = "[u]"
)

// Statuses that the marks tell apart.
const (
	statusBelow     = "below"
	statusDetection = "below_detection"
	statusCaution   = "caution"
)

// mark stands in the cell of a withheld figure.
func mark(status, report string) string {
	switch {
	case status == statusBelow && report == "census":
		return markCensus
	case status == statusBelow:
		return markBelow
	case status == statusDetection:
		return markDetection
	}
	return markUndefined
}

// tableSheet is a report's: the flat record but its citation, which the lines
// above and the cover have.
func (x *planning) tableSheet(f *flat) *sheet {
	m := f.meta
	s := x.newSheet(x.words.sheetName(m), tableName(m))
	s.title, s.rows = x.words.title(m), int(f.record.NumRows())
	s.notes = [3]string{x.words.about(m), x.words.oneTable + " " + x.words.marks, x.provenance(m)}
	for i := f.citation; i < len(f.fields); i++ {
		s.columns = append(s.columns, x.reportColumn(f, i))
	}
	tellApart(s.columns, f.fields[f.citation:])
	s.fixed = fixed(f)
	return s
}

// tellApart adds the column's name to a heading that stands there already.
func tellApart(columns []column, fields []field) {
	seen := map[string]bool{}
	for i := range columns {
		c := &columns[i]
		if c.heading == "" || seen[strings.ToLower(c.heading)] {
			c.heading += " (" + fields[i].name + ")"
		}
		seen[strings.ToLower(c.heading)] = true
	}
}

func tableName(m *rollcall.Meta) string {
	name := "report_" + m.Report
	if m.Location != "home+work" {
		name += "_" + m.Location
	}
	out := []rune(name)
	for i, r := range out {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			out[i] = '_'
		}
	}
	return string(out)
}

// provenance is where the figures come from; where that is a simulation, that it is.
func (x *planning) provenance(m *rollcall.Meta) string {
	calibrated := ""
	if to := x.words.calibratedTo(m.Calibrated); to != "" {
		calibrated = "; " + to
	}
	if m.Simulated {
		return x.words.simulated + strings.Replace(calibrated, ";", "", 1)
	}
	if sources := sourcesOf(m.Markets); sources != "" {
		return x.words.source + x.words.colon + "Rollcall; " + sources
	}
	if m.Universe == nil {
		return x.words.source + x.words.colon + "Rollcall"
	}
	return x.words.source + x.words.colon + "Rollcall; " + x.words.note(m.Universe.Source) + ", " + m.Universe.SourceDate + calibrated
}

// sourcesOf names the studies that several markets' universes are from.
func sourcesOf(markets []rollcall.MarketMeta) string {
	var all []string
	for _, m := range markets {
		if m.Universe != nil {
			all = append(all, fmt.Sprintf("%s: %s, %s", m.Market, m.Universe.Source, m.Universe.SourceDate))
		}
	}
	return strings.Join(all, "; ")
}

// fixed is how many dimensions stand before the first measure and still leave
// half of a screen.
func fixed(f *flat) int {
	for i := f.citation; i < len(f.fields); i++ {
		if f.fields[i].part != whole || i-f.citation == 2 {
			return i - f.citation
		}
	}
	return 1
}

// reportColumn shows one field of the record.
func (x *planning) reportColumn(f *flat, i int) column {
	from := f.fields[i]
	c := column{heading: x.words.heading(from), fold: from.part == se || from.part == n || from.part == status}
	a := f.record.Column(i)
	show := x.shower(a, from)
	statuses := f.statuses(i)
	c.cell = func(row int) shown {
		if a.IsNull(row) {
			style := x.styles.mark
			if from.part == status || from.part == whole && a.DataType().ID() != arrow.INT64 {
				style = x.styles.absentText
			}
			return shown{value: mark(statuses(row), f.meta.Report), style: style}
		}
		return show(row, from.part == value && statuses(row) == statusCaution)
	}
	return c
}

// statuses gives the status of the measure that a field is of; empty where it
// is of none, or null.
func (f *flat) statuses(i int) func(row int) string {
	p := f.fields[i].part
	if p == whole {
		return func(int) string { return "" }
	}
	texts, ok := f.record.Column(i + int(status-p)).(*array.String)
	return func(row int) string {
		if !ok || texts.IsNull(row) {
			return ""
		}
		return texts.Value(row)
	}
}

// shower shows the cells that are not null.
func (x *planning) shower(a arrow.Array, from field) func(row int, caution bool) shown {
	switch a := a.(type) {
	case *array.Float64:
		code := formatOf(from.column.Unit)
		return func(row int, caution bool) shown {
			return shown{value: a.Value(row), style: x.styles.numbers[format{code, caution}]}
		}
	case *array.Int64:
		return func(row int, _ bool) shown { return shown{value: a.Value(row), style: x.styles.whole} }
	case *array.Boolean:
		return func(row int, _ bool) shown { return shown{value: a.Value(row), style: x.styles.left} }
	case *array.List:
		separator := listSeparator(a)
		return func(row int, _ bool) shown { return x.textOr(joinList(a, row, separator)) }
	case *array.String:
		return func(row int, _ bool) shown { return x.textOr(a.Value(row)) }
	}
	return func(int, bool) shown { return x.styles.absent() }
}

// textOr is a text; where it is empty, the mark of what is not there.
func (x *planning) textOr(s string) shown {
	if s == "" {
		return shown{value: markUndefined, style: x.styles.absentText}
	}
	return shown{value: s, style: x.styles.text}
}
