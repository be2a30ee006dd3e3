package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// curve lists, for each service and each day that there was of the period, who
// had used it by then: it never falls, and ends in the period's audience. Of a
// mean of months it is of days of the month; a shorter month stays at its end.
func curve(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "day", "date", "unique_audience", "period_reach")
	v := j.view
	for _, s := range j.rows() {
		var users *panel.Term
		for d, fresh := range usersByFirstDay(v, s) {
			if !v.Was(d) {
				continue // nobody came on it
			}
			users = plus(v, users, v.Term(fresh))
			t.Rows = append(t.Rows, rollcall.Row{v.ID(s), d + 1, dateOf(v, d), v.Persons(users), v.Percent(users, v.Active())})
		}
	}
	return t, nil
}

// dateOf is the date of a day of the period; nil in a mean of months, whose days
// have several.
func dateOf(v *audience.View, day int) any {
	if v.Pooled() {
		return nil
	}
	return (v.From + rollcall.Day(day)).String()
}

// usersByFirstDay gives a service's users by the day of their first use.
func usersByFirstDay(v *audience.View, s int) [][]int32 {
	u := v.Use(audience.SetOf(s))
	out := make([][]int32, v.Days())
	for i, person := range u.At {
		day := v.FirstDay(u, i)
		out[day] = append(out[day], person)
	}
	return out
}
