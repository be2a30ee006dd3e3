package panel

import (
	"math"
	"slices"
	"sort"

	"rollcall"
)

// Months is the panelists of several months in one estimator: a row for each
// panelist of each month. Rows of one person vary together, so a difference or
// a mean of months is judged as what it is: mostly the same people, asked more
// than once. A person's household and stratum are the latest month's; a stratum
// left with one cluster is centred on the mean of all clusters.
type Months struct {
	*Estimator
	months []*Weights
	first  []int // of each month, and one more: its panelists' rows
}

// join joins months, the latest last, every weight times a factor.
func join(factor float64, months ...*Weights) *Months {
	m := &Months{Estimator: &Estimator{}, months: months, first: []int{0}}
	slopes, rows := 0, 0
	for _, w := range months {
		rows += w.Len()
	}
	m.people = make([]person, 0, rows)
	for _, w := range months {
		m.append(w, factor, slopes)
		slopes += w.slopes()
	}
	m.outside = united(months)
	m.prepare(m.match(months), blockDiagonal(months, slopes))
	return m
}

// Pool joins months for their mean: the total of a variable of every month is
// the mean of the months' totals, and the universe that of their universes.
func Pool(months ...*Weights) *Months { return join(1/float64(len(months)), months...) }

// append adds a month's rows and cells.
func (m *Months) append(w *Weights, factor float64, slopes int) {
	cells := int32(len(m.categories))
	for _, p := range w.people {
		p.final *= factor
		p.cell += cells
		m.people = append(m.people, p)
	}
	for _, categories := range w.categories {
		own := slices.Clone(categories)
		for i := range own {
			own[i] += int32(slopes)
		}
		m.categories = append(m.categories, own)
	}
	m.universe += factor * w.universe
	m.first = append(m.first, len(m.people))
}

// match finds each row's person by pseudonym, and makes the clusters.
func (m *Months) match(months []*Weights) *design {
	m.of = make([]int32, len(m.people))
	units := make([]unit, len(m.people))
	person := make(map[rollcall.Visitor]int32, len(m.people))
	var latest []unit
	for k := len(months) - 1; k >= 0; k-- {
		for i, id := range months[k].ids {
			number, ok := person[id]
			if !ok {
				number = int32(len(latest))
				person[id] = number
				latest = append(latest, months[k].units[i])
			}
			row := m.first[k] + i
			m.of[row], units[row] = number, latest[number]
		}
	}
	m.persons = len(latest)
	return newDesign(units, m.of)
}

// blockDiagonal gives the regression of the months, each on its own margins.
func blockDiagonal(months []*Weights, slopes int) []float64 {
	out := make([]float64, slopes*slopes)
	at := 0
	for _, w := range months {
		n := w.slopes()
		for i := range n {
			copy(out[(at+i)*slopes+at:], w.inverse[i*n:(i+1)*n])
		}
		at += n
	}
	return out
}

// Row gives the row of a month's panelist; months count from 0.
func (m *Months) Row(month int, panelist int32) int32 { return int32(m.first[month]) + panelist }

// Month gives the month that a row is of.
func (m *Months) Month(row int32) int {
	return sort.SearchInts(m.first, int(row)+1) - 1
}

// Variable gives a variable of the months' panelists as one of the rows: one
// variable a month, the latest last.
func (m *Months) Variable(months ...Variable) Variable {
	var out Variable
	values := slices.ContainsFunc(months, func(v Variable) bool { return v.Values != nil })
	for k, v := range months {
		for i, at := range v.At {
			out.At = append(out.At, m.Row(k, at))
			if values {
				out.Values = append(out.Values, v.value(i))
			}
		}
	}
	return out
}

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
	out.v11 = p.centred(a.own, a.sums, a.sums) + p.covary(a.pulled, a.pulled)
	out.v22 = p.centred(b.own, b.sums, b.sums) + p.covary(b.pulled, b.pulled)
	out.v12 = p.centred(product(a, b, p.overlap(a, b)), a.sums, b.sums) + p.covary(a.pulled, b.pulled)
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
