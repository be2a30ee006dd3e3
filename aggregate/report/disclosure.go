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
		b := *v.atoms() // its cells are this call's own
		return b.judge()
	})
}

// atoms gives the view's persons by what they count in.
func (v *view) atoms() *discloser {
	return once(v, "atoms", func() *discloser {
		b := &discloser{view: v, listed: setOf(v.listed()...), index: map[membership]int{}}
		b.findAtoms()
		return b
	})
}

// sum gives the weighted persons of some atoms.
func (b *discloser) sum(in func(membership) bool) float64 {
	total := 0.0
	for i, m := range b.atoms {
		if in(m) {
			total += b.value[i]
		}
	}
	return total
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
	g := v.gathering()
	for k, kind := range g.kinds {
		if m := v.member(kind, b.unions); g.counts[k].n > 0 && m != (membership{}) {
			b.count(m, g.counts[k].n, g.counts[k].weight)
		}
	}
}

// member says what those of a kind count in.
func (v *view) member(of kind, unions []group) membership {
	m := membership{services: v.used(of)}
	if v.place == HomeWork || v.place == AtHome || v.place == AtWork {
		return m // the unions follow from the services
	}
	for k, g := range unions {
		if v.uses(g.services)(of) {
			m.unions = m.unions.with(k)
		}
	}
	return m
}

func (b *discloser) count(m membership, n int, weight float64) {
	at, ok := b.index[m]
	if !ok {
		at = len(b.atoms)
		b.index[m] = at
		b.atoms, b.n, b.value = append(b.atoms, m), append(b.n, 0), append(b.value, 0)
	}
	b.n[at] += n
	b.value[at] += weight
}

// cell makes a cell of the atoms that times counts. Its status, "" where there
// is none yet, is judged by its persons where it is not withheld already.
func (b *discloser) cell(class int, status rollcall.Status, times func(membership) int) *cell {
	var atoms []atom
	for i, m := range b.atoms {
		if k := times(m); k != 0 {
			atoms = append(atoms, atom{i, k})
		}
	}
	return b.add(class, status, atoms)
}

func (b *discloser) add(class int, status rollcall.Status, atoms []atom) *cell {
	c, n := &cell{class: class, status: status, atoms: atoms}, 0
	for _, a := range atoms {
		c.value += float64(a.times) * b.value[a.index]
		n += b.n[a.index]
	}
	if status == "" || !status.Withheld() {
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
		audience[g.services] = b.cell(class, v.placed(g.services), func(m membership) int { return once01(b.inUnion(m, k)) })
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

// inUnion reports whether the persons of an atom are users of union k.
func (b *discloser) inUnion(m membership, k int) bool {
	switch b.view.place {
	case HomeWork, AtHome, AtWork:
		return m.services.meets(b.unions[k].services)
	}
	return m.unions.has(k)
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
				out[setOf(x, y)] = b.cell(classCombination, rollcall.OK, func(m membership) int { return once01(m.services.has(x) && m.services.has(y)) })
			}
		}
	}
	return out
}

func (b *discloser) combinations() map[set]*cell {
	out := map[set]*cell{}
	list := map[set][]atom{}
	var order []set
	for i, a := range b.atoms {
		if _, ok := list[a.services]; !ok {
			order = append(order, a.services)
		}
		list[a.services] = append(list[a.services], atom{i, 1})
	}
	for _, services := range order {
		if !services.empty() {
			out[services] = b.add(classCombination, rollcall.OK, list[services])
		}
	}
	for s := range b.listed.each {
		if out[setOf(s)] == nil {
			out[setOf(s)] = b.add(classCombination, rollcall.OK, nil)
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

// alone gives the status of who used a service and no other.
func (v *view) alone(service int) rollcall.Status {
	return v.judged(v.disclosure().exactly, setOf(service))
}

// judged gives a count's status: what nobody used has none of its own.
func (v *view) judged(statuses map[set]rollcall.Status, of set) rollcall.Status {
	if s, ok := statuses[of]; ok {
		return s
	}
	return v.settings.Status(0)
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
// target's complement is the total less the target. Those at home only and at
// work only are withheld by their own persons, and where they would give away
// another place; they are not protected from it: home+work less home is work
// only, and no service could show both otherwise.
func (v *view) placed(services set) rollcall.Status {
	cells := map[Place]*cell{}
	var list []*cell
	tally := v.tallies()[services]
	for _, p := range rollcall.Places() {
		cells[p] = v.placeCell(p, &tally)
		list = append(list, cells[p])
	}
	protect(list)
	return cells[v.place].status
}

// placeCell counts a place's persons over the atoms home only, work only, both.
func (v *view) placeCell(p Place, t *tally) *cell {
	c := &cell{value: t.value(p), open: p == HomeOnly || p == WorkOnly}
	if !c.open {
		c.class = classAudience
	}
	for k, part := range tallyParts() {
		if p.Has(part.home, part.work) {
			c.atoms = append(c.atoms, atom{k, 1})
		}
	}
	c.status = v.settings.Status(t.persons(p))
	if !c.status.Withheld() && v.partial() && v.settings.Status(t.others(p)).Withheld() {
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
