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
