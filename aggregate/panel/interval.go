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
	level    float64
	persons  int
	df       int // degrees of freedom: clusters less strata
	q        float64
	everyone *Term
}

// Intervals gives the intervals of the estimator's figures at a level between 0
// and 1, such as 0.95: t quantiles with as many degrees of freedom as there are
// clusters, less the strata.
func (e *Estimator) Intervals(level float64) Intervals {
	v := Intervals{level: level, persons: e.persons, df: e.freedom(), everyone: e.everyone}
	v.q = v.quantile(v.df)
	return v
}

// quantile gives the t quantile of some degrees of freedom: NaN for none.
func (v Intervals) quantile(df int) float64 { return quantile(v.level, float64(df)) }

func quantile(level, df float64) float64 {
	if !(df >= 1) {
		return math.NaN()
	}
	return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
}

// Q gives the t quantile: a plain interval is the estimate +- Q*SE. It is NaN
// for a roster of one cluster.
func (v Intervals) Q() float64 { return v.q }

// DF gives the degrees of freedom.
func (v Intervals) DF() int { return v.df }

// Plain gives estimate +- q SE.
func (v Intervals) Plain(e Estimate) Interval {
	return Interval{Low: e.Value - v.q*e.SE, High: e.Value + v.q*e.SE}
}

// Tied reports whether a difference is not told from 0: |difference| <= q SE.
func (v Intervals) Tied(difference Estimate) bool {
	return math.Abs(difference.Value) <= v.q*difference.SE
}

// Audience gives the interval of a unique audience, the total of users: that of
// its proportion of the universe, times the universe.
func (v Intervals) Audience(e Estimate, users *Term) Interval {
	universe := v.everyone.Total
	return v.Proportion(e.Scale(1/universe), users, v.everyone).Scale(universe)
}

// fewPersons and edgeShare are where the logit's normal approximation fails.
const (
	fewPersons = 30
	edgeShare  = 0.02
)

// Proportion gives the interval of a proportion in 0..1 of users among a base
// that holds them, terms of 0s and 1s (or of parts of 1, as for the persons of
// a mean day): by logit, or by Korn and Graubard's
// beta (1998, "Confidence intervals for proportions with small expected number
// of positive counts", Survey Methodology 24) where users or the others are
// under 30 persons or the proportion is outside 2-98 %. Whether it is 0 or 1 is
// decided by counting persons, never by sums of weights.
func (v Intervals) Proportion(e Estimate, users, base *Term) Interval {
	p := e.Value
	switch {
	case math.IsNaN(p) || math.IsNaN(v.q):
		return Interval{Low: math.NaN(), High: math.NaN()}
	case len(users.At) == 0:
		return Interval{Low: 0, High: 1 - v.extreme(base)}
	case users.Values == nil && len(users.At) == len(base.At):
		return Interval{Low: v.extreme(base), High: 1}
	case users.users < fewPersons || base.users-users.users < fewPersons || p < edgeShare || p > 1-edgeShare:
		return v.Beta(e)
	}
	return v.Logit(e)
}

// extreme gives the least proportion that a base of nothing but users is
// compatible with: (a/2)^(1/n_eff), a = 1 - level, n_eff the base's effective
// number of households.
func (v Intervals) extreme(base *Term) float64 {
	return math.Pow((1-v.level)/2, 1/(base.effective()*v.freed(base.users)))
}

// freed gives (t(n-1)/t(df))^2, what an effective sample size loses by the
// degrees of freedom of a design with clusters.
func (v Intervals) freed(n int) float64 {
	if n < 2 {
		return 1
	}
	t := v.quantile(n-1) / v.q
	return t * t
}

// Logit gives the interval of a proportion inside 0..1, symmetric in
// log(p/(1-p)): R's svyciprop(method = "logit").
func (v Intervals) Logit(e Estimate) Interval {
	p := e.Value
	centre, half := math.Log(p/(1-p)), v.q*e.SE/(p*(1-p))
	return Interval{Low: logistic(centre - half), High: logistic(centre + half)}
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Beta gives Korn and Graubard's interval of a proportion inside 0..1, with
// n_eff = p(1-p)/variance, corrected for the degrees of freedom: R's
// svyciprop(method = "beta").
func (v Intervals) Beta(e Estimate) Interval {
	p := e.Value
	if e.SE == 0 {
		return Interval{Low: p, High: p}
	}
	nEff, tail := p*(1-p)/(e.SE*e.SE)*v.freed(v.persons), (1-v.level)/2
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

// Contrast is a figure of one sample less that of another which has nobody in
// common with it, such as two markets' panels.
type Contrast struct {
	Estimate
	DF float64 // degrees of freedom; they need not be whole
}

// Independent gives figure a less figure b, of two independent samples with so many
// degrees of freedom: the variances add up, and the degrees of freedom are Welch's
// (1947, Biometrika 34) and Satterthwaite's (1946, Biometrics Bulletin 2).
func Independent(a, b Estimate, dfA, dfB int) Contrast {
	u, v := a.SE*a.SE, b.SE*b.SE
	c := Contrast{Estimate: Estimate{Value: a.Value - b.Value, SE: math.Sqrt(u + v)}, DF: float64(dfA + dfB)}
	if u+v > 0 {
		c.DF = (u + v) * (u + v) / (u*u/float64(dfA) + v*v/float64(dfB))
	}
	return c
}

// Interval gives the difference +- q SE at a level of confidence.
func (c Contrast) Interval(level float64) Interval {
	q := quantile(level, c.DF)
	return Interval{Low: c.Value - q*c.SE, High: c.Value + q*c.SE}
}

// Differs reports whether the difference is more than chance explains: its
// interval leaves out 0.
func (c Contrast) Differs(level float64) bool {
	i := c.Interval(level)
	return i.Low > 0 || i.High < 0
}
