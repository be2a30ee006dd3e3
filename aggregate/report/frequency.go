package report

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// frequency lists, for each service and each band of days, who used it on so
// many days, and on the band's first or more.
func frequency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "days", "unique_audience", "share", "k_plus")
	v := j.view
	bands, err := bandsOf(j.request.Bands, v.DaysThatWere())
	if err != nil {
		return nil, err
	}
	for _, s := range j.rows() {
		users, byDays := v.People(audience.SetOf(s)), termsByDays(v, s)
		more := slices.Clone(byDays) // on so many days or more
		for k := len(more) - 2; k >= 0; k-- {
			more[k] = v.Weights.Plus(more[k+1], more[k])
		}
		for _, b := range bands {
			within := sum(v, byDays[b.from-1:min(b.to, len(byDays))])
			t.Rows = append(t.Rows, rollcall.Row{v.ID(s), b.String(), v.Persons(within), v.Percent(within, users), v.Persons(more[b.from-1])})
		}
	}
	return t, nil
}

// termsByDays gives a service's users by their number of days, less 1.
func termsByDays(v *audience.View, s int) []*panel.Term {
	u := v.Use(audience.SetOf(s))
	at := make([][]int32, v.Days())
	for i, person := range u.At {
		k := u.DayCount(i) - 1
		at[k] = append(at[k], person)
	}
	out := make([]*panel.Term, len(at))
	for k := range at {
		out[k] = v.Term(at[k])
	}
	return out
}

// sum adds persons who have nobody in common; there are some terms.
func sum(v *audience.View, terms []*panel.Term) (out *panel.Term) {
	for _, t := range terms {
		out = plus(v, out, t)
	}
	return out
}

// plus adds persons who have nobody in common with those so far.
func plus(v *audience.View, sofar, more *panel.Term) *panel.Term {
	if sofar == nil {
		return more
	}
	return v.Weights.Plus(sofar, more)
}
