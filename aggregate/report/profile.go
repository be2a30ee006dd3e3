package report

import (
	"context"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// profile says who uses a service: a row for every category of every
// demographic column, or for the target asked for.
func profile(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "target", "unique_audience", "composition", "target_reach", "index")
	v := j.view
	for _, s := range j.rows() {
		for _, d := range j.divisions() {
			parts := d.split(v.people(setOf(s)).At)
			for k, at := range parts {
				t.Rows = append(t.Rows, append(rollcall.Row{v.id(s), d.names[k]}, profiled(v, s, v.term(at), d.active[k])...))
			}
		}
	}
	return t, nil
}

// division is the sample's people by target: by a column's categories, or in a
// target and outside it.
type division struct {
	names  []string
	of     []int32 // by person: a position in names, or one more for those in none
	active []*panel.Term
}

// split divides persons by target.
func (d *division) split(at []int32) [][]int32 {
	out := make([][]int32, len(d.names)+1)
	for _, i := range at {
		out[d.of[i]] = append(out[d.of[i]], i)
	}
	return out[:len(d.names)]
}

// divisions gives those of a profile: of every demographic column, or of the
// target asked for.
func (j *job) divisions() []*division {
	if j.target == nil {
		return divisionsByColumn(j.view)
	}
	return once(j.view, "target "+j.target.String(), func() []*division {
		d := &division{names: []string{j.target.String()}}
		for _, in := range j.view.members(j.target) {
			place := int32(1) // outside
			if in {
				place = 0
			}
			d.of = append(d.of, place)
		}
		return []*division{activate(j.view, d)}
	})
}

// activate finds the active persons of each target.
func activate(v *view, d *division) *division {
	for _, at := range d.split(v.active().At) {
		d.active = append(d.active, v.term(at))
	}
	return d
}

// categories divides by every demographic column, whose categories are sorted.
func divisionsByColumn(v *view) []*division {
	return once(v, "categories", func() []*division {
		var out []*division
		for _, c := range v.lead().columns[:len(v.lead().roster.Columns)] {
			d := &division{of: make([]int32, v.weights.Len())}
			has := make([]bool, len(c.categories)) // someone in the sample
			for i := range d.of {
				d.of[i] = c.of[v.own(int32(i))]
				has[d.of[i]] = true
			}
			for k, category := range c.categories {
				if has[k] {
					d.names = append(d.names, (&target{op: '=', column: c.name, category: category}).String())
				}
			}
			slices.SortFunc(d.names, compareText)
			rank := make([]int32, len(c.categories))
			for k, category := range c.categories {
				rank[k] = int32(slices.Index(d.names, (&target{op: '=', column: c.name, category: category}).String()))
			}
			for i := range d.of {
				d.of[i] = rank[d.of[i]]
			}
			out = append(out, activate(v, d))
		}
		return out
	})
}

// profiled gives the columns unique_audience, composition, target_reach and
// index of a service's persons in a target, given the target's active ones.
func profiled(v *view, s int, in, there *panel.Term) []any {
	users, active := v.people(setOf(s)), v.active()
	index := v.weights.NestedIndex(in, active, there, users).Scale(100)
	return []any{v.persons(in), v.percent(in, users), v.percent(in, there), v.level(index, in.Users())}
}
