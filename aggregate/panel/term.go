package panel

import (
	"slices"
	"sync"
)

// Term is a variable with all that its estimates share: its total, and its
// regression on the margins. Estimates made of terms cost what the terms have
// in common, not what the roster has.
//
// With u the variable's weighted values added up by cluster, g a cluster's
// weights by category and b the regression's slopes, a cluster's z is u - b'g,
// and a sum of products over clusters is one of u and u, and of small vectors.
type Term struct {
	Variable
	Total float64

	slopes  []float64 // b
	through []float64 // b' sum of factor*g*g'
	cross   []float64 // the sum of factor*u*g
	sums    []float64 // of z, by stratum
	own     float64   // of factor*z*z
	size    float64   // of factor*u*u
	mass    float64   // of u*u
	whole   float64   // of factor*w*w*y, where every panelist is a cluster
	pulled  []float64 // how far each input from outside moves the total, where it doubles
	users   int

	once  sync.Once // guards what follows
	bits  []uint64  // of a variable of 0s and 1s: one for each panelist
	dense []float64 // of any other: every panelist's value
}

// Users gives the number of persons for whom the variable is given.
func (t *Term) Users() int { return t.users }

// effective gives the size of the sample of a term of 0s and 1s: (sum of w)^2
// over the sum of the squared weights of its households.
func (t *Term) effective() float64 { return t.Total * t.Total / t.mass }

// Term prepares a variable.
func (e *Estimator) Term(v Variable) *Term {
	t := &Term{Variable: v, users: e.Distinct(v.At), sums: make([]float64, len(e.size)), pulled: make([]float64, len(e.inputs))}
	s := e.scratch()
	defer e.release(s)
	for k, i := range v.At {
		p, y := &e.people[i], v.value(k)
		u := p.final * y
		t.Total += u
		t.sums[e.stratum[e.cluster[i]]] += u
		s.base[p.cell] += p.base * y
		for k, pull := range e.pulls {
			t.pulled[k] += u * pull[p.cell]
		}
	}
	if e.alone() {
		e.addPersons(t, s)
	} else {
		e.addClusters(t, s)
	}
	if len(v.At) == len(e.people) && v.Values == nil {
		t.Total = e.universe // which no input moves
		clear(t.pulled)
	}
	t.slopes, t.cross = e.regress(s.base), e.byCategory(s.cross)
	e.finish(t)
	return t
}

// Terms prepares several variables of the same panelists.
func (e *Estimator) Terms(at []int32, values ...[]float64) []*Term {
	out := make([]*Term, len(values))
	for j, list := range values {
		out[j] = e.Term(Variable{At: at, Values: list})
	}
	return out
}

// addPersons adds what the variable has in common with the weights, where every
// panelist is a cluster.
func (e *Estimator) addPersons(t *Term, s *scratch) {
	for k, i := range t.At {
		p, y := &e.people[i], t.value(k)
		whole := p.factor * p.final * p.final * y
		s.cross[p.cell] += whole
		t.whole += whole
		t.size += whole * y
		t.mass += p.final * p.final * y * y
	}
}

// addClusters is addPersons where panelists share clusters.
func (e *Estimator) addClusters(t *Term, s *scratch) {
	e.add(s, t.Variable)
	for _, c := range s.touched {
		u := s.cluster[c]
		t.mass += u * u
		for _, i := range e.design.of(c) {
			p := &e.people[i]
			s.cross[p.cell] += p.factor * p.final * u
		}
		t.size += e.factor(c) * u * u
	}
}

// finish ends a term whose slopes and cross are known, and whose sums are those
// of u.
func (e *Estimator) finish(t *Term) {
	n := len(t.slopes)
	t.through = make([]float64, n)
	for i, b := range t.slopes {
		for j, g := range e.squares[i*n : (i+1)*n] {
			t.through[j] += b * g
		}
	}
	for h := range t.sums {
		t.sums[h] -= dot(t.slopes, e.strata[h*n:(h+1)*n])
	}
	t.own = product(t, t, t.size)
}

