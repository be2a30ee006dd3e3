// Package replicate gives a version's weights, those of samples drawn from its
// sample, and what its people did: enough for anyone to compute any figure and
// its standard error anew, with survey software that knows nothing of Rollcall.
// Nobody is named: persons, households and strata are numbered anew.
package replicate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
	"rollcall/aggregate/panel"
	"rollcall/aggregate/publish"
)

// MostReplicates is how many replicates can be asked for.
const MostReplicates = 2000

// Source answers from what was published. It is safe for concurrent use.
type Source struct{ Versions *publish.Versions }

// months loads those from first to a version's own, as it pins them.
func (s Source) months(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month) (rollcall.Publication, []*audience.Month, error) {
	p, err := s.Versions.Publication(ctx, of, version)
	if err != nil {
		return p, nil, err
	}
	if first == 0 {
		first = of.Month
	}
	if first > of.Month || of.Month-first > audience.History {
		return p, nil, &rollcall.Invalid{Field: "from", Value: first.String(), Reason: fmt.Sprintf("is not %s or one of the %d months before it", of.Month, audience.History), Code: "from"}
	}
	ages, err := s.Versions.Ages(ctx)
	if err != nil {
		return p, nil, err
	}
	if err := ages.Check(rollcall.PanelMonth{Market: of.Market, Panel: of.Panel, Month: first}); err != nil {
		return p, nil, err
	}
	own, err := s.Versions.Month(ctx, p.Document)
	if err != nil {
		return p, nil, err
	}
	var list []*audience.Month
	for at := first; at < of.Month; at++ {
		pinned := own.Doc.Pinned(at)
		if pinned == nil {
			return p, nil, fmt.Errorf("%s of panel %s in %s was %w when %s was", at, of.Panel, of.Market, rollcall.ErrNotClosed, of.Month)
		}
		m, err := s.Versions.Month(ctx, pinned.Document)
		if err != nil {
			return p, nil, err
		}
		list = append(list, m)
	}
	return p, append(list, own), nil
}

// Weights gives a row a panelist and month, with the demographic columns, the
// weights, and n replicates of them. They are a version's of its month, or of
// several up to it: then a person's household is in all of them or in none. Of a
// version and a seed they are always the same.
func (s Source) Weights(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month, n int, seed uint64) (*rollcall.Wide, error) {
	if n < 2 || n > MostReplicates {
		return nil, &rollcall.Invalid{Field: "n", Value: strconv.Itoa(n), Reason: fmt.Sprintf("is not 2 to %d replicates", MostReplicates), Code: "n"}
	}
	p, months, err := s.months(ctx, of, version, first)
	if err != nil {
		return nil, err
	}
	r, err := panel.Replicate(ctx, n, seed, weightsOf(months)...)
	if err != nil {
		return nil, fmt.Errorf("replicates of %s of panel %s in %s: %w", of.Month, of.Panel, of.Market, err)
	}
	t := &rollcall.Wide{Rows: r.Months.Len(), KeyValues: append(keyValues(p, months),
		rollcall.KeyValue{Name: "seed", Value: strconv.FormatUint(seed, 10)},
		rollcall.KeyValue{Name: "n", Value: strconv.Itoa(n)},
		rollcall.KeyValue{Name: "df", Value: strconv.Itoa(r.Freedom())},
		rollcall.KeyValue{Name: "redrawn", Value: strconv.Itoa(r.Redrawn)},
		rollcall.KeyValue{Name: "standard_error", Value: "the square root of the mean, over the replicates, of (figure by rw - figure by weight) squared"},
	)}
	t.Columns = append(people(months, r),
		rollcall.WideColumn{Name: "base_weight", Numbers: r.Base},
		rollcall.WideColumn{Name: "weight", Numbers: r.Final})
	for b := range n {
		t.Columns = append(t.Columns, rollcall.WideColumn{Name: fmt.Sprintf("rw%d", b+1), Numbers: func() []float64 { return r.Weights(b) }})
	}
	return t, nil
}

