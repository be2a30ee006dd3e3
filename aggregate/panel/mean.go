package panel

import "math"

// Mean is a ratio that is no proportion, such as minutes a person, with the
// skewness of its estimate.
type Mean struct {
	Estimate
	skew float64 // the sum over clusters of (z - mean z)^3, over SE^3
}

// Mean estimates a ratio as TermRatio does, for Intervals.Mean.
func (e *Estimator) Mean(num, den *Term) Mean {
	ratio := e.TermRatio(num, den)
	out := Mean{Estimate: ratio}
	if ratio.SE > 0 {
		out.skew = e.cubes(e.z(linearised(num, den))) / (ratio.SE * ratio.SE * ratio.SE)
	}
	return out
}

// z gives each cluster's z of a linear combination.
func (e *Estimator) z(parts []Part) []float64 {
	out, slopes := make([]float64, e.clusters()), make([]float64, e.slopes())
	for _, part := range parts {
		for k, i := range part.Term.At {
			out[e.cluster[i]] += part.Factor * e.people[i].final * part.Term.value(k)
		}
		for k, b := range part.Term.slopes {
			slopes[k] += part.Factor * b
		}
	}
	fit := e.fit(slopes)
	for i := range e.people {
		p := &e.people[i]
		out[e.cluster[i]] -= p.final * fit[p.cell]
	}
	return out
}

// Mean gives the interval of a mean or another ratio that is no proportion, by
// Hall's monotone transformation for skewness (P. Hall 1992, "On the removal of
// skewness by transformation", JRSS B 54, 221): a few heavy users move a mean
// and its standard error together, and estimate +- q SE holds the truth too
// seldom. It is at least 0.
func (v Intervals) Mean(m Mean) Interval {
	low, high := m.Value-m.SE*unskewed(v.q, m.skew), m.Value-m.SE*unskewed(-v.q, m.skew)
	return Interval{Low: math.Max(low, 0), High: high}
}

// unskewed inverts Hall's transformation of a skewed statistic.
func unskewed(x, skew float64) float64 {
	if skew == 0 {
		return x
	}
	return 3 / skew * (math.Cbrt(1+skew*(x-skew/6)) - 1)
}
