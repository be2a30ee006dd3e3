package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/publish"
)

// job is a question on its way to a table.
type job struct {
	reporter *Reporter
	request  rollcall.Query
	version  rollcall.Publication // Version 0: live
	month    *audience.Month
	target   *audience.Target
	view     *audience.View
	services []int // asked for, by position in the catalogue; nil: all
	ages     rollcall.Ageings
	missed   []string // months that the report needs and that have aged out
	unlike   []string // which it needs and can't compare with, in a sentence each
}

// open finds the version and loads its month.
func (j *job) open(ctx context.Context) (err error) {
	if j.ages, err = j.reporter.Months.Ages(ctx); err != nil {
		return err
	}
	if err := j.ages.Check(j.request.Of); err != nil {
		return err
	}
	if j.request.Live {
		j.month, err = j.reporter.Months.Live(ctx, j.request.Of)
		return err
	}
	if j.version, err = j.reporter.Months.Publication(ctx, j.request.Of, j.request.Version); err != nil {
		return err
	}
	j.month, err = j.reporter.Months.Month(ctx, j.version.Document)
	return err
}

// look makes the view that the report is of.
func (j *job) look(ctx context.Context) error {
	var saved func(name string) (string, error)
	if targets := j.reporter.Targets; targets != nil {
		saved = func(name string) (string, error) { return targets(ctx, name) }
	}
	var err error
	if j.target, err = audience.ParseTarget(j.request.Target, saved); err != nil {
		return err
	}
	if err := j.target.Check(j.month.Columns); err != nil {
		return err
	}
	for _, id := range j.request.Services {
		i := j.month.Service(id)
		if i < 0 || id == rollcall.Online {
			return &rollcall.Unknown{Kind: "service", Name: string(id), Where: "in " + j.request.Of.Month.String(), Near: rollcall.Nearest(string(id), j.month.ServiceIDs())}
		}
		if !slices.Contains(j.services, i) {
			j.services = append(j.services, i)
		}
	}
	s, err := j.sample(ctx)
	if err != nil {
		return err
	}
	if s.DaysThatWere() == 0 {
		return &rollcall.Invalid{Field: "from", Value: s.From.String(), Reason: "was no day in " + j.month.Doc.Market.Zone, Code: "from"}
	}
	seen := j.target
	if j.request.Report == "profile" {
		seen = nil // the target is what the rows are about, not who they are of
	}
	j.view = s.View(j.request.Credit, j.request.Place, seen)
	if level := j.request.Confidence; level != 0 {
		by := j.view.Settings
		by.Confidence = level
		j.view = j.view.Judged(by)
	}
	return nil
}

// sample gives the people of the request's period. The months before the last
// are those that its version pins.
func (j *job) sample(ctx context.Context) (*audience.Sample, error) {
	from, to := j.request.From, j.request.To
	m := j.month
	if from == m.Doc.Of.Month.First() && to == m.Doc.Of.Month.Last() || j.request.Report == "trend" { // which takes its period as a list of months
		return m.Whole, nil
	}
	if err := j.checkPinned(ctx, from.Month()); err != nil {
		return nil, err
	}
	months := func() ([]*audience.Month, error) { return j.monthsUpTo(ctx, from.Month()) }
	if j.request.Pool == 0 {
		return m.Over(ctx, from, to, months)
	}
	s, err := m.Pool(ctx, from, months)
	if err != nil {
		return nil, err
	}
	for _, one := range s.Months { // each of which must know the target
		if err := j.target.Check(one.Columns); err != nil {
			return nil, fmt.Errorf("%s: %w", one.Doc.Of.Month, err)
		}
	}
	return s, nil
}

// checkPinned refuses months, from first to the one before the version's own, of
// which one is not pinned, or was withdrawn since, or has aged out. It names the
// month, and says why.
func (j *job) checkPinned(ctx context.Context, first rollcall.Month) error {
	of := j.month.Doc.Of
	if first == of.Month {
		return nil
	}
	if of.Month-first > audience.History {
		given := first.String()
		if j.request.Report != "trend" && j.request.From.Month() == first {
			given = j.request.From.String() // as it was asked for, but for a trend, whose months it is
		}
		return &rollcall.Invalid{Field: "from", Value: given, Reason: fmt.Sprintf("is more than %d months before %s", audience.History, of.Month), Code: "from"}
	}
	list, err := j.reporter.Months.Publications(ctx, of.Market, of.Panel)
	if err != nil {
		return err
	}
	for at := first; at < of.Month; at++ {
		month := slices.DeleteFunc(slices.Clone(list), func(p rollcall.Publication) bool { return p.Month != at })
		pinned := j.month.Doc.Pinned(at)
		if pinned == nil {
			return unpinned(j.month.Doc, j.version.Version, at, month)
		}
		for _, p := range month {
			if err := publish.CheckWithdrawn(p); p.Version == pinned.Version && err != nil {
				return err
			}
		}
		if err := j.ages.Check(rollcall.PanelMonth{Market: of.Market, Panel: of.Panel, Month: at}); err != nil {
			return err
		}
	}
	return nil
}

