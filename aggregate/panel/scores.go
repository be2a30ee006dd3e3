package panel

import "math"

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
