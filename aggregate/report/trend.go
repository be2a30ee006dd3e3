package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
)

// trend lists the services month by month: the rankings of the months that the
// version pins, up to its own; or of each of them the mean of the months up to it.
// Each row says which version of its month that is: a later one may be there today.
func trend(ctx context.Context, j *job) (*rollcall.Table, error) {
	t := j.table(append([]string{"month", "service", "version"}, trendColumns()...)...)
	var calibrated []any      // of each row
	var alone, short []string // months that had none before them to compare with, or too few for the mean
	for at := j.request.From.Month(); at <= j.month.Doc.Of.Month; at++ {
		r, err := j.monthly(ctx, at)
		if err != nil {
			return nil, err
		}
		switch {
		case r == nil:
			if j.month.Doc.Pinned(at) != nil {
				short = append(short, at.String())
			}
			continue
		case r.Meta.Compared == nil && len(ofCalibration(r.Meta.Notes)) == 0:
			alone = append(alone, at.String())
		}
		rows := trendRows(at, r, func(service string) bool { return wanted(j, service) })
		for _, row := range rows {
			calibrated = append(calibrated, calibratedIn(r, row[1]))
		}
		t.Rows = append(t.Rows, rows...)
		t.Meta.Calibrated = addCalibrated(t.Meta.Calibrated, r.Meta.Calibrated)
		j.unlike = append(j.unlike, ofCalibration(r.Meta.Notes)...)
	}
	if len(t.Meta.Calibrated) > 0 {
		t.Columns = append(t.Columns, columnsOf("calibrated")...)
		for i := range t.Rows {
			t.Rows[i] = append(t.Rows[i], calibrated[i])
		}
	}
	begin(j, t)
	if j.request.Pool > 0 {
		if len(t.Rows) == 0 {
			return t, refuseMean(ctx, j)
		}
		j.unlike = append(j.unlike, pooledTrend(j.request.Pool, short)...)
	} else if len(alone) > 0 {
		j.unlike = append(j.unlike, fmt.Sprintf("Changes of %s are undefined: no version of the month before was there to compare with.", strings.Join(alone, ", ")))
	}
	return t, nil
}

// calibratedIn gives what a month's ranking says of a row's calibration.
func calibratedIn(r *rollcall.Table, service any) any {
	for i := range r.Rows {
		if len(r.Meta.Calibrated) > 0 && r.Cell(i, "service") == service && r.Cell(i, "level") != "brand" && r.Cell(i, "level") != "owner" {
			return r.Cell(i, "calibrated")
		}
	}
	return false
}

// addCalibrated adds what another month is calibrated to.
func addCalibrated(list, more []rollcall.Calibrated) []rollcall.Calibrated {
	for _, c := range more {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// ofCalibration are the notes of changes that are undefined since the months are
// not calibrated alike.
func ofCalibration(all []string) (notes []string) {
	for _, note := range all {
		if strings.Contains(note, notCalibratedAs) {
			notes = append(notes, note)
		}
	}
	return notes
}

// begin puts the beginning of a trend's period at the first month that has rows:
// there are no figures before it.
func begin(j *job, t *rollcall.Table) {
	if len(t.Rows) == 0 {
		return
	}
	first, err := rollcall.ParseMonth(t.Rows[0][0].(string))
	if err != nil {
		return
	}
	one := *j
	one.request.From = first.First()
	m := one.meta()
	t.Meta.Month, t.Meta.From, t.Meta.To, t.Meta.Method = m.Month, m.From, m.To, m.Method
}

// refuseMean says why the mean of the months up to the trend's last can't be: what
// any other report says of it.
func refuseMean(ctx context.Context, j *job) error {
	one := *j
	one.request.Report, one.request.From = "ranking", (j.month.Doc.Of.Month - rollcall.Month(j.request.Pool-1)).First()
	_, err := one.sample(ctx)
	return err
}

func trendColumns() []string {
	return []string{"unique_audience", "reach", "coverage", "sessions_per_person", "minutes_per_person", "change", "change_percent", "rank"}
}

// pooledTrend are the notes of a trend of means.
func pooledTrend(months int, short []string) []string {
	notes := []string{fmt.Sprintf("Each month's figures are the mean of the %d months up to it, each with its own weights. Changes are not pooled.", months)}
	if len(short) > 0 {
		notes = append(notes, fmt.Sprintf("Left out, as not all months of their mean are there or can be put together: %s.", strings.Join(short, ", ")))
	}
	return notes
}

// trendRows gives the trend's rows of a month's ranking, of the services wanted.
func trendRows(at rollcall.Month, r *rollcall.Table, wanted func(service string) bool) (rows []rollcall.Row) {
	var version any // null where the month is computed live
	if v := r.Meta.Version; v > 0 {
		version = v
	}
	for i := range r.Rows {
		service, level := r.Cell(i, "service").(string), r.Cell(i, "level")
		if level != "service" && level != "any" || !wanted(service) {
			continue
		}
		row := rollcall.Row{at.String(), service, version}
		for _, name := range trendColumns() {
			row = append(row, r.Cell(i, name))
		}
		rows = append(rows, row)
	}
	return rows
}

// wanted reports whether a service has a row.
func wanted(j *job, service string) bool {
	return j.services == nil || slices.ContainsFunc(j.services, func(i int) bool { return j.view.ID(i) == service })
}

// monthly gives a month's ranking as the version pins it, or that of the mean of
// the months up to it; nil where it doesn't, or where one of the months has aged
// out or can't be compared.
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
	if j.request.Pool > 0 {
		return j.monthlyMean(ctx, &one)
	}
	if at == j.request.From.Month() && one.misses(at-1) { // its change needs the month before
		j.missed = append(j.missed, one.missed...)
	}
	one.missed = nil
	one.view = alike(j, one.month.Whole)
	key := one.key()
	key.report = "ranking of a trend"
	return j.reporter.tables.Get(ctx, key, func() (*rollcall.Table, int64, error) {
		t, err := one.run(ctx, rankedBriefly)
		return t, 1, err
	})
}

// monthlyMean gives the ranking of the mean of the months up to one's, as the
// job's version pins them; nil where one of them is not pinned, has aged out, or
// can't be put together with the job's own.
func (j *job) monthlyMean(ctx context.Context, one *job) (*rollcall.Table, error) {
	last := one.month.Doc.Of.Month
	first := last - rollcall.Month(j.request.Pool-1)
	var months []*audience.Month
	for at := first; at < last; at++ {
		m, err := j.pinned(ctx, at)
		if m == nil || err != nil {
			return nil, err
		}
		months = append(months, m)
	}
	months = append(months, one.month)
	if slices.ContainsFunc(months, j.differs) || slices.ContainsFunc(months, func(m *audience.Month) bool { return weighedApart(one, m) }) {
		return nil, nil
	}
	one.request.From = first.First()
	one.view = alike(j, one.month.Whole)
	key := one.key()
	key.report, key.document = "ranking of a trend", j.month.Hash // which says what the months are
	return j.reporter.tables.Get(ctx, key, func() (*rollcall.Table, int64, error) {
		people, err := audience.Pool(months)
		if err != nil {
			return nil, 0, err
		}
		one.view = alike(j, people)
		t, err := one.run(ctx, rankedBriefly)
		return t, 1, err
	})
}
