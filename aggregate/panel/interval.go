package panel

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a confidence interval, in the figure's own unit.
type Interval struct {
	Low  float64
	High float64
}

// Scale gives the interval of k times the figure, k >= 0.
func (i Interval) Scale(k float64) Interval { return Interval{Low: k * i.Low, High: k * i.High} }

// Intervals makes intervals at one level of confidence.
type Intervals struct {
	level     float64
	n         int
	effective float64 // per panelist: Kish's n_eff/n
	q         float64
}

// Intervals gives the intervals of the roster's figures at a level between 0
// and 1, such as 0.95: t quantiles with n-1 degrees of freedom.
func (w *Weights) Intervals(level float64) Intervals {
	return newIntervals(level, w.Len(), w.kish()/float64(w.Len()))
}

// Intervals gives the intervals of changes: n is the size of the union.
func (p *Pair) Intervals(level float64) Intervals {
	return newIntervals(level, p.Len(), p.now.kish()/float64(p.now.Len()))
}

func newIntervals(level float64, n int, effective float64) Intervals {
	q := math.NaN()
	if n > 1 {
		q = distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.5 + level/2)
	}
	return Intervals{level: level, n: n, effective: effective, q: q}
}

// Q gives the t quantile: a plain interval is the estimate +- Q*SE. It is NaN
// for a roster of one.
func (v Intervals) Q() float64 { return v.q }

// Plain gives estimate +- q SE.
func (v Intervals) Plain(e Estimate) Interval {
	return Interval{Low: e.Value - v.q*e.SE, High: e.Value + v.q*e.SE}
}

// Tied reports whether a difference is not told from 0: |difference| < q SE.
func (v Intervals) Tied(difference Estimate) bool {
	return math.Abs(difference.Value) < v.q*difference.SE
}

// Audience gives the interval of a unique audience: that of its proportion of
// the universe, times the universe. Users are raw persons.
func (v Intervals) Audience(e Estimate, universe float64, users int) Interval {
	return v.Proportion(e.Scale(1/universe), users, v.n).Scale(universe)
}

// fewPersons and edgeShare are where the logit's normal approximation fails.
const (
	fewPersons = 30
	edgeShare  = 0.02
)

// Proportion gives the interval of a proportion of users among a base of raw
// persons, the value in 0..1: by logit, or by Korn and Graubard's beta (1998,
// "Confidence intervals for proportions with small expected number of positive
// counts", Survey Methodology 24) where users or the others are under 30 or
// the proportion is outside 2-98 %.
func (v Intervals) Proportion(e Estimate, users, base int) Interval {
	p := e.Value
	if users < fewPersons || base-users < fewPersons || p < edgeShare || p > 1-edgeShare {
		return v.Beta(e, base)
	}
	return v.Logit(e)
}

// Logit gives the interval of a proportion inside 0..1, symmetric in
// log(p/(1-p)): R's svyciprop(method = "logit").
func (v Intervals) Logit(e Estimate) Interval {
	p := e.Value
	centre, half := math.Log(p/(1-p)), v.q*e.SE/(p*(1-p))
	return Interval{Low: logistic(centre - half), High: logistic(centre + half)}
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Beta gives Korn and Graubard's interval, with n_eff = p(1-p)/variance: R's
// svyciprop(method = "beta") for a design without clusters. A proportion of 0
// or 1 has no variance; Kish's effective size of the base stands for n_eff.
func (v Intervals) Beta(e Estimate, base int) Interval {
	p := min(max(e.Value, 0), 1)
	nEff := p * (1 - p) / (e.SE * e.SE)
	switch {
	case math.IsNaN(e.Value) || math.IsNaN(v.q):
		return Interval{Low: math.NaN(), High: math.NaN()}
	case p == 0 || p == 1:
		nEff = v.effective * float64(base)
	case e.SE == 0 || nEff > 1e15:
		return Interval{Low: p, High: p}
	}
	tail := (1 - v.level) / 2
	return Interval{
		Low:  betaQuantile(tail, nEff*p, nEff*(1-p)+1),
		High: betaQuantile(1-tail, nEff*p+1, nEff*(1-p)),
	}
}

// betaQuantile takes in the limits of a beta whose one parameter is 0.
func betaQuantile(q, alpha, beta float64) float64 {
	if !(alpha > 0) {
		return 0
	}
	if !(beta > 0) {
		return 1
	}
	return distuv.Beta{Alpha: alpha, Beta: beta}.Quantile(q)
}
