package report

import (
	"cmp"
	"slices"

	"rollcall"
)

// disclosure says which of a view's counts of persons may be shown: those of
// the ranking, of duplication and of combinations, which are judged together,
// since sums and differences go from one to the other.
type disclosure struct {
	audience map[set]rollcall.Status // services and their unions
	gross    map[set]rollcall.Status
	pair     map[set]rollcall.Status
	exactly  map[set]rollcall.Status // used exactly these
	shares   rollcall.Status         // of the sum over all services: the base of shares
}

// Classes of cells: the first are withheld first.
const (
	classCombination = iota
	classGross
	classGroup
	classAny
	classAudience
)

// disclosure judges the view's counts.
func (v *view) disclosure() *disclosure {
	return once(v, "disclosure", func() *disclosure {
		b := &discloser{view: v, listed: setOf(v.listed()...), index: map[membership]int{}}
		b.findAtoms()
		return b.judge()
	})
}

// membership is what a person counts in: the services used, and the unions
// that the person is a user of (they are taken before the place).
type membership struct{ services, unions set }

// discloser turns a view's persons into atoms and its counts into cells.
type discloser struct {
	view   *view
	listed set
	unions []group
	index  map[membership]int
	atoms  []membership
	n      []int
	value  []float64

	cells []*cell
}

func (b *discloser) findAtoms() {
	v := b.view
	b.unions = append([]group{v.all()}, v.groups()...)
	if len(b.unions) > mostServices {
		b.unions = b.unions[:mostServices]
	}
	members := make([]membership, v.weights.Len())
	for _, s := range v.listed() {
		for _, i := range v.people(setOf(s)).At {
			members[i].services = members[i].services.with(s)
		}
	}
	for k, g := range b.unions {
		for _, i := range v.people(g.services).At {
			members[i].unions = members[i].unions.with(k)
		}
	}
	for i, m := range members {
		if m != (membership{}) {
			b.count(m, v.final[i])
		}
	}
}

func (b *discloser) count(m membership, weight float64) {
	at, ok := b.index[m]
	if !ok {
		at = len(b.atoms)
		b.index[m] = at
		b.atoms, b.n, b.value = append(b.atoms, m), append(b.n, 0), append(b.value, 0)
	}
	b.n[at]++
	b.value[at] += weight
}

// cell makes a cell of the atoms that times counts, judged by n persons where
// status is not withheld already.
func (b *discloser) cell(class int, status rollcall.Status, times func(membership) int) *cell {
	c := &cell{class: class, status: status}
	n := 0
	for i, m := range b.atoms {
		if k := times(m); k > 0 {
			c.atoms = append(c.atoms, atom{i, k})
			c.value += float64(k) * b.value[i]
			n += b.n[i]
		}
	}
	if !status.Withheld() {
		c.status = b.view.settings.Status(n)
	}
	b.cells = append(b.cells, c)
	return c
}

func (b *discloser) judge() *disclosure {
	v := b.view
	audience, gross := map[set]*cell{}, map[set]*cell{}
	hidden := 0
	for s := range b.listed.each {
		one := setOf(s)
		c := b.cell(classAudience, v.placed(one), func(m membership) int { return once01(m.services.has(s)) })
		audience[one] = c
		if c.status.Withheld() && len(c.atoms) > 0 {
			hidden++
		}
	}
	for k, g := range b.unions {
		class := classGroup
		if k == 0 {
			class = classAny
		}
		audience[g.services] = b.cell(class, v.placed(g.services), func(m membership) int { return once01(m.unions.has(k)) })
		status := rollcall.OK
		if k == 0 && hidden == 1 {
			status = rollcall.Suppressed
		}
		gross[g.services] = b.cell(classGross, status, func(m membership) int { return m.services.and(g.services).len() })
	}
	pairs, exactly := b.pairs(), b.combinations()
	protect(b.cells)
	return &disclosure{
		audience: statuses(audience), gross: statuses(gross), pair: statuses(pairs), exactly: statuses(exactly),
		shares: gross[b.unions[0].services].status,
	}
}

func once01(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (b *discloser) pairs() map[set]*cell {
	out := map[set]*cell{}
	for x := range b.listed.each {
		for y := range b.listed.each {
			if x < y {
				out[setOf(x, y)] = b.cell(classCombination, "", func(m membership) int { return once01(m.services.has(x) && m.services.has(y)) })
			}
		}
	}
	return out
}

func (b *discloser) combinations() map[set]*cell {
	out := map[set]*cell{}
	for _, a := range b.atoms {
		if !a.services.empty() && out[a.services] == nil {
			out[a.services] = b.cell(classCombination, "", func(m membership) int { return once01(m.services == a.services) })
		}
	}
	for s := range b.listed.each {
		if out[setOf(s)] == nil {
			out[setOf(s)] = b.cell(classCombination, "", func(membership) int { return 0 })
		}
	}
	return out
}

func statuses(cells map[set]*cell) map[set]rollcall.Status {
	out := make(map[set]rollcall.Status, len(cells))
	for key, c := range cells {
		out[key] = c.status
	}
	return out
}

// shown gives the status of a union's audience, judged by its persons where
// the disclosure has not judged it.
func (v *view) shown(services set) rollcall.Status {
	if s, ok := v.disclosure().audience[services]; ok {
		return s
	}
	return v.settings.Status(v.people(services).Users())
}

// placed judges a union's audience by itself and against what other places and
// everyone outside the target show: home + work = both + home+work, and a
// target's complement is the total less the target.
func (v *view) placed(services set) rollcall.Status {
	home, work := v.marks(services, rollcall.Home), v.marks(services, rollcall.Work)
	cells := map[Place]*cell{}
	var list []*cell
	for _, p := range Places() {
		cells[p] = v.placeCell(p, home, work)
		list = append(list, cells[p])
	}
	protect(list)
	return cells[v.place].status
}

// placeCell counts a place's persons over the atoms home only, work only, both.
func (v *view) placeCell(p Place, home, work []bool) *cell {
	c := &cell{}
	n, outside := 0, 0
	for i := range home {
		switch {
		case !p.holds(home[i], work[i]):
		case v.in == nil || v.in[i]:
			n++
			c.value += v.final[i]
		default:
			outside++
		}
	}
	for i, part := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		if p.holds(part[0], part[1]) {
			c.atoms = append(c.atoms, atom{i, 1})
		}
	}
	c.status = v.settings.Status(n)
	if !c.status.Withheld() && v.partial() && v.settings.Status(outside).Withheld() {
		c.status = rollcall.Suppressed
	}
	return c
}

// partial reports whether the target leaves anyone out.
func (v *view) partial() bool { return v.in != nil && slices.Contains(v.in, false) }

// sortCombinations orders sets by audience, the largest first, then by what is
// in them.
func sortCombinations(list []combination) {
	slices.SortFunc(list, func(a, b combination) int {
		return cmp.Or(cmp.Compare(b.users.Total, a.users.Total), slices.Compare(a.services[:], b.services[:]))
	})
}

// sortByServices orders sets by what is in them alone.
func sortByServices(list []combination) {
	slices.SortFunc(list, func(a, b combination) int { return slices.Compare(a.services[:], b.services[:]) })
}
