package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// profile says who uses a service: a row for every category of every
// demographic column, or for the target asked for.
func profile(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("service", "target", "unique_audience", "composition", "target_reach", "index")
	v := j.view
	if j.target == nil {
		j.unlike = append(j.unlike, lacking(v)...)
	}
	for _, s := range j.rows() {
		for _, d := range j.divisions() {
			parts := d.split(v.People(audience.SetOf(s)).At)
			for k, at := range parts {
				t.Rows = append(t.Rows, append(rollcall.Row{v.ID(s), d.names[k]}, profiled(v, s, v.Term(at), d.active[k])...))
			}
		}
	}
	return t, nil
}

// lacking says what of a mean of months is left out, as one of them has no
// panelist of it.
func lacking(v *audience.View) (notes []string) {
	var out []string
	_, lacks := v.Demography()
	for _, l := range lacks {
		out = append(out, fmt.Sprintf("%s (%s)", l.What, l.Month))
	}
	if len(out) > 0 {
		notes = append(notes, fmt.Sprintf("Left out, as the roster of a month does not have it: %s.", strings.Join(out, ", ")))
	}
	return notes
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
	return audience.Once(j.view, "target "+j.target.String(), func() []*division {
		d := &division{names: []string{j.target.String()}}
		for _, in := range j.view.Members(j.target) {
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
func activate(v *audience.View, d *division) *division {
	for _, at := range d.split(v.Active().At) {
		d.active = append(d.active, v.Term(at))
	}
	return d
}

// divisionsByColumn divides by every demographic column, whose categories are sorted.
func divisionsByColumn(v *audience.View) []*division {
	return audience.Once(v, "categories", func() []*division {
		var out []*division
		columns, _ := v.Demography()
		for _, c := range columns {
			out = append(out, activate(v, divisionOf(&c)))
		}
		return out
	})
}

// divisionOf divides by the categories of a column that someone has.
func divisionOf(c *audience.Column) *division {
	d := &division{of: make([]int32, len(c.Of))}
	has := make([]bool, len(c.Categories)+1) // the last is of who is in none
	for _, k := range c.Of {
		has[k] = true
	}
	for k, category := range c.Categories {
		if has[k] {
			d.names = append(d.names, audience.Is(c.Name, category).String())
		}
	}
	slices.Sort(d.names)
	place := make([]int32, len(has))
	for k := range place {
		place[k] = int32(len(d.names))
		if k < len(c.Categories) && has[k] {
			place[k] = int32(slices.Index(d.names, audience.Is(c.Name, c.Categories[k]).String()))
		}
	}
	for i, k := range c.Of {
		d.of[i] = place[k]
	}
	return d
}

// profiled gives the columns unique_audience, composition, target_reach and
// index of a service's persons in a target, given the target's active ones.
func profiled(v *audience.View, s int, in, there *panel.Term) []any {
	users, active := v.People(audience.SetOf(s)), v.Active()
	index := v.Weights.NestedIndex(in, active, there, users).Scale(100)
	return []any{v.Persons(in), v.Percent(in, users), v.Percent(in, there), v.Level(index, in.Users())}
}
