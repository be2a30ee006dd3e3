package report

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// incremental lists services in the order given, or by rank: the union down to
// each row, and what the row's service adds to those above it.
func incremental(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "unique_audience", "incremental")
	v := j.view
	order := j.services
	if order == nil {
		order = v.standing().order(v.listed())
	}
	cells := v.incrementCells(order)
	var above *panel.Term
	var sofar set
	for k, s := range order {
		sofar = sofar.with(s)
		all := v.people(sofar)
		union, added := v.persons(all), v.increment(all, above)
		withhold(&union, cells[2*k].status)
		withhold(&added, cells[2*k+1].status)
		t.Rows = append(t.Rows, rollcall.Row{v.id(s), union, added})
		above = all
	}
	return t, nil
}

// increment estimates how many more one union is than another, nil being
// nobody. At home only, or at work only, a union can lose persons to a service
// that they use elsewhere; its raw persons are those gained and lost.
func (v *view) increment(all, above *panel.Term) rollcall.Measure {
	if above == nil {
		return v.persons(all)
	}
	gained, lost := without(all.At, above.At), without(above.At, all.At)
	if len(lost) == 0 {
		return v.persons(v.term(gained))
	}
	return v.plain(v.weights.Linear(panel.Part{Factor: 1, Term: all}, panel.Part{Factor: -1, Term: above}), len(gained)+len(lost))
}

// incrementCells judges the rows' unions and increments, two cells a row,
// beside what the ranking and duplication print of the same services. (An
// increment of few persons that those two alone give away can't be helped here:
// anyone may ask for any order.)
func (v *view) incrementCells(order []int) []*cell {
	b := &discloser{view: v, index: map[membership]int{}}
	members := make([]membership, v.weights.Len())
	var sofar set
	for k, s := range order {
		sofar = sofar.with(s)
		for _, i := range v.people(setOf(s)).At {
			members[i].services = members[i].services.with(s)
		}
		for _, i := range v.union(sofar) {
			members[i].unions = members[i].unions.with(k)
		}
	}
	for i, m := range members {
		if m != (membership{}) {
			b.count(m, v.final[i])
		}
	}
	var own []*cell
	for k := range order {
		down := setOf(order[:k+1]...)
		union := b.cell(classGroup, v.known(down), func(m membership) int { return once01(m.unions.has(k)) })
		added := b.cell(classCombination, "", func(m membership) int {
			if k == 0 {
				return once01(m.unions.has(k))
			}
			return once01(m.unions.has(k)) - once01(m.unions.has(k-1))
		})
		own = append(own, union, added)
	}
	b.others(order)
	protect(b.cells)
	return own
}

// known gives the status that the disclosure has given a union, "" for none.
func (v *view) known(services set) rollcall.Status { return v.disclosure().audience[services] }

// others adds what is printed elsewhere, and can't be withheld here any more.
func (b *discloser) others(order []int) {
	d := b.view.disclosure()
	for k, x := range order {
		c := b.cell(classAudience, d.audience[setOf(x)], func(m membership) int { return once01(m.services.has(x)) })
		c.fixed = true
		for _, y := range order[:k] {
			c := b.cell(classAudience, d.pair[setOf(x, y)], func(m membership) int { return once01(m.services.has(x) && m.services.has(y)) })
			c.fixed = true
		}
	}
}

func without(all, some []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(all), func(i int32) bool {
		_, found := slices.BinarySearch(some, i)
		return found
	})
}
