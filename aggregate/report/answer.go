package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/coherence"
)

// maker makes a report's table.
type maker func(ctx context.Context, j *job) (*rollcall.Table, error)

// answer makes the table of the job's place, or finds it made.
func (j *job) answer(ctx context.Context, answer maker) (*rollcall.Table, error) {
	if err := j.look(ctx); err != nil {
		return nil, err
	}
	if j.request.Live {
		return j.run(ctx, answer)
	}
	return j.reporter.tables.Get(ctx, j.key(), func() (*rollcall.Table, int64, error) {
		t, err := j.run(ctx, answer)
		return t, 1, err
	})
}

// run makes the table, once its figures have passed the rules.
func (j *job) run(ctx context.Context, answer maker) (*rollcall.Table, error) {
	var t *rollcall.Table
	var broken, err error
	check := func() {
		if j.request.Report != "consistency" { // which lists what is broken
			broken = coherence.CheckView(j.view)
		}
	}
	together(check, func() { t, err = answer(ctx, j) })
	if err := cmp.Or(broken, err); err != nil {
		return nil, err
	}
	markCalibrated(j, t)
	t.Meta.Notes = append(t.Meta.Notes, j.missing()...)
	if err := j.tellPooling(ctx, t); err != nil {
		return nil, err
	}
	seal(t)
	return t, nil
}

// markCalibrated gives the table of a calibrated month a column that tells which
// rows are of services that are, and leaves a mean of months that are not
// calibrated alike without figures.
func markCalibrated(j *job, t *rollcall.Table) {
	if len(t.Meta.Calibrated) == 0 || j.request.Report == "trend" { // whose months have it each for itself
		return
	}
	if at := slices.IndexFunc(t.Columns, func(c rollcall.Column) bool { return c.Name == "service" }); at >= 0 {
		t.Columns = append(t.Columns, columnsOf("calibrated")...)
		for i, row := range t.Rows {
			t.Rows[i] = append(row, calibrated(j.view, fmt.Sprint(row[at]), levelOf(t, row)))
		}
	}
	for _, m := range j.view.Months {
		if j.view.Pooled() && !audience.CalibratedAlike(m, j.month) {
			j.unlike = append(j.unlike, fmt.Sprintf("%s can't be put together with %s: %s%[2]s is. No figure of the mean is defined.", m.Doc.Of.Month, j.month.Doc.Of.Month, notCalibratedAs))
			undefine(t)
		}
	}
}

// levelOf gives the level of a ranking's row, or of any service; "": it is a
// service's.
func levelOf(t *rollcall.Table, row rollcall.Row) string {
	for i, c := range t.Columns {
		switch {
		case c.Name == "level":
			return fmt.Sprint(row[i])
		case c.Name == "service" && row[i] == string(rollcall.AnyService):
			return "any"
		}
	}
	return ""
}

// calibrated tells of a row whether the services that it is of are calibrated; nil:
// some of those that it unites.
func calibrated(v *audience.View, name, level string) any {
	month := v.Last()
	group := func(g audience.Group) bool { return g.Name == name && g.Level == level }
	unions := append([]audience.Group{v.All()}, v.Groups()...)
	at := slices.IndexFunc(unions, group)
	if at < 0 {
		return month.Calibrated(rollcall.ServiceID(name))
	}
	n, of := 0, unions[at].Services
	for s := range of.Each {
		if month.Calibrated(v.Catalogue()[s].ID) {
			n++
		}
	}
	if n > 0 && n < of.Len() {
		return nil
	}
	return n > 0
}

// undefine takes every figure out of a table.
func undefine(t *rollcall.Table) {
	for _, row := range t.Rows {
		for i, cell := range row {
			if _, ok := cell.(rollcall.Measure); ok {
				row[i] = audience.Undefined()
			} else if strings.HasPrefix(t.Columns[i].Name, "rank") || strings.HasPrefix(t.Columns[i].Name, "tie") {
				row[i] = nil
			}
		}
	}
	if u := t.Meta.Universe; u != nil {
		u.Active = audience.Undefined()
	}
}

// tellPooling says, in the notes and for a machine, that the mean of several
// months may have what the table withholds of its month.
func (j *job) tellPooling(ctx context.Context, t *rollcall.Table) error {
	if j.request.Pool > 0 || !pools(j.request.Report) || j.view.Sample != j.month.Whole || !withholds(t) {
		return nil
	}
	most, err := j.poolable(ctx)
	if err != nil || most < 2 {
		return err
	}
	note := "What is withheld here may be enough for the mean of several months: ask for it with pool, 2 months."
	if most > 2 {
		note = fmt.Sprintf("What is withheld here may be enough for the mean of several months: ask for it with pool, 2 to %d months.", most)
	}
	t.Meta.Notes = append(t.Meta.Notes, note)
	t.Meta.Method += fmt.Sprintf("; below_pool=2-%d", most)
	return nil
}

// table begins the report's table.
func (j *job) table(columns ...string) *rollcall.Table {
	return &rollcall.Table{Meta: j.meta(), Columns: columnsOf(columns...), Rows: []rollcall.Row{}}
}

// withholds reports whether a figure of the table has too few persons.
func withholds(t *rollcall.Table) bool {
	for _, row := range t.Rows {
		for _, cell := range row {
			if m, ok := cell.(rollcall.Measure); ok && m.Status == rollcall.Below {
				return true
			}
		}
	}
	return false
}

// seal takes the numbers out of every withheld measure, so that no export can
// show them.
func seal(t *rollcall.Table) {
	for _, row := range t.Rows {
		for i, cell := range row {
			if m, ok := cell.(rollcall.Measure); ok && m.Status.Withheld() {
				row[i] = audience.Withheld(m.Status)
			}
		}
	}
	if u := t.Meta.Universe; u != nil && u.Active.Status.Withheld() {
		u.Active = audience.Withheld(u.Active.Status)
	}
}

// together does two things at once, and returns when both are done. A panic of
// the first goes on in the caller, as it would have without.
func together(aside, here func()) {
	var wait sync.WaitGroup
	var fault any
	wait.Go(func() {
		defer func() { fault = recover() }()
		aside()
	})
	defer func() {
		wait.Wait()
		if fault != nil {
			panic(fault)
		}
	}()
	here()
}
