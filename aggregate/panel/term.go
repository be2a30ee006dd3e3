package panel

import "math"

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
	dense []float64 // every panelist's value, where the variable is large
}

// largePart is the part of the roster above which a term is kept dense.
const largePart = 8

// Term prepares a variable. Its positions must not change afterwards.
func (w *Weights) Term(v Variable) *Term {
	t := &Term{Variable: v, fit: make([]float64, w.cells()), cross: make([]float64, w.cells())}
	if len(v.At)*largePart > len(w.people) {
		t.dense = make([]float64, len(w.people))
	}
	for k, i := range v.At {
		p, y := &w.people[i], v.value(k)
		t.Total += p.final * y
		t.fit[p.cell] += p.base * y
		square := p.final * p.final * y
		t.cross[p.cell] += square
		t.size += square * y
		if t.dense != nil {
			t.dense[i] = y
		}
	}
	w.fit(t.fit)
	t.sum = t.Total
	for c, all := range w.cellSums {
		t.sum -= t.fit[c] * all.final
	}
	t.own = w.product(t, t)
	return t
}

// product gives the sum of z_a z_b over the roster, z = w (y - fit).
func (w *Weights) product(a, b *Term) float64 {
	total := w.overlap(a, b)
	for c, all := range w.cellSums {
		total += all.square*a.fit[c]*b.fit[c] - a.fit[c]*b.cross[c] - b.fit[c]*a.cross[c]
	}
	return total
}

// overlap gives the sum of w^2 y_a y_b.
func (w *Weights) overlap(a, b *Term) float64 {
	if a == b {
		return a.size
	}
	if len(a.At) > len(b.At) {
		a, b = b, a
	}
	if b.dense == nil {
		return w.merge(a, b)
	}
	var total float64
	for k, i := range a.At {
		if y := b.dense[i]; y != 0 {
			final := w.people[i].final
			total += final * final * a.value(k) * y
		}
	}
	return total
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
		for _, q := range parts[:i] {
			square += 2 * p.Factor * q.Factor * w.product(p.Term, q.Term)
		}
	}
	out.SE = math.Sqrt(spread(sum, square, noise, len(w.people)))
	return out
}

// TermRatio is Ratio of prepared variables.
func (w *Weights) TermRatio(num, den *Term) Estimate {
	if den.Total == 0 {
		return undefined
	}
	ratio := num.Total / den.Total
	if num == den {
		return Estimate{Value: ratio}
	}
	linear := w.Linear(Part{1 / den.Total, num}, Part{-ratio / den.Total, den})
	return Estimate{Value: ratio, SE: linear.SE}
}

// TermProduct is Product of prepared variables.
func (w *Weights) TermProduct(num, den []*Term) Estimate {
	value := 1.0
	var parts []Part
	for _, t := range den {
		if t.Total == 0 {
			return undefined
		}
		value /= t.Total
		parts = append(parts, Part{-1 / t.Total, t})
	}
	for _, t := range num {
		value *= t.Total
		if t.Total == 0 {
			return Estimate{}
		}
		parts = append(parts, Part{1 / t.Total, t})
	}
	return Estimate{Value: value, SE: math.Abs(value) * w.Linear(parts...).SE}
}
