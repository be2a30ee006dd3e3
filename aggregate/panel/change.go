package panel

import "math"

// Pair is the panelists of two months, for changes from the one to the other.
type Pair struct {
	*Months
	now, before *Weights
}

// Compare joins two months' panelists by their pseudonyms.
func Compare(now, before *Weights) *Pair { return &Pair{join(1, before, now), now, before} }

// Change is a figure's movement between two months.
type Change struct {
	Absolute Estimate // in the figure's unit
	Percent  Estimate // 100*(now/before - 1); undefined where before is 0

	now, before float64 // totals
	v11, v12    float64 // the variance of now, and the covariance
	v22         float64 // the variance of before
}

// TermChange estimates the change of a total, z_i = z_now,i - z_before,i over
// the union of both months' panelists, 0 where absent. The percentage is
// linearised over the same union.
func (p *Pair) TermChange(now, before *Term) Change {
	a, b := p.Term(p.Variable(Variable{}, now.Variable)), p.Term(p.Variable(before.Variable, Variable{}))
	out := Change{Absolute: p.Linear(Part{1, a}, Part{-1, b}), Percent: undefined, now: now.Total, before: before.Total}
	out.v11, out.v22 = p.centred(a.own, a.sums, a.sums), p.centred(b.own, b.sums, b.sums)
	out.v12 = p.centred(product(a, b, p.overlap(a, b)), a.sums, b.sums)
	if before.Total != 0 {
		ratio := p.TermRatio(a, b)
		out.Percent = Estimate{Value: 100 * (ratio.Value - 1), SE: 100 * ratio.SE}
		if math.Abs(out.Absolute.Value) <= exact*before.Total {
			// What everyone did in both months has no standard error, and what
			// rounding makes of the difference would be significant.
			out.Absolute.Value, out.Percent.Value = 0, 0
		}
	}
	return out
}

// Significant reports whether the change's interval, estimate +- q SE, leaves
// out 0.
func (v Intervals) Significant(c Change) bool {
	return math.Abs(c.Absolute.Value) > v.q*c.Absolute.SE
}

// Percent gives the interval of a change in percent, by Fieller (1954, "Some
// problems in interval estimation", JRSS B 16): the ratios R of the months for
// which now - R before is within q standard errors of 0. It leaves out 0 where
// the change is significant, and only there. ok is false, and the interval
// NaN, where before is not told from 0: every ratio, or all but some, would do.
func (v Intervals) Percent(c Change) (i Interval, ok bool) {
	q2 := v.q * v.q
	square, half, rest := c.before*c.before-q2*c.v22, c.now*c.before-q2*c.v12, c.now*c.now-q2*c.v11
	if !(square > 0) {
		return Interval{Low: math.NaN(), High: math.NaN()}, false
	}
	if c.Absolute.SE == 0 && c.Absolute.Value == 0 {
		return Interval{}, true // one and the same
	}
	root := math.Sqrt(math.Max(half*half-square*rest, 0))
	return Interval{Low: 100 * ((half-root)/square - 1), High: 100 * ((half+root)/square - 1)}, true
}
