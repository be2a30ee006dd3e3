package panel

import (
	"fmt"
	"math"
)

// Variable is one number a panelist, given for those where it is not 0.
type Variable struct {
	At     []int32   // positions in the roster, ascending, each once
	Values []float64 // one each; nil: 1 each, as for users of a service
}

// Dense makes a variable of one number a panelist, in the roster's order.
func Dense(values []float64) Variable {
	var v Variable
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

// Combine gives a*x + b*y.
func Combine(a float64, x Variable, b float64, y Variable) Variable {
	n := len(x.At) + len(y.At)
	out := Variable{At: make([]int32, 0, n), Values: make([]float64, 0, n)}
	i, j := 0, 0
	for i < len(x.At) || j < len(y.At) {
		switch {
		case j == len(y.At) || i < len(x.At) && x.At[i] < y.At[j]:
			out = out.with(x.At[i], a*x.value(i))
			i++
		case i == len(x.At) || y.At[j] < x.At[i]:
			out = out.with(y.At[j], b*y.value(j))
			j++
		default:
			out = out.with(x.At[i], a*x.value(i)+b*y.value(j))
			i, j = i+1, j+1
		}
	}
	return out
}

func (v Variable) with(at int32, value float64) Variable {
	return Variable{At: append(v.At, at), Values: append(v.Values, value)}
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

// Total estimates the sum of a variable over the universe: a unique audience
// where it is 0 or 1. Its cost is that of the users, not of the roster.
func (w *Weights) Total(v Variable) Estimate {
	fit := w.fit(v)
	return Estimate{Value: fit.total, SE: math.Sqrt(w.variance(v, fit))}
}

// Value gives Total's value alone.
func (w *Weights) Value(v Variable) float64 {
	var total float64
	for k, i := range v.At {
		total += w.people[i].final * v.value(k)
	}
	return total
}

// Diff estimates the total of x less that of y: two services of one month.
func (w *Weights) Diff(x, y Variable) Estimate { return w.Total(Combine(1, x, -1, y)) }

// Ratio estimates the total of num over that of den, linearised: z is the
// residual of (num - R den)/D. It is undefined where den's total is 0.
func (w *Weights) Ratio(num, den Variable) Estimate {
	base := w.Value(den)
	if base == 0 {
		return undefined
	}
	ratio := w.Value(num) / base
	linear := w.Total(Combine(1/base, num, -ratio/base, den))
	return Estimate{Value: ratio, SE: linear.SE}
}

// Product estimates the product of the totals of num over that of the totals
// of den, linearised: an index such as dup*A/(UA_a*UA_b). It is undefined
// where a total of den is 0. Where one of num is, it is 0 without error.
func (w *Weights) Product(num, den []Variable) Estimate {
	value := 1.0
	var linear Variable
	for k, v := range append(append([]Variable(nil), num...), den...) {
		total, sign := w.Value(v), 1.0
		if k >= len(num) {
			sign = -1
		}
		if total == 0 && sign < 0 {
			return undefined
		}
		value *= math.Pow(total, sign)
		linear = Combine(1, linear, sign/total, v)
	}
	if value == 0 {
		return Estimate{}
	}
	return Estimate{Value: value, SE: math.Abs(value) * w.Total(linear).SE}
}

// fitted is a variable's total and its regression on the margins.
type fitted struct {
	total float64
	cells []float64 // the fitted value of every panelist of the cell
}

// fit regresses a variable on the margins' indicators, weighted by base weights.
func (w *Weights) fit(v Variable) fitted {
	out := fitted{cells: make([]float64, w.cells())}
	last := int32(-1)
	for k, i := range v.At {
		if i <= last {
			panic(fmt.Sprintf("panel: position %d of a variable follows %d", i, last))
		}
		last = i
		p, y := &w.people[i], v.value(k)
		out.total += p.final * y
		out.cells[p.cell] += p.base * y
	}
	slopes, m := w.regress(out.cells), len(w.starts)
	for c := range out.cells {
		fit := 0.0
		for k, code := range w.cellCodes[c*m : (c+1)*m] {
			fit += slopes[w.starts[k]+int(code)]
		}
		out.cells[c] = fit
	}
	return out
}

// regress turns sums by cell into a slope per category.
func (w *Weights) regress(cells []float64) []float64 {
	p, m := w.slopes, len(w.starts)
	moments := make([]float64, p)
	for c, sum := range cells {
		if sum == 0 {
			continue
		}
		for k, code := range w.cellCodes[c*m : (c+1)*m] {
			moments[w.starts[k]+int(code)] += sum
		}
	}
	slopes := make([]float64, p)
	for i := range slopes {
		for j, x := range w.inverse[i*p : (i+1)*p] {
			slopes[i] += x * moments[j]
		}
	}
	return slopes
}

// variance gives n/(n-1) sum (z - mean z)^2 over the roster, z the final weight
// times the residual. Those outside the variable are taken cell by cell: their
// residual is the fitted value with its sign changed.
func (w *Weights) variance(v Variable, fit fitted) float64 {
	users := make([]sums, w.cells())
	var sum, square, size float64
	for k, i := range v.At {
		p, y := &w.people[i], v.value(k)
		z := p.final * (y - fit.cells[p.cell])
		sum += z
		square += z * z
		size += p.final * p.final * y * y
		u := &users[p.cell]
		u.n++
		u.final += p.final
		u.square += p.final * p.final
	}
	for c, all := range w.cellSums {
		if all.n == users[c].n {
			continue
		}
		z := fit.cells[c]
		sum -= z * (all.final - users[c].final)
		square += z * z * max(all.square-users[c].square, 0)
	}
	return spread(sum, square, size*rounding, len(w.people))
}

// rounding is what a sum of squared residuals keeps, at most, of the sum of
// squares that a regression has wholly explained: the variable is then a
// margin's own.
const rounding = 1e-18

// spread turns sums of z into n/(n-1) sum (z - mean z)^2, 0 where it is not
// above what rounding leaves.
func spread(sum, square, rounding float64, n int) float64 {
	if n < 2 {
		return math.NaN()
	}
	out := (square - sum*sum/float64(n)) * float64(n) / float64(n-1)
	if out <= rounding {
		return 0
	}
	return out
}
