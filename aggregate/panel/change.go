package panel

import (
	"cmp"
	"math"
	"slices"
)

// Pair matches the rosters of two months, person by person, so that a change
// is judged as what it is: mostly the same people, asked twice.
type Pair struct {
	now, before *Weights
	matched     [][2]int32 // positions now and before of each person of both
	then        []int32    // by position now, before; or -1
	later       []int32    // by position before, now; or -1
	cells       []cellPair
}

// cellPair is the persons of one cell now who were of one cell before: what the
// products of their weights add up to.
type cellPair struct {
	now, before int32
	product     float64
}

// Compare matches two months' panelists by their pseudonyms.
func Compare(now, before *Weights) *Pair {
	p := &Pair{now: now, before: before, then: none(now.Len()), later: none(before.Len())}
	a, b := now.byID(), before.byID()
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch x, y := now.ids[a[i]], before.ids[b[j]]; {
		case x < y:
			i++
		case y < x:
			j++
		default:
			p.then[a[i]], p.later[b[j]] = b[j], a[i]
			i, j = i+1, j+1
		}
	}
	p.gather()
	return p
}

// byID gives the positions in the order of their pseudonyms.
func (w *Weights) byID() []int32 {
	out := make([]int32, len(w.ids))
	for i := range out {
		out[i] = int32(i)
	}
	slices.SortFunc(out, func(a, b int32) int { return cmp.Compare(w.ids[a], w.ids[b]) })
	return out
}

func none(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

// gather lists the matched, and adds them up by cells.
func (p *Pair) gather() {
	index := map[[2]int32]int{}
	for i, j := range p.then {
		if j < 0 {
			continue
		}
		p.matched = append(p.matched, [2]int32{int32(i), j})
		a, b := &p.now.people[i], &p.before.people[j]
		k, ok := index[[2]int32{a.cell, b.cell}]
		if !ok {
			k = len(p.cells)
			index[[2]int32{a.cell, b.cell}] = k
			p.cells = append(p.cells, cellPair{now: a.cell, before: b.cell})
		}
		p.cells[k].product += a.final * b.final
	}
}

// Len gives the number of persons in either month, n of the change's variance.
func (p *Pair) Len() int { return p.now.Len() + p.before.Len() - len(p.matched) }

// Matched gives the positions, now and before, of each person of both months,
// ascending in those of now.
func (p *Pair) Matched() [][2]int32 { return p.matched }

// Change is a figure's movement between two months.
type Change struct {
	Absolute Estimate // in the figure's unit
	Percent  Estimate // 100*(now/before - 1); undefined where before is 0
}

// TermChange estimates the change of a total, z_i = z_now,i - z_before,i over
// the union of both months' panelists, 0 where absent. The percentage is
// linearised over the same union.
func (p *Pair) TermChange(now, before *Term) Change {
	cross := p.product(now, before)
	out := Change{Absolute: p.contrast(now, before, 1, 1, cross), Percent: undefined}
	out.Absolute.Value = now.Total - before.Total
	if before.Total != 0 {
		ratio := now.Total / before.Total
		out.Percent = p.contrast(now, before, 100/before.Total, 100*ratio/before.Total, cross)
		out.Percent.Value = 100 * (ratio - 1)
	}
	return out
}

// product gives the sum of z_now z_before over the matched, z = w (y - fit).
func (p *Pair) product(now, before *Term) float64 {
	before.once.Do(func() { before.index(len(p.before.people)) })
	var out float64
	for _, c := range p.cells {
		out += c.product * now.fit[c.now] * before.fit[c.before]
	}
	for k, i := range now.At {
		if j := p.then[i]; j >= 0 {
			a, b := &p.now.people[i], &p.before.people[j]
			out += a.final * now.value(k) * b.final * (before.at(j) - before.fit[b.cell])
		}
	}
	for k, j := range before.At {
		if i := p.later[j]; i >= 0 {
			a, b := &p.now.people[i], &p.before.people[j]
			out -= a.final * now.fit[a.cell] * b.final * before.value(k)
		}
	}
	return out
}

// contrast gives the standard error of k*now - l*before, given the sum of the
// products of their z.
func (p *Pair) contrast(now, before *Term, k, l, cross float64) Estimate {
	square := k*k*now.own + l*l*before.own - 2*k*l*cross
	noise := (k*k*now.size + l*l*before.size) * rounding
	return Estimate{SE: math.Sqrt(spread(k*now.sum-l*before.sum, square, noise, p.Len()))}
}
