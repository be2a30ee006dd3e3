package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
)

// curve lists, for each service and each day of the period, who had used it by
// then: it never falls, and ends in the period's audience.
func curve(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "day", "date", "unique_audience", "reach")
	v := j.view
	for _, s := range j.rows() {
		var users *panel.Term
		for d, fresh := range usersByFirstDay(v, s) {
			users = plus(v, users, v.term(fresh))
			date := (v.from + rollcall.Day(d)).String()
			t.Rows = append(t.Rows, rollcall.Row{v.id(s), d + 1, date, v.persons(users), v.percent(users, v.active())})
		}
	}
	return t, nil
}

// byFirstDay gives a service's users by the day of the period of their first use.
func usersByFirstDay(v *view, s int) [][]int32 {
	u := v.use(setOf(s))
	out := make([][]int32, v.days())
	for i, person := range u.at {
		day := firstDayOf(v, u, i)
		out[day] = append(out[day], person)
	}
	return out
}

// firstDay gives the day of the period, from 0, on which user i is credited first.
func firstDayOf(v *view, u *use, i int) int {
	word, bit := u.firstDay(i)
	return v.first[word] + bit
}
