package report

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"rollcall"
)

// Diff compares two versions of a month cell by cell: those of the report that
// q asks for, its Version and Live aside. Where q names no report they are of
// the ranking, and where it names no place the ranking's are at home, at work
// and at either. Only cells that differ have a row; the notes say what the
// versions were computed from.
func (r *Reporter) Diff(ctx context.Context, q rollcall.Query, first, second int) (*rollcall.Table, error) {
	if first < 1 || second < 1 {
		return nil, &rollcall.Invalid{Field: "version", Value: fmt.Sprintf("%d, %d", first, second), Reason: "are not two versions: they count from 1", Code: "version"}
	}
	if q.Report == "" {
		q.Report = "ranking"
	}
	places := []rollcall.Place{q.Place}
	if q.Report == "ranking" && (q.Place == "" || q.Place == rollcall.EveryPlace) {
		places = []rollcall.Place{rollcall.HomeWork, rollcall.AtHome, rollcall.AtWork}
	}
	var out *rollcall.Table
	for _, place := range places {
		q.Place, q.Live = place, false
		before, after, err := r.both(ctx, q, first, second)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = newDiff(before, after)
		} else {
			out.Meta.Location += ", " + after.Meta.Location
		}
		out.Rows = append(out.Rows, differing(before, after)...)
	}
	return out, nil
}

// both answers one request from two versions.
func (r *Reporter) both(ctx context.Context, q rollcall.Query, first, second int) (before, after *rollcall.Table, err error) {
	q.Version = first
	if before, err = r.Report(ctx, q); err != nil {
		return nil, nil, err
	}
	q.Version = second
	after, err = r.Report(ctx, q)
	return before, after, err
}

// newDiff begins a difference: its columns are the place, what names a row of
// the report, and the figure in both versions.
func newDiff(before, after *rollcall.Table) *rollcall.Table {
	names := []string{"location"}
	for _, c := range after.Columns[:namesOf(after)] {
		names = append(names, c.Name)
	}
	out := &rollcall.Table{Meta: after.Meta, Columns: columnsOf(append(names, "figure", "before", "after")...), Rows: []rollcall.Row{}}
	out.Meta.Report, out.Meta.Internal = "diff of "+after.Meta.Report, before.Meta.Internal || after.Meta.Internal
	out.Meta.Notes = append(differences(before.Meta, after.Meta), after.Meta.Notes...)
	out.Meta.Thresholds = bothThresholds(before.Meta.Thresholds, after.Meta.Thresholds)
	out.Meta.Method += beforeMethod(before.Meta)
	return out
}

// beforeMethod adds to the second version's method which the first one is, and to
// what it is calibrated: a row of a file has nothing else that says so.
func beforeMethod(before rollcall.Meta) string {
	method := fmt.Sprintf("; before_version=%d", before.Version)
	if to := servicesOf(before.Calibrated); len(to) > 0 {
		method += "; before_calibrated=" + strings.Join(to, ",")
	}
	return method
}

// servicesOf gives the services of calibrations, each once.
func servicesOf(list []rollcall.Calibrated) []string {
	var ids []string
	for _, c := range list {
		ids = append(ids, string(c.Service))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// bothThresholds gives the second version's limits and, where they are others,
// the first one's too: under which its figures are withheld.
func bothThresholds(before, after map[string]int) map[string]int {
	if maps.Equal(before, after) {
		return after
	}
	both := maps.Clone(after)
	for name, limit := range before {
		both[name+"_before"] = limit
	}
	return both
}

// namesOf gives how many of a table's first columns name a row: those before
// its first measure.
func namesOf(t *rollcall.Table) int {
	return max(0, slices.IndexFunc(t.Columns, func(c rollcall.Column) bool { return c.Role == measure }))
}

// differences says in words what the two versions were made of.
func differences(a, b rollcall.Meta) []string {
	notes := []string{fmt.Sprintf("Version %d (%s) against version %d (%s).", a.Version, a.Status, b.Version, b.Status)}
	if a.Document == b.Document {
		return append(notes, "Both are computed from the same document: no figure can differ.")
	}
	if b.Reason != "" {
		notes = append(notes, fmt.Sprintf("Reason of version %d: %s.", b.Version, b.Reason))
	}
	for _, c := range []struct {
		note   string
		differ bool
	}{
		{"The diaries differ.", a.Sample.Diaries != b.Sample.Diaries},
		{"The rosters differ.", a.Sample.ID != b.Sample.ID},
		{"The universes differ.", a.Universe.ID != b.Universe.ID},
		{"The weights differ.", a.Weights.ID != b.Weights.ID},
		{calibrationsDiffer(a, b), !slices.Equal(a.Calibrated, b.Calibrated)},
		{"The exclusions differ.", !slices.Equal(a.Exclusions, b.Exclusions)},
		{"The thresholds differ.", !maps.Equal(a.Thresholds, b.Thresholds)},
		{"The confidence levels differ.", a.Confidence != b.Confidence},
		{"The versions of the month before differ.", fmt.Sprint(a.Compared) != fmt.Sprint(b.Compared)},
	} {
		if c.differ {
			notes = append(notes, c.note)
		}
	}
	return notes
}

// calibrationsDiffer says to what each version is calibrated.
func calibrationsDiffer(a, b rollcall.Meta) string {
	to := func(m rollcall.Meta) string {
		if services := servicesOf(m.Calibrated); len(services) > 0 {
			return strings.Join(services, ", ")
		}
		return "no service"
	}
	return fmt.Sprintf("Calibrated services: %s in the first version, %s in the second.", to(a), to(b))
}

// differing gives a row for each measure that is not the same in both tables:
// the second's rows in their order, then those that only the first has.
func differing(before, after *rollcall.Table) []rollcall.Row {
	names := namesOf(after)
	was, is := rowsByName(before), rowsByName(after)
	rows := slices.Clone(after.Rows)
	for _, row := range before.Rows {
		if is[nameOf(row[:names])] == nil {
			rows = append(rows, row)
		}
	}
	var out []rollcall.Row
	for _, row := range rows {
		name := nameOf(row[:names])
		for k, c := range after.Columns {
			a, b := cellOf(was[name], k), cellOf(is[name], k)
			if c.Role != measure || sameCell(a, b) {
				continue
			}
			line := append(rollcall.Row{after.Meta.Location}, row[:names]...)
			out = append(out, append(line, c.Name, a, b))
		}
	}
	return out
}

func rowsByName(t *rollcall.Table) map[string]rollcall.Row {
	out := make(map[string]rollcall.Row, len(t.Rows))
	for _, row := range t.Rows {
		out[nameOf(row[:namesOf(t)])] = row
	}
	return out
}

func nameOf(row rollcall.Row) string { return fmt.Sprintf("%q", []any(row)) }

func cellOf(row rollcall.Row, k int) any {
	if k >= len(row) { // it has no such row, or no such column
		return nil
	}
	return row[k]
}

// sameCell compares two cells, NaN being NaN.
func sameCell(a, b any) bool {
	x, ok := a.(rollcall.Measure)
	y, ok2 := b.(rollcall.Measure)
	if !ok || !ok2 {
		return ok == ok2
	}
	same := func(p, q float64) bool { return p == q || math.IsNaN(p) && math.IsNaN(q) }
	return same(x.Value, y.Value) && same(x.SE, y.SE) && same(x.Low, y.Low) && same(x.High, y.High) && x.N == y.N && x.Status == y.Status
}
