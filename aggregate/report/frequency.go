package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// frequency lists, for each service and each number of days from 1 to the
// period's length, who used it on exactly that many days, and on as many or more.
func frequency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "days", "unique_audience", "share", "k_plus")
	v := j.view
	for _, s := range j.rows() {
		users, byDays := v.People(audience.SetOf(s)), usersByDays(v, s)
		var more *panel.Term
		rows := make([]rollcall.Row, len(byDays))
		for k := len(byDays) - 1; k >= 0; k-- {
			exactly := v.Term(byDays[k])
			more = plus(v, more, exactly)
			rows[k] = rollcall.Row{v.ID(s), k + 1, v.Persons(exactly), v.Percent(exactly, users), v.Persons(more)}
		}
		t.Rows = append(t.Rows, rows...)
	}
	return t, nil
}

// byDays gives a service's users by their number of days, less 1.
func usersByDays(v *audience.View, s int) [][]int32 {
	u := v.Use(audience.SetOf(s))
	out := make([][]int32, v.Days())
	for i, person := range u.At {
		k := u.DayCount(i) - 1
		out[k] = append(out[k], person)
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
