package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// curve lists, for each service and each day of the period, who had used it by
// then: it never falls, and ends in the period's audience.
func curve(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "day", "date", "unique_audience", "period_reach")
	v := j.view
	for _, s := range j.rows() {
		var users *panel.Term
		for d, fresh := range usersByFirstDay(v, s) {
			users = plus(v, users, v.Term(fresh))
			date := (v.From + rollcall.Day(d)).String()
			t.Rows = append(t.Rows, rollcall.Row{v.ID(s), d + 1, date, v.Persons(users), v.Percent(users, v.Active())})
		}
	}
	return t, nil
}

// usersByFirstDay gives a service's users by the day of the period of their first use.
func usersByFirstDay(v *audience.View, s int) [][]int32 {
	u := v.Use(audience.SetOf(s))
	out := make([][]int32, v.Days())
	for i, person := range u.At {
		day := v.FirstDay(u, i)
		out[day] = append(out[day], person)
	}
	return out
}