// unpinned says why a version (0: computed live) pins nothing of an earlier
// month, whose versions of today are given.
func unpinned(d *audience.Document, version int, at rollcall.Month, today []rollcall.Publication) error {
	this, why := d.Of.Month.String(), ", nor is it now"
	if version > 0 {
		this = fmt.Sprintf("version %d of %s", version, d.Of.Month)
	}
	for _, p := range slices.Backward(today) {
		switch {
		case !p.Withdrawn.IsZero():
			return publish.CheckWithdrawn(p)
		case !p.Internal || d.Internal():
			why = fmt.Sprintf("; close %s again", d.Of.Month)
		default:
			why = fmt.Sprintf(": version %d of it is internal", p.Version)
			continue
		}
		break
	}
	return fmt.Errorf("%s of panel %s in %s was %w when %s was%s", at, d.Of.Panel, d.Of.Market, rollcall.ErrNotClosed, this, why)
}

// monthsUpTo loads the months from first to the version's own, as it pins them;
// checkPinned has found them all.
func (j *job) monthsUpTo(ctx context.Context, first rollcall.Month) ([]*audience.Month, error) {
	var out []*audience.Month
	for at := first; at < j.month.Doc.Of.Month; at++ {
		before, err := j.reporter.Months.Month(ctx, j.month.Doc.Pinned(at).Document)
		if err != nil {
			return nil, err
		}
		out = append(out, before)
	}
	return append(out, j.month), nil
}

// poolable gives how many months, up to the version's own, can be pooled; 1 where
// there is none before it, or that is calibrated otherwise.
func (j *job) poolable(ctx context.Context) (int, error) {
	all := []rollcall.Publication{{PanelMonth: j.month.Doc.Of, Document: j.month.Hash}}
	for len(all) < audience.History {
		at := j.month.Doc.Of.Month - rollcall.Month(len(all))
		pinned := j.month.Doc.Pinned(at)
		if pinned == nil || !j.ages.Since(at).IsZero() {
			break
		}
		all = append(all, rollcall.Publication{PanelMonth: rollcall.PanelMonth{Month: at}, Document: pinned.Document})
	}
	err := j.reporter.Months.Calibrations(ctx, all)
	for n, p := range all {
		if !slices.Equal(p.Calibration.To(), all[0].Calibration.To()) {
			return n, err
		}
	}
	return len(all), err
}

// pools reports whether a report can be of a mean of months. The quality of
// weights is of one month's weights, and they are all it is of.
func pools(report string) bool { return report != "quality" }

func (j *job) key() tableKey {
	var services strings.Builder
	for _, i := range j.services {
		fmt.Fprintf(&services, "%d,", i)
	}
	return tableKey{
		document: j.month.Hash, version: j.version.Version, report: j.request.Report, services: services.String(),
		from: j.request.From, to: j.request.To, view: j.view.ViewKey, target: j.target.String(), pool: j.request.Pool, bands: j.request.Bands,
		compare: comparedWith(&j.request), settings: j.view.Settings,
		before: j.ages.Before(),
	}
}

// rows gives the services that the report has a row for: those asked for, or
// all that are listed.
func (j *job) rows() []int {
	if j.services != nil {
		return j.services
	}
	return j.view.Listed()
}

// Months to compare with, by name.
const (
	previousMonth = "previous"
	lastYear      = "year"
)

// comparedWith is the month that changes are from.
func comparedWith(q *rollcall.Query) rollcall.Month {
	switch q.Compare {
	case "", previousMonth:
		return q.Of.Month - 1
	case lastYear:
		return q.Of.Month - 12
	}
	m, _ := rollcall.ParseMonth(q.Compare) // which checkCompare has read
	return m
}
