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
	steps := v.steps(order)
	cells := v.incrementCells(order, steps)
	for k, s := range order {
		union, added := v.persons(steps[k].union), v.increment(steps, k)
		withhold(&union, cells[2*k].status)
		withhold(&added, cells[2*k+1].status)
		t.Rows = append(t.Rows, rollcall.Row{v.id(s), union, added})
	}
	return t, nil
}

// step is the union of the services down to a row, with the persons that the
// row's service gains. At home only, or at work only, a union can lose persons
// too: to a service that they use elsewhere.
type step struct {
	union, gained *panel.Term
	lost          int
	slow          bool // taken by itself: at is the union's
	at            []int32
}

func (v *view) steps(order []int) []step {
	if v.place == HomeOnly || v.place == WorkOnly || v.place == Both {
		return v.slowSteps(order)
	}
	out := make([]step, len(order))
	found := make([]bool, v.weights.Len())
	for k, s := range order {
		var gained []int32
		for _, i := range v.people(setOf(s)).At {
			if !found[i] {
				found[i] = true
				gained = append(gained, i)
			}
		}
		out[k].gained = v.term(gained)
		out[k].union = out[k].gained
		if k > 0 {
			out[k].union = v.weights.Plus(out[k-1].union, out[k].gained)
		}
	}
	return out
}

// slowSteps takes each union by itself.
func (v *view) slowSteps(order []int) []step {
	out := make([]step, len(order))
	var above []int32
	for k := range order {
		at := v.union(setOf(order[:k+1]...))
		out[k] = step{union: v.term(at), gained: v.term(without(at, above)), lost: len(without(above, at)), slow: true, at: at}
		above = at
	}
	return out
}

// increment estimates how many more a row's union is than the one above. Its
// raw persons are those gained and lost.
func (v *view) increment(steps []step, k int) rollcall.Measure {
	s := steps[k]
	if s.lost == 0 {
		return v.persons(s.gained)
	}
	e := v.weights.Linear(panel.Part{Factor: 1, Term: s.union}, panel.Part{Factor: -1, Term: steps[k-1].union})
	return v.plain(e, s.gained.Users()+s.lost)
}

// incrementCells judges the rows' unions and increments, two cells a row,
// beside what the ranking and duplication print of the same services. (An
// increment of few persons that those two alone give away can't be helped here.)
func (v *view) incrementCells(order []int, steps []step) []*cell {
	b := v.stepAtoms(order, steps)
	in := func(m membership, k int) int { // whether the atom is of union k
		switch {
		case k < 0:
			return 0
		case !steps[k].slow:
			return once01(m.services.meets(setOf(order[:k+1]...)))
		}
		return once01(m.unions.has(k))
	}
	var own []*cell
	for k := range order {
		status := v.known(setOf(order[:k+1]...))
		if status == "" && !steps[k].slow && b.tells(setOf(order[:k+1]...)) {
			status = rollcall.Suppressed
		}
		union := b.cell(classGroup, status, func(m membership) int { return in(m, k) })
		added := b.cell(classCombination, "", func(m membership) int { return in(m, k) - in(m, k-1) })
		if k == 0 { // the service's audience, as the ranking has it
			added.status, added.fixed, union.fixed = union.status, true, true
		}
		own = append(own, union, added)
	}
	b.others(order)
	protect(b.cells)
	for k := 1; k < len(order); k++ { // an increment derives from the unions about it
		if added := own[2*k+1]; !added.status.Withheld() && (own[2*k].status.Withheld() || own[2*k-2].status.Withheld()) {
			added.status = rollcall.Suppressed
		}
	}
	return own
}

// stepAtoms tells persons by the services of the order that they used and, where
// unions are taken by themselves, by the rows' unions.
func (v *view) stepAtoms(order []int, steps []step) *discloser {
	b := &discloser{view: v, index: map[membership]int{}}
	members := make([]membership, v.weights.Len())
	for _, s := range order {
		for _, i := range v.people(setOf(s)).At {
			members[i].services = members[i].services.with(s)
		}
	}
	for k, s := range steps {
		for _, i := range s.at {
			members[i].unions = members[i].unions.with(k)
		}
	}
	for i, m := range members {
		if m != (membership{}) {
			b.count(m, 1, v.final[i])
		}
	}
	return b
}

// tells reports whether the union of some services, less that of fewer of them,
// would tell of persons too few to be shown; or so a union that the ranking
// shows, less it. Whichever order of services it is printed for, then, it is
// withheld. (At home, at work and at either, where a union is who used any.)
func (b *discloser) tells(union set) bool {
	few := func(n int) bool { return n > 0 && b.view.settings.Status(n).Withheld() }
	parts, total := map[set]int{}, 0
	for i, m := range b.atoms {
		if part := m.services.and(union); !part.empty() {
			parts[part] += b.n[i]
			total += b.n[i]
		}
	}
	for _, g := range append([]group{b.view.all()}, b.view.groups()...) {
		if g.services.and(union) == union && few(b.view.users(g.services)-total) {
			return true
		}
	}
	for part, n := range parts {
		if part != union && few(n) && few(within(parts, part)) {
			return true
		}
	}
	return false
}

// within counts those who used some of the services and no other of the union's.
func within(parts map[set]int, services set) (n int) {
	for part, k := range parts {
		if part.and(services) == part {
			n += k
		}
	}
	return n
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
