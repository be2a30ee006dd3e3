package panel

import "math"

// Base is a total that many ratios share, such as the active universe: each
// ratio to it then costs its own users only, not those of the base.
type Base struct {
	w     *Weights
	cells []float64 // of each cell, the sum of final weight times z
	scores
}

// Base prepares a variable to stand under ratios.
func (w *Weights) Base(den Variable) *Base {
	b := &Base{w: w, scores: w.scores(den), cells: make([]float64, w.cells())}
	for i, z := range b.z {
		p := &w.people[i]
		b.cells[p.cell] += p.final * z
	}
	return b
}

// Total gives the base's own estimate.
func (b *Base) Total() Estimate {
	return Estimate{Value: b.total, SE: math.Sqrt(spread(b.sum, b.square, b.size*rounding, len(b.z)))}
}

// Ratio estimates the total of num over the base, as Weights.Ratio does.
func (b *Base) Ratio(num Variable) Estimate {
	if b.total == 0 {
		return undefined
	}
	s := b.w.scratch()
	defer b.w.pool.Put(s)
	m := b.w.moments(s, []term{{1, num}})
	var cross float64
	for k, i := range num.At {
		cross += b.w.people[i].final * num.value(k) * b.z[i]
	}
	for c, fit := range s.fit {
		cross -= fit * b.cells[c]
	}
	ratio := m.total / b.total
	return Estimate{Value: ratio, SE: contrast(m, b.moments, 1/b.total, ratio/b.total, cross, len(b.z))}
}

// scores is a variable's z for everyone, with their sums.
type scores struct {
	moments
	z []float64
}

func (w *Weights) scores(v Variable) scores {
	out := scores{z: make([]float64, len(w.people))}
	fit := make([]float64, w.cells())
	for k, i := range v.At {
		p, y := &w.people[i], v.value(k)
		out.z[i] = y
		out.total += p.final * y
		out.size += p.final * p.final * y * y
		fit[p.cell] += p.base * y
	}
	w.fit(fit)
	for i, y := range out.z {
		p := &w.people[i]
		z := p.final * (y - fit[p.cell])
		out.z[i] = z
		out.sum += z
		out.square += z * z
	}
	return out
}

// cancelled is what rounding leaves of the squares of two variables that are
// one and the same.
const cancelled = 1e-13

// contrast gives the standard error of k*a - l*b from their moments and the sum
// of the products of their z, cross; n as in spread.
func contrast(a, b moments, k, l, cross float64, n int) float64 {
	square := k*k*a.square + l*l*b.square - 2*k*l*cross
	noise := max(k*k*a.size*rounding, l*l*b.size*rounding, (k*k*a.square+l*l*b.square)*cancelled)
	return math.Sqrt(spread(k*a.sum-l*b.sum, square, noise, n))
}
