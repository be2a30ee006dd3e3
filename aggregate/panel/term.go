package panel

import (
	"math"
	"math/bits"
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
	whole float64   // of w^2 y
	users int

	once  sync.Once // guards what follows
	bits  []uint64  // of a variable of 0s and 1s: one for each panelist
	dense []float64 // of any other: every panelist's value
}

// Users gives the number of panelists where the variable is given.
func (t *Term) Users() int { return t.users }

// Term prepares a variable. Its positions must not change afterwards.
func (w *Weights) Term(v Variable) *Term {
	t := &Term{Variable: v, fit: make([]float64, w.cells()), cross: make([]float64, w.cells())}
	t.users = len(v.At)
	total, size, whole := 0.0, 0.0, 0.0
	for k, i := range v.At {
		p, y := &w.people[i], v.value(k)
		total += p.final * y
		t.fit[p.cell] += p.base * y
		square := p.final * p.final * y
		t.cross[p.cell] += square
		whole += square
		size += square * y
	}
	t.Total, t.size, t.whole = total, size, whole
	w.regress(t)
	return t
}

// Terms prepares several variables of the same panelists, at the cost of little
// more than one.
func (w *Weights) Terms(at []int32, values ...[]float64) []*Term {
	n := len(values)
	totals, sizes, wholes := make([]float64, n), make([]float64, n), make([]float64, n)
	fits, crosses := make([]float64, n*w.cells()), make([]float64, n*w.cells())
	for k, i := range at {
		p := &w.people[i]
		square, cell := p.final*p.final, n*int(p.cell)
		for j, list := range values {
			y := list[k]
			totals[j] += p.final * y
			fits[cell+j] += p.base * y
			crosses[cell+j] += square * y
			wholes[j] += square * y
			sizes[j] += square * y * y
		}
	}
	out := make([]*Term, n)
	for j, list := range values {
		t := &Term{Variable: Variable{At: at, Values: list}, Total: totals[j], size: sizes[j], whole: wholes[j], users: len(at)}
		t.fit, t.cross = make([]float64, w.cells()), make([]float64, w.cells())
		for c := range t.fit {
			t.fit[c], t.cross[c] = fits[n*c+j], crosses[n*c+j]
		}
		w.regress(t)
		out[j] = t
	}
	return out
}

// regress ends a term whose sums by cell are known.
func (w *Weights) regress(t *Term) {
	w.fit(t.fit)
	t.sum = t.Total
	for c, all := range w.cellSums {
		t.sum -= t.fit[c] * all.final
	}
	t.own = w.product(t, t, t.size)
}

// Plus gives the sum of two terms of 0s and 1s that have nobody in common, such
// as the persons of one more day. It has no positions: only Linear by itself,
// NestedRatio and Plus may use it.
func (w *Weights) Plus(a, b *Term) *Term {
	t := &Term{
		Total: a.Total + b.Total, fit: make([]float64, len(a.fit)), cross: make([]float64, len(a.cross)),
		sum: a.sum + b.sum, size: a.size + b.size, whole: a.whole + b.whole, users: a.users + b.users,
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
	b.once.Do(func() { b.index(len(w.people)) })
	if a.Values == nil && b.bits != nil && len(a.At) > len(b.bits) {
		a.once.Do(func() { a.index(len(w.people)) })
		return w.common(a.bits, b.bits)
	}
	var total float64
	for k, i := range a.At {
		if y := b.at(i); y != 0 {
			final := w.people[i].final
			total += final * final * a.value(k) * y
		}
	}
	return total
}

// index makes the variable quick to look up.
func (t *Term) index(n int) {
	if t.Values == nil {
		t.bits = make([]uint64, (n+63)/64)
		for _, i := range t.At {
			t.bits[i/64] |= 1 << (i % 64)
		}
		return
	}
	t.dense = make([]float64, n)
	for k, i := range t.At {
		t.dense[i] = t.Values[k]
	}
}

// at gives a panelist's value, once the variable is indexed.
func (t *Term) at(i int32) float64 {
	if t.bits == nil {
		return t.dense[i]
	}
	return float64(t.bits[i/64] >> (i % 64) & 1)
}

// common gives the sum of w^2 over those whose bit is in both.
func (w *Weights) common(a, b []uint64) float64 {
	var total float64
	for i, x := range a {
		for x &= b[i]; x != 0; x &= x - 1 {
			final := w.people[i*64+bits.TrailingZeros64(x)].final
			total += final * final
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
		for j, q := range parts[:i] {
			square += 2 * p.Factor * q.Factor * w.product(p.Term, q.Term, overlap(i, j))
		}
	}
	out.SE = math.Sqrt(spread(sum, square, noise, len(w.people)))
	return out
}

// TermRatio estimates the total of num over that of den, linearised: z is that
// of (num - R den)/D. It is undefined where den's total is 0.
func (w *Weights) TermRatio(num, den *Term) Estimate {
	return w.ratio(num, den, func(_, _ int) float64 { return w.overlap(num, den) })
}

// NestedRatio is TermRatio where den is of 0s and 1s, everyone in num being in den:
// persons of persons, or an amount a person. Its cost is that of the margins
// alone.
func (w *Weights) NestedRatio(num, den *Term) Estimate {
	return w.ratio(num, den, func(_, _ int) float64 { return num.whole })
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
