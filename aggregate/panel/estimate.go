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

// Value gives the sum of a variable over the universe, without its error.
func (w *Weights) Value(v Variable) float64 {
	var total float64
	for k, i := range v.At {
		total += w.people[i].final * v.value(k)
	}
	return total
}

// fit regresses on the margins' indicators, weighted by base weights: it turns
// a variable's sums by cell into the fitted value of the cell's every panelist.
func (w *Weights) fit(cells []float64) {
	m, moments := len(w.starts), make([]float64, w.slopes)
	for c, sum := range cells {
		if sum == 0 {
			continue
		}
		for k, code := range w.cellCodes[c*m : (c+1)*m] {
			moments[w.starts[k]+int(code)] += sum
		}
	}
	slopes := make([]float64, w.slopes)
	for i := range slopes {
		for j, x := range w.inverse[i*w.slopes : (i+1)*w.slopes] {
			slopes[i] += x * moments[j]
		}
	}
	for c := range cells {
		cells[c] = 0
		for k, code := range w.cellCodes[c*m : (c+1)*m] {
			cells[c] += slopes[w.starts[k]+int(code)]
		}
	}
}

// rounding is what sums of a panel's size leave, at most, of a sum of squares
// that nothing is left of: the variable is then a margin's own, or two variables
// are one and the same.
const rounding = 1e-13

// spread turns sums of z into n/(n-1) sum (z - mean z)^2, 0 where it is not
// above what rounding leaves.
func spread(sum, square, noise float64, n int) float64 {
	if n < 2 {
		return math.NaN()
	}
	out := (square - sum*sum/float64(n)) * float64(n) / float64(n-1)
	if out <= noise {
		return 0
	}
	return out
}
