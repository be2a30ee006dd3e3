package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
)

// frequency lists, for each service and each number of days from 1 to the
// period's length, who used it on exactly that many days, and on as many or more.
func frequency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "days", "unique_audience", "share", "k_plus")
	v := j.view
	for _, s := range j.rows() {
		users, byDays := v.people(setOf(s)), usersByDays(v, s)
		var more *panel.Term
		rows := make([]rollcall.Row, len(byDays))
		for k := len(byDays) - 1; k >= 0; k-- {
			exactly := v.term(byDays[k])
			more = plus(v, more, exactly)
			rows[k] = rollcall.Row{v.id(s), k + 1, v.persons(exactly), v.percent(exactly, users), v.persons(more)}
		}
		t.Rows = append(t.Rows, rows...)
	}
	return t, nil
}

// byDays gives a service's users by their number of days, less 1.
func usersByDays(v *view, s int) [][]int32 {
	u := v.use(setOf(s))
	out := make([][]int32, v.days())
	for i, person := range u.at {
		k := u.dayCount(i) - 1
		out[k] = append(out[k], person)
	}
	return out
}

// plus adds persons who have nobody in common with those so far.
func plus(v *view, sofar, more *panel.Term) *panel.Term {
	if sofar == nil {
		return more
	}
	return v.weights.Plus(sofar, more)
}