func weightsOf(months []*audience.Month) []*panel.Weights {
	out := make([]*panel.Weights, len(months))
	for i, m := range months {
		out[i] = m.Weights
	}
	return out
}

// keyValues say of which version a file is.
func keyValues(p rollcall.Publication, months []*audience.Month) []rollcall.KeyValue {
	last := months[len(months)-1]
	versions := make([]string, len(months))
	for i, m := range months[:len(months)-1] {
		versions[i] = fmt.Sprintf("%s v%d", m.Doc.Of.Month, last.Doc.Pinned(m.Doc.Of.Month).Version)
	}
	versions[len(months)-1] = fmt.Sprintf("%s v%d", p.Month, p.Version)
	return []rollcall.KeyValue{
		{Name: "market", Value: string(p.Market)}, {Name: "panel", Value: string(p.Panel)},
		{Name: "version", Value: strings.Join(versions, ", ")}, {Name: "status", Value: string(p.Status)},
		{Name: "simulated", Value: strconv.FormatBool(audience.Simulated(last.Margins))},
		{Name: "calibrated", Value: calibratedTo(months)},
	}
}

// calibratedTo says to which services' own census each month is calibrated, with
// the users that this makes and their standard error: in every replicate they are
// off by it. Empty: to none.
func calibratedTo(months []*audience.Month) string {
	var out []string
	for _, c := range calibrate.Meta(months) {
		out = append(out, fmt.Sprintf("%s %s: %.0f users, standard error %.0f", c.Month, c.Service, c.Persons, c.PersonsSE))
	}
	return strings.Join(out, "; ")
}

// people are the columns that say who a row is of.
func people(months []*audience.Month, r *panel.Replicates) []rollcall.WideColumn {
	place := func(pick func(row int) int64) func() []int64 {
		return func() []int64 {
			out := make([]int64, r.Months.Len())
			for i := range out {
				out[i] = pick(i)
			}
			return out
		}
	}
	columns := []rollcall.WideColumn{
		{Name: "month", Texts: func() []string {
			return each(months, func(m *audience.Month, _ int) string { return m.Doc.Of.Month.String() })
		}},
		{Name: "person", Counts: place(func(row int) int64 { p, _, _ := r.Place(row); return p })},
	}
	for _, name := range demographic(months) {
		columns = append(columns, rollcall.WideColumn{Name: name, Texts: func() []string {
			return each(months, func(m *audience.Month, i int) string {
				at := slices.Index(m.Roster.Columns, name)
				if at < 0 {
					return ""
				}
				return m.Roster.Panelists[i].Categories[at]
			})
		}})
	}
	return append(columns,
		rollcall.WideColumn{Name: "home", Counts: func() []int64 { return each(months, metered(rollcall.Home)) }},
		rollcall.WideColumn{Name: "work", Counts: func() []int64 { return each(months, metered(rollcall.Work)) }},
		rollcall.WideColumn{Name: "stratum", Counts: place(func(row int) int64 { _, _, s := r.Place(row); return s })},
		rollcall.WideColumn{Name: "household", Counts: place(func(row int) int64 { _, h, _ := r.Place(row); return h })})
}

// each gives a value for every panelist of every month, in the order of the rows.
func each[T any](months []*audience.Month, value func(m *audience.Month, i int) T) (out []T) {
	for _, m := range months {
		for i := range m.Roster.Panelists {
			out = append(out, value(m, i))
		}
	}
	return out
}

// demographic are the columns that any of the months' rosters has.
func demographic(months []*audience.Month) (names []string) {
	for _, m := range months {
		for _, name := range m.Roster.Columns {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// metered gives 1 for who has a meter at a place.
func metered(at rollcall.Location) func(m *audience.Month, i int) int64 {
	return func(m *audience.Month, i int) int64 {
		if m.Roster.Panelists[i].Metered.Has(at) {
			return 1
		}
		return 0
	}
}
