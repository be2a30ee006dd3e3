package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
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
	seen := j.target
	if j.request.Report == "profile" {
		seen = nil // the target is what the rows are about, not who they are of
	}
	j.view = s.View(j.request.Credit, j.request.Place, seen)
	return nil
}

// sample gives the people of the request's period. The months before the last
// are those that its version pins.
func (j *job) sample(ctx context.Context) (*audience.Sample, error) {
	from, to := j.request.From, j.request.To
	m := j.month
	if j.request.Pool > 0 {
		return m.Pool(ctx, from, func() ([]*audience.Month, error) { return j.pool(ctx, from.Month()) })
	}
	if from == m.Doc.Of.Month.First() && to == m.Doc.Of.Month.Last() || j.spansItself() {
		return m.Whole, nil
	}
	return m.Over(ctx, from, to, func() ([]*audience.Month, error) { return j.monthsUpTo(ctx, from.Month()) })
}

// pool loads the months of a mean, each of which must know the target.
func (j *job) pool(ctx context.Context, first rollcall.Month) ([]*audience.Month, error) {
	months, err := j.monthsUpTo(ctx, first)
	if err != nil {
		return nil, err
	}
	for _, m := range months {
		if err := j.target.Check(m.Columns); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Doc.Of.Month, err)
		}
	}
	return months, nil
}

// spansItself reports whether the report takes its period as a list of months.
func (j *job) spansItself() bool { return j.request.Report == "trend" }

// monthsUpTo loads the months from first to the version's own, as it pins them.
func (j *job) monthsUpTo(ctx context.Context, first rollcall.Month) ([]*audience.Month, error) {
	m := j.month
	if m.Doc.Of.Month-first > audience.History {
		given := first.String()
		if !j.spansItself() && j.request.From.Month() == first {
			given = j.request.From.String()
		}
		return nil, &rollcall.Invalid{Field: "from", Value: given, Reason: fmt.Sprintf("is more than %d months before %s", audience.History, m.Doc.Of.Month), Code: "from"}
	}
	var out []*audience.Month
	for at := first; at < m.Doc.Of.Month; at++ {
		p := m.Doc.Pinned(at)
		if p == nil {
			return nil, fmt.Errorf("%s of panel %s in %s was %w when %s was", at, m.Doc.Of.Panel, m.Doc.Of.Market, rollcall.ErrNotClosed, m.Doc.Of.Month)
		}
		if err := j.ages.Check(rollcall.PanelMonth{Market: m.Doc.Of.Market, Panel: m.Doc.Of.Panel, Month: at}); err != nil {
			return nil, err
		}
		before, err := j.reporter.Months.Month(ctx, p.Document)
		if err != nil {
			return nil, err
		}
		out = append(out, before)
	}
	return append(out, m), nil
}

// pooled lists the reports that can be of the mean of months. The others go day
// by day, or have months of their own.
func pooled() []string {
	return []string{"ranking", "duplication", "combinations", "incremental", "consistency"}
}

// mayPool reports whether the report could be of a mean of months, and is not.
func (j *job) mayPool() bool {
	return j.request.Pool == 0 && slices.Contains(pooled(), j.request.Report) && j.month.Doc.Pinned(j.month.Doc.Of.Month-1) != nil
}

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
