package panel

import "rollcall"

// Pair matches the rosters of two months, person by person, so that a change
// is judged as what it is: mostly the same people, asked twice.
type Pair struct {
	now, before *Weights
	matched     [][2]int32 // positions now and before of each person of both
}

// Compare matches two months' panelists by their pseudonyms.
func Compare(now, before *Weights) *Pair {
	at := make(map[rollcall.Visitor]int32, len(before.ids))
	for i, id := range before.ids {
		at[id] = int32(i)
	}
	p := &Pair{now: now, before: before}
	for i, id := range now.ids {
		if j, ok := at[id]; ok {
			p.matched = append(p.matched, [2]int32{int32(i), j})
		}
	}
	return p
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

// Change estimates the change of a total, z_i = z_now,i - z_before,i over the
// union of both months' panelists, 0 where absent. The percentage is
// linearised over the same union.
func (p *Pair) Change(now, before Variable) Change {
	a, b := p.now.scores(now), p.before.scores(before)
	var cross float64
	for _, at := range p.matched {
		cross += a.z[at[0]] * b.z[at[1]]
	}
	out := Change{Absolute: p.contrast(a, b, 1, 1, cross), Percent: undefined}
	out.Absolute.Value = a.total - b.total
	if b.total != 0 {
		ratio := a.total / b.total
		out.Percent = p.contrast(a, b, 100/b.total, 100*ratio/b.total, cross)
		out.Percent.Value = 100 * (ratio - 1)
	}
	return out
}

// contrast gives the standard error of k*now - l*before.
func (p *Pair) contrast(a, b scores, k, l, cross float64) Estimate {
	return Estimate{SE: contrast(a.moments, b.moments, k, l, cross, p.Len())}
}
