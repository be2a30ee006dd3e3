package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/panel"
)

// combination is the persons who used exactly some services.
type combination struct {
	services set
	users    *panel.Term
}

// combined gives every combination that occurs, the largest first.
func (v *view) combined() []combination {
	return once(v, "combinations", func() []combination {
		used := make([]set, v.weights.Len())
		for _, s := range v.listed() {
			for _, i := range v.people(setOf(s)).At {
				used[i] = used[i].with(s)
			}
		}
		at := map[set][]int32{}
		for i, services := range used {
			if !services.empty() {
				at[services] = append(at[services], int32(i))
			}
		}
		out := make([]combination, 0, len(at))
		for services, people := range at {
			out = append(out, combination{services, v.term(people)})
		}
		sortCombinations(out)
		return out
	})
}

// combinations lists who used exactly which services: sets that exclude each
// other. Withheld ones come last, in an order that says nothing.
func combinations(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("services", "unique_audience")
	v := j.view
	wanted := setOf(j.rows()...)
	var hidden []combination
	add := func(c combination, m rollcall.Measure) {
		names := []string{}
		for s := range c.services.each {
			names = append(names, v.id(s))
		}
		t.Rows = append(t.Rows, rollcall.Row{names, m})
	}
	for _, c := range v.combined() {
		status := v.disclosure().exactly[c.services]
		switch {
		case !c.services.meets(wanted):
		case status.Withheld():
			hidden = append(hidden, c)
		default:
			add(c, v.persons(c.users))
		}
	}
	sortByServices(hidden)
	for _, c := range hidden {
		add(c, blank(v.disclosure().exactly[c.services]))
	}
	return t, nil
}
