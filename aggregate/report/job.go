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
	"rollcall/aggregate/publish"
)

// Reporter answers for closed months. Its fields are set once, before its first
// use; then it is safe for concurrent use.
type Reporter struct {
	Months   *publish.Publisher                                     // that were published
	Targets  func(ctx context.Context, name string) (string, error) // a saved target's text; nil: none is saved
	Software string                                                 // the version printed on reports

	once   sync.Once // guards the limit of what follows
	tables audience.Cache[tableKey, *rollcall.Table]
}

const mostTables = 256

func (r *Reporter) start() { r.once.Do(func() { r.tables.Limit = mostTables }) }

// tableKey names a finished table.
type tableKey struct {
	document rollcall.Hash
	version  int
	report   string
	services string
	from, to rollcall.Day
	view     audience.ViewKey
	target   string
	pool     int
	bands    string
	compare  rollcall.Month
	settings audience.Settings // that a trend judges its earlier months by
	before   rollcall.Month    // which has aged out
}

// maker makes a report's table.
type maker func(ctx context.Context, j *job) (*rollcall.Table, error)

// makers gives the reports in the order that they are listed.
func makers() []struct {
	name string
	make maker
} {
	return []struct {
		name string
		make maker
	}{
		{"ranking", ranking},
		{"trend", trend},
		{"duplication", duplication},
		{"combinations", combinations},
		{"incremental", incremental},
		{"profile", profile},
		{"frequency", frequency},
		{"curve", curve},
		{"loyalty", loyalty},
		{"quality", quality},
		{"consistency", consistency},
	}
}

// Reports gives the names of the reports.
func Reports() []string {
	var out []string
	for _, r := range makers() {
		out = append(out, r.name)
	}
	return out
}

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

// Report answers a question. The table is shared: it must not be changed. It
// fails with an Invalid for a bad parameter, and wraps rollcall.ErrNotClosed,
// rollcall.ErrNotFound or rollcall.ErrAgedOut where there is nothing to answer
// from.
func (r *Reporter) Report(ctx context.Context, q rollcall.Query) (*rollcall.Table, error) {
	r.start()
	answer, err := fill(&q)
	if err != nil {
		return nil, err
	}
	j := &job{reporter: r, request: q}
	if err := j.open(ctx); err != nil {
		return nil, err
	}
	if q.Place == rollcall.EveryPlace {
		return everywhere(ctx, j, answer)
	}
	return j.answer(ctx, answer)
}

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

// fill puts defaults in and checks what needs no facts.
func fill(r *rollcall.Query) (maker, error) {
	var err error
	if r.Place, err = placeOf(r); err != nil {
		return nil, err
	}
	if r.Credit, err = rollcall.ParseCredit(string(r.Credit)); err != nil {
		return nil, err
	}
	if err := fillPeriod(r); err != nil {
		return nil, err
	}
	if err := cmp.Or(fillBands(r), checkCompare(r)); err != nil {
		return nil, err
	}
	if r.Version < 0 {
		return nil, &rollcall.Invalid{Field: "version", Value: fmt.Sprint(r.Version), Reason: "is not a version: they count from 1", Code: "version"}
	}
	for _, m := range makers() {
		if m.name == r.Report {
			return m.make, nil
		}
	}
	return nil, &rollcall.Invalid{Field: "report", Value: r.Report, Reason: "is not one of " + strings.Join(Reports(), ", "), Code: "report"}
}

// placeOf reads the place; every place at once is for a ranking.
func placeOf(r *rollcall.Query) (rollcall.Place, error) {
	if r.Place != rollcall.EveryPlace {
		return rollcall.ParsePlace(string(r.Place))
	}
	if r.Report != "ranking" {
		return "", &rollcall.Invalid{Field: "location", Value: string(r.Place), Reason: "is not for " + r.Report + ", but for ranking", Code: "location"}
	}
	return r.Place, nil
}

// fillBands refuses bands of days where a report has none.
func fillBands(r *rollcall.Query) error {
	if r.Bands != "" && r.Report != "frequency" {
		return badBands(r.Bands, "is not for "+r.Report+", but for frequency")
	}
	if r.Bands == singleDays {
		return nil
	}
	_, err := bandsOf(r.Bands, endless-1)
	return err
}

