package panel

import "math"

// The plain estimates are the tests' oracle: each makes one number a panelist,
// takes its residual from a regression, panelist by panelist, and sums squares.
// Nothing of it is shared with Term but the regression's inverse, which
// TestStandardErrorIsADenseRegressions holds against a dense one.

// Total estimates the sum of a variable over the universe.
func (w *Weights) Total(v Variable) Estimate {
	return Estimate{Value: w.Value(v), SE: w.plainError(w.spreadOut(1, v))}
}

// Diff estimates the total of x less that of y.
func (w *Weights) Diff(x, y Variable) Estimate {
	return Estimate{Value: w.Value(x) - w.Value(y), SE: w.plainError(w.spreadOut(1, x), w.spreadOut(-1, y))}
}

// Ratio estimates the total of num over that of den.
func (w *Weights) Ratio(num, den Variable) Estimate {
	return w.Product([]Variable{num}, []Variable{den})
}

// Product estimates the product of the totals of num over that of the totals
// of den.
func (w *Weights) Product(num, den []Variable) Estimate {
	value := 1.0
	var parts [][]float64
	for _, v := range den {
		total := w.Value(v)
		if total == 0 {
			return undefined
		}
		value /= total
		parts = append(parts, w.spreadOut(-1/total, v))
	}
	for _, v := range num {
		total := w.Value(v)
		value *= total
		parts = append(parts, w.spreadOut(1/total, v))
	}
	if value == 0 {
		return Estimate{}
	}
	return Estimate{Value: value, SE: math.Abs(value) * w.plainError(parts...)}
}

// spreadOut gives k times a variable, one number a panelist.
func (w *Weights) spreadOut(k float64, v Variable) []float64 {
	y := make([]float64, len(w.people))
	for i, at := range v.At {
		y[at] = k * v.value(i)
	}
	return y
}

// plainError gives the standard error of the total of a sum of variables.
func (w *Weights) plainError(parts ...[]float64) float64 {
	y, byCell := make([]float64, len(w.people)), make([]float64, w.cells())
	for i := range y {
		for _, part := range parts {
			y[i] += part[i]
		}
		byCell[w.people[i].cell] += w.people[i].base * y[i]
	}
	w.fit(byCell)
	var sum, square, size float64
	for i, p := range w.people {
		z := p.final * (y[i] - byCell[p.cell])
		sum += z
		square += z * z
		size += p.final * p.final * y[i] * y[i]
	}
	return math.Sqrt(spread(sum, square, size*rounding, len(w.people)))
}

// Combine gives a*x + b*y.
func Combine(a float64, x Variable, b float64, y Variable) Variable {
	sum := map[int32]float64{}
	last := int32(-1)
	for k, i := range x.At {
		sum[i] += a * x.value(k)
		last = max(last, i)
	}
	for k, i := range y.At {
		sum[i] += b * y.value(k)
		last = max(last, i)
	}
	out := make([]float64, last+1)
	for i, value := range sum {
		out[i] = value
	}
	return Dense(out)
}

// Change is TermChange of two variables.
func (p *Pair) Change(now, before Variable) Change {
	return p.TermChange(p.now.Term(now), p.before.Term(before))
}
