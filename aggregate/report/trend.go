package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
)

// trend lists the services month by month: the rankings of the months that the
// version pins, up to its own.
func trend(ctx context.Context, j *job) (*rollcall.Table, error) {
	columns := []string{"unique_audience", "reach", "coverage", "sessions_per_person", "minutes_per_person", "change", "change_percent", "rank"}
	t := j.table(append([]string{"month", "service"}, columns...)...)
	var alone []string // months that had none before them to compare with
	for at := j.request.From.Month(); at <= j.month.Doc.Of.Month; at++ {
		r, err := j.monthly(ctx, at)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		if r.Meta.Compared == nil {
			alone = append(alone, at.String())
		}
		for i := range r.Rows {
			service, level := r.Cell(i, "service").(string), r.Cell(i, "level")
			if level != "service" && level != "any" || !wanted(j, service) {
				continue
			}
			row := rollcall.Row{at.String(), service}
			for _, name := range columns {
				row = append(row, r.Cell(i, name))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	if len(alone) > 0 {
		j.unlike = append(j.unlike, fmt.Sprintf("No version of the month before was there to compare with when these were made, and so their changes are undefined: %s.", strings.Join(alone, ", ")))
	}
	return t, nil
}

// wanted reports whether a service has a row.
func wanted(j *job, service string) bool {
	return j.services == nil || slices.ContainsFunc(j.services, func(i int) bool { return j.view.ID(i) == service })
}

// monthly gives a month's ranking as the version pins it; nil where it doesn't,
// or where the month has aged out or can't be compared.
func (j *job) monthly(ctx context.Context, at rollcall.Month) (*rollcall.Table, error) {
	one := *j
	one.services, one.missed, one.unlike = nil, nil, nil
	one.request.Report, one.request.Of.Month, one.request.From, one.request.To = "ranking", at, at.First(), at.Last()
	if at < j.month.Doc.Of.Month {
		m, err := j.pinned(ctx, at)
		if m == nil || err != nil || j.blind(m) {
			return nil, err
		}
		p := j.month.Doc.Pinned(at)
		one.month, one.version = m, rollcall.Publication{PanelMonth: m.Doc.Of, Version: p.Version, Document: p.Document}
	}
	if at == j.request.From.Month() && one.misses(at-1) { // its change needs the month before
		j.missed = append(j.missed, one.missed...)
	}
	one.missed = nil
	one.view = one.month.Whole.View(j.view.Credit, j.view.Place, j.target).Judged(j.view.Settings)
	key := one.key()
	key.report = "ranking of a trend"
	out, err := j.reporter.tables.Get(ctx, key, func() (*rollcall.Table, int64, error) {
		t, err := one.run(ctx, rankedBriefly)
		return t, 1, err
	})
	return out, err
}
