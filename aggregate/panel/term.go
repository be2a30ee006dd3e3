package panel

import (
	"math"
	"sync"
)

// Term is a variable with all that its estimates share: its total, and its
// regression on the margins. Estimates made of terms cost what the terms have
// in common, not what the roster has.
type Term struct {
	Variable
	Total float64

	fit   []float64 // the fitted value, by cell
	cross []float64 // the sum of w^2 y, by cell
	sum   float64   // of z
	own   float64   // of z^2
	size  float64   // of w^2 y^2
	users int

	once  sync.Once // guards dense
	dense []float64 // every panelist's value, where the variable is large
}

// largePart is the part of the roster above which a term is looked up, not merged.
const largePart = 8

// Users gives the number of panelists where the variable is given.
func (t *Term) Users() int { return t.users }

// Term prepares a variable. Its positions must not change afterwards.
func (w *Weights) Term(v Variable) *Term {
	t := &Term{Variable: v, fit: make([]float64, w.cells()), cross: make([]float64, w.cells())}
	t.users = len(v.At)
	for k, i := range v.At {
		p, y := &w.people[i], v.value(k)
		t.Total += p.final * y
		t.fit[p.cell] += p.base * y
		square := p.final * p.final * y
		t.cross[p.cell] += square
		t.size += square * y
	}
	w.fit(t.fit)
	t.sum = t.Total
	for c, all := range w.cellSums {
		t.sum -= t.fit[c] * all.final
	}
	t.own = w.product(t, t, t.size)
	return t
}

// Plus gives the sum of two terms of 0s and 1s that have nobody in common, such
// as the persons of one more day. It has no positions: only Linear by itself,
// NestedRatio and Plus may use it.
func (w *Weights) Plus(a, b *Term) *Term {
	t := &Term{
		Total: a.Total + b.Total, fit: make([]float64, len(a.fit)), cross: make([]float64, len(a.cross)),
		sum: a.sum + b.sum, size: a.size + b.size, users: a.users + b.users,
	}
	for c := range t.fit {
		t.fit[c] = a.fit[c] + b.fit[c]
		t.cross[c] = a.cross[c] + b.cross[c]
	}
	t.own = w.product(t, t, t.size)
	return t
}

// product gives the sum of z_a z_b over the roster, z = w (y - fit), from that
// of w^2 y_a y_b.
func (w *Weights) product(a, b *Term, overlap float64) float64 {
	for c, all := range w.cellSums {
		overlap += all.square*a.fit[c]*b.fit[c] - a.fit[c]*b.cross[c] - b.fit[c]*a.cross[c]
	}
	return overlap
}

// overlap gives the sum of w^2 y_a y_b.
func (w *Weights) overlap(a, b *Term) float64 {
	if a == b {
		return a.size
	}
	if len(a.At) > len(b.At) {
		a, b = b, a
	}
	if len(b.At)*largePart < len(w.people) || len(a.At)*2 > len(b.At) {
		return w.merge(a, b)
	}
	dense := b.lookup(len(w.people))
	var total float64
	for k, i := range a.At {
		if y := dense[i]; y != 0 {
			final := w.people[i].final
			total += final * final * a.value(k) * y
		}
	}
	return total
}

func (t *Term) lookup(n int) []float64 {
	t.once.Do(func() {
		t.dense = make([]float64, n)
		for k, i := range t.At {
			t.dense[i] = t.value(k)
		}
	})
	return t.dense
}

func (w *Weights) merge(a, b *Term) float64 {
	var total float64
	for i, j := 0, 0; i < len(a.At) && j < len(b.At); {
		x, y := a.At[i], b.At[j]
		if x == y {
			final := w.people[x].final
			total += final * final * a.value(i) * b.value(j)
		}
		if x <= y {
			i++
		}
		if y <= x {
			j++
		}
	}
	return total
}

// Part is a term with its factor in a linear combination.
type Part struct {
	Factor float64
	Term   *Term
}

// Linear estimates a linear combination of totals: sum of factor times total.
func (w *Weights) Linear(parts ...Part) Estimate {
	return w.combine(parts, func(i, j int) float64 { return w.overlap(parts[i].Term, parts[j].Term) })
}

// combine is Linear, given the overlap of two different parts.
func (w *Weights) combine(parts []Part, overlap func(i, j int) float64) Estimate {
	var out Estimate
	var sum, square, noise float64
	for i, p := range parts {
		out.Value += p.Factor * p.Term.Total
		sum += p.Factor * p.Term.sum
		own := p.Factor * p.Factor * p.Term.own
		square += own
		noise += p.Factor * p.Factor * p.Term.size * rounding
		if len(parts) > 1 {
			noise += own * cancelled
		}
		for j, q := range parts[:i] {
			square += 2 * p.Factor * q.Factor * w.product(p.Term, q.Term, overlap(i, j))
		}
	}
	out.SE = math.Sqrt(spread(sum, square, noise, len(w.people)))
	return out
}

// TermRatio is Ratio of prepared variables.
func (w *Weights) TermRatio(num, den *Term) Estimate {
	return w.ratio(num, den, func(_, _ int) float64 { return w.overlap(num, den) })
}

// NestedRatio is Ratio of terms of 0s and 1s, everyone in num being in den. Its
// cost is that of the margins alone.
func (w *Weights) NestedRatio(num, den *Term) Estimate {
	return w.ratio(num, den, func(_, _ int) float64 { return num.size })
}

func (w *Weights) ratio(num, den *Term, overlap func(i, j int) float64) Estimate {
	if den.Total == 0 {
		return undefined
	}
	ratio := num.Total / den.Total
	if num == den {
		return Estimate{Value: ratio}
	}
	linear := w.combine([]Part{{1 / den.Total, num}, {-ratio / den.Total, den}}, overlap)
	return Estimate{Value: ratio, SE: linear.SE}
}

// NestedIndex estimates both*all/(a*b), the ratio of an overlap to what it
// would be by chance, for terms of 0s and 1s: both is who is in a and in b, and
// all holds a and b. It is undefined where a or b is nobody.
func (w *Weights) NestedIndex(both, all, a, b *Term) Estimate {
	if a.Total == 0 || b.Total == 0 {
		return undefined
	}
	if both.Total == 0 {
		return Estimate{}
	}
	value := both.Total * all.Total / (a.Total * b.Total)
	overlaps := [4][4]float64{1: {both.size}, 2: {both.size, a.size}, 3: {both.size, b.size, both.size}}
	linear := w.combine([]Part{{1 / both.Total, both}, {1 / all.Total, all}, {-1 / a.Total, a}, {-1 / b.Total, b}},
		func(i, j int) float64 { return overlaps[i][j] })
	return Estimate{Value: value, SE: value * linear.SE}
}
