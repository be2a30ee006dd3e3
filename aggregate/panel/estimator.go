package panel

import "math"

// Variable is one number a panelist, given for those where it is not 0.
type Variable struct {
	At     []int32   // positions in the roster, ascending, each once
	Values []float64 // one each; nil: 1 each, as for users of a service
}

// Dense makes a variable of one number a panelist, in the roster's order.
func Dense(values []float64) Variable {
	n := 0
	for _, y := range values {
		if y != 0 {
			n++
		}
	}
	v := Variable{At: make([]int32, 0, n), Values: make([]float64, 0, n)}
	for i, y := range values {
		if y != 0 {
			v.At = append(v.At, int32(i))
			v.Values = append(v.Values, y)
		}
	}
	return v
}

// Users gives the number of panelists where the variable is given.
func (v Variable) Users() int { return len(v.At) }

func (v Variable) value(k int) float64 {
	if v.Values == nil {
		return 1
	}
	return v.Values[k]
}

// Estimate is a figure and its standard error, in the figure's own unit. Both
// are NaN where the figure is undefined, such as a ratio to 0; the standard
// error alone is NaN where the roster has one panelist.
type Estimate struct {
	Value float64
	SE    float64
}

var undefined = Estimate{Value: math.NaN(), SE: math.NaN()}

// Defined reports whether there is a figure at all.
func (e Estimate) Defined() bool { return !math.IsNaN(e.Value) }

// Scale gives the estimate of k times the figure: 100 makes it a percentage.
func (e Estimate) Scale(k float64) Estimate {
	return Estimate{Value: k * e.Value, SE: math.Abs(k) * e.SE}
}

// exact is the part of a figure under which a standard error is rounding.
const exact = 1e-9

// estimate makes an estimate of a variance, whose noise is what rounding leaves
// of it at most.
func estimate(value, variance, noise float64) Estimate {
	se := math.Sqrt(math.Max(variance, 0)) // NaN stays
	if variance <= noise || se <= exact*math.Abs(value) {
		se = 0
	}
	return Estimate{Value: value, SE: se}
}

// rounding is what sums of a panel's size leave, at most, of a sum of squares
// that nothing is left of: the variable is then a margin's own, or two variables
// are one and the same.
const rounding = 1e-13

// Estimator estimates over the panelists of one month, or of several: who they
// are, their weights, and the regression of a variable on the margins. It never
// changes, and is safe for concurrent use.
type Estimator struct {
	members
	regression
	outside
	of       []int32 // the person of each panelist; nil: each is another
	persons  int     // how many persons the panelists are
	universe float64 // that the weights add up to
	everyone *Term
	squares  []float64 // sum over clusters of factor*g*g', g the weights of a cluster by category; row-major
	strata   []float64 // the weights of each stratum by category, row-major
}

// person is one panelist's part in a figure.
type person struct {
	base, final float64
	factor      float64 // of the cluster's stratum
	cell        int32
}

// prepare ends an estimator whose panelists, with their weights, and whose
// cells are known.
func (e *Estimator) prepare(d *design, inverse []float64) {
	e.design, e.inverse, e.cells = d, inverse, len(e.categories)
	slopes := e.slopes()
	e.strata, e.squares = make([]float64, slopes*len(d.size)), make([]float64, len(inverse))
	for i := range e.people {
		p := &e.people[i]
		p.factor = d.factor(d.cluster[i])
		row := e.strata[int(d.stratum[d.cluster[i]])*slopes:]
		for _, k := range e.categories[p.cell] {
			row[k] += p.final
		}
	}
	e.square(slopes)
	e.everyone = e.Term(e.all())
}

// square sums the products of each cluster's weights by category.
func (e *Estimator) square(slopes int) {
	weight := make([]float64, slopes)
	var touched []int32
	for c := range e.clusters() {
		touched = touched[:0]
		for _, i := range e.design.of(int32(c)) {
			p := &e.people[i]
			for _, k := range e.categories[p.cell] {
				if weight[k] == 0 {
					touched = append(touched, k)
				}
				weight[k] += p.final
			}
		}
		factor := e.factor(int32(c))
		for _, k := range touched {
			row := e.squares[int(k)*slopes:]
			for _, l := range touched {
				row[l] += factor * weight[k] * weight[l]
			}
		}
		for _, k := range touched {
			weight[k] = 0
		}
	}
}

// all is the variable of everyone.
func (e *Estimator) all() Variable {
	v := Variable{At: make([]int32, len(e.people))}
	for i := range v.At {
		v.At[i] = int32(i)
	}
	return v
}

// Universe gives the population that the weights add up to: U, or over several
// months their mean.
func (e *Estimator) Universe() float64 { return e.universe }

// Len gives the number of panelists: over several months, of the rows.
func (e *Estimator) Len() int { return len(e.people) }

// Persons gives how many persons the panelists are.
func (e *Estimator) Persons() int { return e.persons }

// Final gives the final weights, persons per panelist, in the panelists' order.
func (e *Estimator) Final() []float64 {
	out := make([]float64, len(e.people))
	for i, p := range e.people {
		out[i] = p.final
	}
	return out
}

// Everyone gives the term of the whole universe.
func (e *Estimator) Everyone() *Term { return e.everyone }

// Value gives the sum of a variable over the universe, without its error.
func (e *Estimator) Value(v Variable) float64 {
	var total float64
	for k, i := range v.At {
		total += e.people[i].final * v.value(k)
	}
	return total
}

// Distinct counts the persons at some positions.
func (e *Estimator) Distinct(at []int32) int {
	if e.of == nil {
		return len(at)
	}
	seen, n := make([]bool, e.persons), 0
	for _, i := range at {
		if !seen[e.of[i]] {
			seen[e.of[i]] = true
			n++
		}
	}
	return n
}
