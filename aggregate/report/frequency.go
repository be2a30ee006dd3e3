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
		users, byDays := v.people(setOf(s)), v.byDays(s)
		cells := v.frequencyCells(s, byDays)
		var more *panel.Term
		rows := make([]rollcall.Row, len(byDays))
		for k := len(byDays) - 1; k >= 0; k-- {
			exactly := v.term(byDays[k])
			more = v.plus(more, exactly)
			count, share, plus := v.persons(exactly), v.percent(exactly, users), v.persons(more)
			withhold(&count, cells.exactly[k].status)
			withhold(&share, cells.exactly[k].status, v.shown(setOf(s)))
			withhold(&plus, cells.plus[k].status)
			rows[k] = rollcall.Row{v.id(s), k + 1, count, share, plus}
		}
		t.Rows = append(t.Rows, rows...)
	}
	return t, nil
}

// byDays gives a service's users by their number of days, less 1.
func (v *view) byDays(s int) [][]int32 {
	u := v.use(setOf(s))
	out := make([][]int32, v.days())
	for i, person := range u.at {
		k := u.dayCount(i) - 1
		out[k] = append(out[k], person)
	}
	return out
}

// frequencyCells are a service's figures by days: f_k and k+, from k = 1.
type frequencyCells struct{ exactly, plus []*cell }

func (v *view) frequencyCells(s int, byDays [][]int32) frequencyCells {
	var out frequencyCells
	var all []*cell
	total := v.shown(setOf(s))
	n, value := 0, 0.0
	var atoms []atom
	for k := len(byDays) - 1; k >= 0; k-- {
		own := v.weights.Value(panel.Variable{At: byDays[k]})
		n, value = n+len(byDays[k]), value+own
		atoms = append(atoms, atom{k, 1})
		exactly := &cell{atoms: []atom{{k, 1}}, value: own, status: v.settings.Status(len(byDays[k]))}
		plus := &cell{atoms: append([]atom(nil), atoms...), value: value, status: v.settings.Status(n)}
		if k == 0 {
			plus.status, plus.fixed = total, true
		}
		all = append(all, exactly, plus)
		out.exactly, out.plus = append([]*cell{exactly}, out.exactly...), append([]*cell{plus}, out.plus...)
	}
	if total.Withheld() {
		for _, c := range all {
			if !c.status.Withheld() {
				c.status = rollcall.Suppressed
			}
		}
	}
	protect(all)
	return out
}

// plus adds persons who have nobody in common with those so far.
func (v *view) plus(sofar, more *panel.Term) *panel.Term {
	if sofar == nil {
		return more
	}
	return v.weights.Plus(sofar, more)
}
