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

// Sum gives the sum of variables, such as the services that each person uses.
func Sum(list ...Variable) Variable {
	switch len(list) {
	case 0:
		return Variable{}
	case 1:
		return list[0]
	}
	half := len(list) / 2
	return Combine(1, Sum(list[:half]...), 1, Sum(list[half:]...))
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
func (w *Weights) Total(v Variable) Estimate { return w.linear(term{1, v}) }

// Value gives Total's value alone.
func (w *Weights) Value(v Variable) float64 {
	var total float64
	for k, i := range v.At {
		total += w.people[i].final * v.value(k)
	}
	return total
}

// Diff estimates the total of x less that of y: two services of one month.
func (w *Weights) Diff(x, y Variable) Estimate { return w.linear(term{1, x}, term{-1, y}) }

// Ratio estimates the total of num over that of den, linearised: z is the
// residual of (num - R den)/D. It is undefined where den's total is 0.
func (w *Weights) Ratio(num, den Variable) Estimate {
	base := w.Value(den)
	if base == 0 {
		return undefined
	}
	ratio := w.Value(num) / base
	return Estimate{Value: ratio, SE: w.linear(term{1 / base, num}, term{-ratio / base, den}).SE}
}

// Product estimates the product of the totals of num over that of the totals
// of den, linearised: an index such as dup*A/(UA_a*UA_b). It is undefined
// where a total of den is 0. Where one of num is, it is 0 without error.
func (w *Weights) Product(num, den []Variable) Estimate {
	value := 1.0
	var terms []term
	for _, v := range den {
		total := w.Value(v)
		if total == 0 {
			return undefined
		}
		value /= total
		terms = append(terms, term{-1 / total, v})
	}
	for _, v := range num {
		total := w.Value(v)
		value *= total
		terms = append(terms, term{1 / total, v})
	}
	if value == 0 {
		return Estimate{}
	}
	return Estimate{Value: value, SE: math.Abs(value) * w.linear(terms...).SE}
}

// term is a variable times a constant.
type term struct {
	k float64
	v Variable
}

// linear estimates the total of a sum of terms.
func (w *Weights) linear(terms ...term) Estimate {
	s := w.scratch()
	defer w.pool.Put(s)
	m := w.moments(s, terms)
	return Estimate{Value: m.total, SE: math.Sqrt(spread(m.sum, m.square, m.size*rounding, len(w.people)))}
}

// scratch is room for one estimate.
type scratch struct {
	y     []float64 // of each panelist; all 0 between estimates
	fit   []float64 // of each cell
	users []sums    // of each cell
}

func (w *Weights) scratch() *scratch {
	s, ok := w.pool.Get().(*scratch)
	if !ok {
		return &scratch{y: make([]float64, len(w.people)), fit: make([]float64, w.cells()), users: make([]sums, w.cells())}
	}
	clear(s.fit)
	clear(s.users)
	return s
}

// moments is what a variance is made of: sums over the roster of z, the final
// weight times the residual, and of z squared.
type moments struct {
	total       float64 // of the variable
	sum, square float64
	size        float64 // the sum of squares before regression
}

// moments regresses a sum of terms and sums its z. It leaves s.y all 0, and in
// s.fit each cell's fitted value.
func (w *Weights) moments(s *scratch, terms []term) moments {
	m := moments{total: w.gather(s, terms)}
	w.fit(s.fit)
	w.addUsers(&m, s, terms)
	w.addOthers(&m, s)
	return m
}

// gather adds the terms up, by panelist in y and by cell (with base weights) in
// fit, and gives their total.
func (w *Weights) gather(s *scratch, terms []term) float64 {
	var total float64
	for _, t := range terms {
		for k, i := range t.v.At {
			p, y := &w.people[i], t.k*t.v.value(k)
			s.y[i] += y
			s.fit[p.cell] += p.base * y
			total += p.final * y
		}
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

// addUsers adds the z of those with a y.
func (w *Weights) addUsers(m *moments, s *scratch, terms []term) {
	for _, t := range terms {
		for _, i := range t.v.At {
			y := s.y[i]
			if y == 0 {
				continue // or counted already
			}
			s.y[i] = 0
			p := &w.people[i]
			z := p.final * (y - s.fit[p.cell])
			m.sum += z
			m.square += z * z
			m.size += p.final * p.final * y * y
			s.users[p.cell].add(p.final)
		}
	}
}

// addOthers adds the z of those whose y is 0, cell by cell: their residual is
// the fitted value with its sign changed.
func (w *Weights) addOthers(m *moments, s *scratch) {
	for c, all := range w.cellSums {
		if all.n == s.users[c].n {
			continue
		}
		z := s.fit[c]
		m.sum -= z * (all.final - s.users[c].final)
		m.square += z * z * max(all.square-s.users[c].square, 0)
	}
}

func (s *sums) add(final float64) {
	s.n++
	s.final += final
	s.square += final * final
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
