package export

import (
	"slices"

	"rollcall"
)

// citation is one constant column: what a file is about. A nil value is null.
type citation struct {
	name  string
	value any // string, int or bool
}

// citations gives the leading columns of a table's file, which are the same in
// all of its rows, so that files can be stacked. One that is also a dimension of
// the rows is left out.
func citations(t *rollcall.Table) []citation {
	m := &t.Meta
	all := []citation{
		{"market", text(string(m.Market))}, {"panel", text(string(m.Panel))}, {"period", text(period(m))},
		{"location", text(m.Location)}, {"credit", text(m.Credit)}, {"version", count(m.Version)}, {"status", text(m.Status)},
		{"target", text(m.Target)}, {"pool", count(m.Pool)}, {"simulated", m.Simulated}, {"method", text(m.Method)},
	}
	if m.Service != "" { // that all rows are of: such files can be stacked too
		all = append([]citation{{"service", string(m.Service)}}, all...)
	}
	return slices.DeleteFunc(all, func(c citation) bool {
		return slices.ContainsFunc(t.Columns, func(d rollcall.Column) bool { return d.Name == c.name })
	})
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func count(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// period is the month, or first and last day (or month) joined by a slash, as
// ISO 8601 writes an interval.
func period(m *rollcall.Meta) string {
	if m.From == "" && m.To == "" {
		return m.Month
	}
	return m.From + "/" + m.To
}