// fillPeriod makes the period whole. Its last day's month is the one that the
// report is of; another month may be named only if the period touches it and no
// version of it is.
func fillPeriod(r *rollcall.Query) error {
	named := r.Of.Month
	switch {
	case r.To != 0:
		r.Of.Month = r.To.Month()
	case named == 0 && r.From != 0:
		r.Of.Month = r.From.Month()
	}
	if r.Of.Month == 0 {
		return &rollcall.Invalid{Field: "month", Reason: "is missing", Code: "month"}
	}
	if err := fillPool(r); err != nil {
		return err
	}
	fillDays(r)
	if r.From > r.To {
		return &rollcall.Invalid{Field: "from", Value: r.From.String(), Reason: "is after " + r.To.String(), Code: "from"}
	}
	if named != 0 && named != r.Of.Month && (r.Version != 0 || named < r.From.Month() || named > r.Of.Month) {
		return &rollcall.Invalid{Field: "month", Value: named.String(), Reason: fmt.Sprintf("is not the last of %s to %s", r.From, r.To), Code: "month"}
	}
	return nil
}

// pooled lists the reports that can be of the mean of months. The others go day
// by day, or have months of their own.
func pooled() []string {
	return []string{"ranking", "duplication", "combinations", "incremental", "consistency"}
}

// fillPool puts in the days of a mean of months.
func fillPool(r *rollcall.Query) error {
	if r.Pool == 0 {
		return nil
	}
	refuse := func(reason string) error {
		return &rollcall.Invalid{Field: "pool", Value: fmt.Sprint(r.Pool), Reason: reason, Code: "pool"}
	}
	switch {
	case r.Pool < 2 || r.Pool > audience.History:
		return refuse(fmt.Sprintf("is not 2 to %d months", audience.History))
	case r.From != 0 || r.To != 0:
		return refuse("goes with a month, not with days")
	case !slices.Contains(pooled(), r.Report):
		return refuse("is not for " + r.Report + ", but for " + strings.Join(pooled(), ", "))
	}
	r.From, r.To = (r.Of.Month - rollcall.Month(r.Pool-1)).First(), r.Of.Month.Last()
	return nil
}

// fillDays puts in the days that are not given; a trend is of whole months.
func fillDays(r *rollcall.Query) {
	if r.From == 0 {
		r.From = r.Of.Month.First()
		if r.Report == "trend" {
			r.From = (r.Of.Month - audience.History).First()
		}
	}
	if r.To == 0 {
		r.To = r.Of.Month.Last()
	}
	if r.Report == "trend" {
		r.From, r.To = r.From.Month().First(), r.To.Month().Last()
	}
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
		return nil, &rollcall.Invalid{Field: "from", Value: first.String(), Reason: fmt.Sprintf("is more than %d months before %s", audience.History, m.Doc.Of.Month), Code: "from"}
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

// run makes the table, once its figures have passed the rules.
func (j *job) run(ctx context.Context, answer maker) (*rollcall.Table, error) {
	var t *rollcall.Table
	var broken, err error
	check := func() {
		if j.request.Report != "consistency" { // which lists what is broken
			broken = coherent(j.view)
		}
	}
	together(check, func() { t, err = answer(ctx, j) })
	if err := cmp.Or(broken, err); err != nil {
		return nil, err
	}
	t.Meta.Notes = append(t.Meta.Notes, j.missing()...)
	if j.mayPool() && withholds(t) {
		t.Meta.Notes = append(t.Meta.Notes, "What is below here may be enough for the mean of several months: ask for it with pool, 2 to 12 months.")
	}
	seal(t)
	return t, nil
}

// table begins the report's table.
func (j *job) table(columns ...string) *rollcall.Table {
	return &rollcall.Table{Meta: j.meta(), Columns: columnsOf(columns...), Rows: []rollcall.Row{}}
}

// rows gives the services that the report has a row for: those asked for, or
// all that are listed.
func (j *job) rows() []int {
	if j.services != nil {
		return j.services
	}
	return j.view.Listed()
}

// mayPool reports whether the report could be of a mean of months, and is not.
func (j *job) mayPool() bool {
	return j.request.Pool == 0 && slices.Contains(pooled(), j.request.Report) && j.month.Doc.Pinned(j.month.Doc.Of.Month-1) != nil
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
