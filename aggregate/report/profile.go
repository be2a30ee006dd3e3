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
		for _, list := range j.targets() {
			for k, c := range v.profileCells(s, list) {
				t.Rows = append(t.Rows, append(rollcall.Row{v.id(s), list[k].name}, v.profiled(s, list[k], c.status)...))
			}
		}
	}
	return t, nil
}

// slice is the part of the sample that is in a target.
type slice struct {
	name   string
	in     []bool
	active *panel.Term
}

// targets gives the targets of a profile, in lists that divide everyone: a
// column's categories; or a target, with everyone else.
func (j *job) targets() [][]slice {
	if j.target == nil {
		return j.view.categories()
	}
	v := j.view
	s := v.slice(j.target.String(), func(i int32) bool { return j.target.holds(v.lead().roster.Columns, v.person(i)) })
	return [][]slice{{s}}
}

func (v *view) slice(name string, holds func(int32) bool) slice {
	s := slice{name: name, in: make([]bool, v.weights.Len())}
	for i := range s.in {
		s.in[i] = holds(int32(i))
	}
	s.active = v.term(s.of(v.active().At))
	return s
}

func (s slice) of(at []int32) []int32 {
	var out []int32
	for _, i := range at {
		if s.in[i] {
			out = append(out, i)
		}
	}
	return out
}

// categories gives the slices of every demographic column.
func (v *view) categories() [][]slice {
	return once(v, "categories", func() [][]slice {
		var out [][]slice
		for c, column := range v.lead().roster.Columns {
			names := map[string]bool{}
			for i := range v.weights.Len() {
				names[v.person(int32(i)).Categories[c]] = true
			}
			var list []slice
			for name := range names {
				label := (&target{op: '=', column: column, category: name}).String()
				list = append(list, v.slice(label, func(i int32) bool { return v.person(i).Categories[c] == name }))
			}
			slices.SortFunc(list, func(a, b slice) int { return compareText(a.name, b.name) })
			out = append(out, list)
		}
		return out
	})
}

// profileCells judges a service's persons by slice against their total. One
// slice alone is judged against everyone outside it too.
func (v *view) profileCells(s int, list []slice) []*cell {
	users, total := v.people(setOf(s)), v.shown(setOf(s))
	all := &cell{value: users.Total, status: total, fixed: true}
	cells := []*cell{}
	left := users.Users()
	for k, slice := range list {
		at := slice.of(users.At)
		left -= len(at)
		cells = append(cells, v.profileCell(k, at, total))
		all.atoms = append(all.atoms, atom{k, 1})
	}
	judged := append(slices.Clip(cells), all)
	if everyone := slices.Contains(list[0].in, false); len(list) == 1 && everyone {
		all.atoms = append(all.atoms, atom{1, 1})
		rest := v.profileCell(1, nil, total)
		rest.status = v.settings.Status(left)
		if rest.status.Withheld() {
			judged = append(judged, rest)
		}
	}
	protect(judged)
	return cells
}

func (v *view) profileCell(k int, at []int32, total rollcall.Status) *cell {
	c := &cell{atoms: []atom{{k, 1}}, value: v.weights.Value(panel.Variable{At: at}), status: v.settings.Status(len(at))}
	if total.Withheld() && !c.status.Withheld() {
		c.status = rollcall.Suppressed
	}
	return c
}

// profiled gives the columns unique_audience, composition, target_reach and index.
func (v *view) profiled(s int, g slice, status rollcall.Status) []any {
	users, active, total := v.people(setOf(s)), v.active(), v.shown(setOf(s))
	in := v.term(g.of(users.At))
	count, composition, reach := v.persons(in), v.percent(in, users), v.percent(in, g.active)
	index := v.plain(v.weights.NestedIndex(in, active, g.active, users).Scale(100), in.Users())
	withhold(&count, status)
	withhold(&composition, status, total)
	withhold(&reach, status, v.settings.Status(g.active.Users()))
	withhold(&index, status, total, v.settings.Status(active.Users()), v.settings.Status(g.active.Users()))
	return []any{count, composition, reach, index}
}