func dot(a, b []float64) float64 {
	var sum float64
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// Plus gives the sum of two terms of 0s and 1s that have nobody in common, such
// as the persons of one more day.
func (e *Estimator) Plus(a, b *Term) *Term {
	t := &Term{
		Variable: Variable{At: merge(a.At, b.At)}, Total: a.Total + b.Total,
		slopes: added(a.slopes, b.slopes), cross: added(a.cross, b.cross), sums: added(a.sums, b.sums), pulled: added(a.pulled, b.pulled),
		size: a.size + b.size, mass: a.mass + b.mass, whole: a.whole + b.whole,
	}
	if !e.alone() {
		shared := e.shared(a, b)
		t.size, t.mass = t.size+2*shared.factored, t.mass+2*shared.plain
	}
	t.users = e.Distinct(t.At)
	t.through = added(a.through, b.through)
	t.own = product(t, t, t.size)
	return t
}

// merge unites two lists in ascending order that have nothing in common.
func merge(a, b []int32) []int32 {
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func added(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i, x := range b {
		out[i] += x
	}
	return out
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

// Part is a term with its factor in a linear combination.
type Part struct {
	Factor float64
	Term   *Term
}

// Linear estimates a linear combination of totals: sum of factor times total.
func (e *Estimator) Linear(parts ...Part) Estimate {
	value := 0.0
	for _, p := range parts {
		value += p.Factor * p.Term.Total
	}
	variance, noise := e.variance(parts, func(i, j int) float64 { return e.overlap(parts[i].Term, parts[j].Term) })
	return estimate(value, variance, noise)
}

// variance gives a linear combination's variance, and what rounding may leave
// of it, given the overlap of two different parts.
func (e *Estimator) variance(parts []Part, overlap func(i, j int) float64) (variance, noise float64) {
	sums := make([]float64, len(e.size))
	var products float64
	for i, p := range parts {
		for h, z := range p.Term.sums {
			sums[h] += p.Factor * z
		}
		products += p.Factor * p.Factor * p.Term.own
		noise += p.Factor * p.Factor * p.Term.size * rounding
		for j, q := range parts[:i] {
			products += 2 * p.Factor * q.Factor * product(p.Term, q.Term, overlap(i, j))
		}
	}
	outside := e.pulled(parts)
	return e.centred(products, sums, sums) + e.covary(outside, outside), noise
}

// TermRatio estimates the total of num over that of den, linearised: z is that
// of (num - R den)/D. It is undefined where den's total is 0.
func (e *Estimator) TermRatio(num, den *Term) Estimate {
	return e.ratio(num, den, func(_, _ int) float64 { return e.overlap(num, den) })
}

// NestedRatio is TermRatio where den is of 0s and 1s, everyone in num being in
// den: persons of persons, or an amount a person. It is 1 without error where
// num is all of den.
func (e *Estimator) NestedRatio(num, den *Term) Estimate {
	if num.Values == nil && len(num.At) == len(den.At) && len(den.At) > 0 {
		return Estimate{Value: 1}
	}
	return e.ratio(num, den, e.nested(num, den))
}

// nested gives the overlap of a term and a larger one that holds it.
func (e *Estimator) nested(small, large *Term) func(_, _ int) float64 {
	return func(_, _ int) float64 {
		if e.alone() {
			return small.whole
		}
		return e.overlap(small, large)
	}
}

func (e *Estimator) ratio(num, den *Term, overlap func(i, j int) float64) Estimate {
	if den.Total == 0 {
		return undefined
	}
	ratio := num.Total / den.Total
	if num == den {
		return Estimate{Value: ratio}
	}
	variance, noise := e.variance(linearised(num, den), overlap)
	return estimate(ratio, variance, noise)
}

// linearised gives the parts whose variance is that of a ratio.
func linearised(num, den *Term) []Part {
	return []Part{{1 / den.Total, num}, {-num.Total / den.Total / den.Total, den}}
}

// NestedIndex estimates both*all/(a*b), the ratio of an overlap to what it
// would be by chance, for terms of 0s and 1s: both is who is in a and in b, and
// all holds a and b. It is undefined where a or b is nobody.
func (e *Estimator) NestedIndex(both, all, a, b *Term) Estimate {
	if a.Total == 0 || b.Total == 0 {
		return undefined
	}
	if both.Total == 0 {
		return Estimate{}
	}
	value := both.Total * all.Total / (a.Total * b.Total)
	parts := []Part{{1 / both.Total, both}, {1 / all.Total, all}, {-1 / a.Total, a}, {-1 / b.Total, b}}
	overlap := func(i, j int) float64 { return e.overlap(parts[i].Term, parts[j].Term) }
	if e.alone() {
		known := [4][4]float64{1: {both.size}, 2: {both.size, a.size}, 3: {both.size, b.size, both.size}}
		overlap = func(i, j int) float64 { return known[i][j] }
	}
	variance, noise := e.variance(parts, overlap)
	return estimate(value, value*value*variance, value*value*noise)
}
