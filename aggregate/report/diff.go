package report

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"rollcall"
)

// Diff compares two versions of a month cell by cell: the rankings at home,
// at work and at either, under the presence rule. Only cells that differ have
// a row; the notes say what the versions were computed from.
func (o *Office) Diff(ctx context.Context, of rollcall.PanelMonth, first, second int) (*rollcall.Table, error) {
	if first < 1 || second < 1 {
		return nil, &rollcall.Invalid{Field: "version", Value: fmt.Sprintf("%d, %d", first, second), Reason: "are not two versions: they count from 1", Code: "version"}
	}
	var out *rollcall.Table
	for _, place := range []Place{HomeWork, AtHome, AtWork} {
		before, err := o.Report(ctx, Request{Report: "ranking", Of: of, Place: place, Version: first})
		if err != nil {
			return nil, err
		}
		after, err := o.Report(ctx, Request{Report: "ranking", Of: of, Place: place, Version: second})
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = &rollcall.Table{Meta: after.Meta, Columns: columnsOf("location", "service", "figure", "before", "after"), Rows: []rollcall.Row{}}
			out.Meta.Report, out.Meta.Location = "diff", "home+work, home, work"
			out.Meta.Notes = append(differences(before.Meta, after.Meta), after.Meta.Notes...)
		}
		out.Rows = append(out.Rows, differing(place, before, after)...)
	}
	return out, nil
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
		what   string
		differ bool
	}{
		{"roster", a.Sample.ID != b.Sample.ID}, {"universe", a.Universe.ID != b.Universe.ID}, {"weights", a.Weights.ID != b.Weights.ID},
		{"exclusions", fmt.Sprint(a.Exclusions) != fmt.Sprint(b.Exclusions)}, {"thresholds", fmt.Sprint(a.Thresholds) != fmt.Sprint(b.Thresholds)},
	} {
		if c.differ {
			notes = append(notes, "The "+c.what+" differ.")
		}
	}
	return notes
}

// differing gives a row for each cell that is not the same in both tables.
func differing(place Place, before, after *rollcall.Table) []rollcall.Row {
	var out []rollcall.Row
	names := []string{}
	for _, t := range []*rollcall.Table{before, after} {
		for i := range t.Rows {
			names = addNew(names, t.Cell(i, "service").(string)+"/"+t.Cell(i, "level").(string))
		}
	}
	for _, name := range names {
		x, y := rowOf(before, name), rowOf(after, name)
		for k, c := range after.Columns {
			a, b := cellOf(x, k), cellOf(y, k)
			if c.Role != measure || sameCell(a, b) {
				continue
			}
			service, _, _ := bytes.Cut([]byte(name), []byte("/"))
			out = append(out, rollcall.Row{string(place), string(service), c.Name, a, b})
		}
	}
	return out
}

func rowOf(t *rollcall.Table, name string) rollcall.Row {
	for i, row := range t.Rows {
		if t.Cell(i, "service").(string)+"/"+t.Cell(i, "level").(string) == name {
			return row
		}
	}
	return nil
}

func cellOf(row rollcall.Row, k int) any {
	if row == nil {
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

// Verify reads a version's document and all that it names, checks every hash,
// weighs and computes anew, and holds the figures against the rules.
func (o *Office) Verify(ctx context.Context, p rollcall.Publication) error {
	if err := o.present(ctx, p.PanelMonth); err != nil {
		return fmt.Errorf("verify version %d: %w", p.Version, err)
	}
	fresh := Office{Shelf: checked{o.Shelf}}
	m, err := fresh.load(ctx, p.Document)
	if err != nil {
		return fmt.Errorf("verify version %d of %s: %w", p.Version, p.Month, err)
	}
	if m.doc.Of != p.PanelMonth {
		return fmt.Errorf("verify version %d of %s: its document is of %s, panel %s in %s: %w",
			p.Version, p.Month, m.doc.Of.Month, m.doc.Of.Panel, m.doc.Of.Market, rollcall.ErrInvalid)
	}
	return m.check()
}

// checked is a shelf whose objects are held against their names.
type checked struct{ Shelf }

// Object gives an object, or rollcall.ErrInvalid where its bytes are not those
// of its name.
func (c checked) Object(ctx context.Context, of rollcall.Hash) ([]byte, error) {
	body, err := c.Shelf.Object(ctx, of)
	if err != nil {
		return nil, err
	}
	if rollcall.HashOf(body) != of {
		return nil, fmt.Errorf("object %s has other bytes: %w", of, rollcall.ErrInvalid)
	}
	return body, nil
}
