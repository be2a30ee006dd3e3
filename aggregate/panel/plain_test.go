package panel

import (
	"fmt"
	"math"
	"strconv"

	"rollcall"
)

// The plain estimates are the tests' oracle: each makes one number a panelist,
// takes its residual from a regression, panelist by panelist, and sums squares.
// Nothing of it is shared with Term but the regression, which
// TestStandardErrorIsADenseRegressions holds against a dense one.

// Total estimates the sum of a variable over the universe.
func (w *Weights) Total(v Variable) Estimate {
	return Estimate{Value: w.Value(v), SE: w.plainError(w.spreadOut(1, v))}
}

// Diff estimates the total of x less that of y.
func (w *Weights) Diff(x, y Variable) Estimate {
	return Estimate{Value: w.Value(x) - w.Value(y), SE: w.plainError(w.spreadOut(1, x), w.spreadOut(-1, y))}
}

// Ratio estimates the total of num over that of den.
func (w *Weights) Ratio(num, den Variable) Estimate {
	return w.Product([]Variable{num}, []Variable{den})
}

// Product estimates the product of the totals of num over that of the totals
// of den.
func (w *Weights) Product(num, den []Variable) Estimate {
	value := 1.0
	var parts [][]float64
	for _, v := range den {
		total := w.Value(v)
		if total == 0 {
			return undefined
		}
		value /= total
		parts = append(parts, w.spreadOut(-1/total, v))
	}
	for _, v := range num {
		total := w.Value(v)
		value *= total
		parts = append(parts, w.spreadOut(1/total, v))
	}
	if value == 0 {
		return Estimate{}
	}
	return Estimate{Value: value, SE: math.Abs(value) * w.plainError(parts...)}
}

// spreadOut gives k times a variable, one number a panelist.
func (w *Weights) spreadOut(k float64, v Variable) []float64 {
	y := make([]float64, len(w.people))
	for i, at := range v.At {
		y[at] = k * v.value(i)
	}
	return y
}

// plainError gives the standard error of the total of a sum of variables.
func (w *Weights) plainError(parts ...[]float64) float64 {
	y, size := make([]float64, len(w.people)), 0.0
	for i := range y {
		for _, part := range parts {
			y[i] += part[i]
		}
		size += w.people[i].final * w.people[i].final * y[i] * y[i]
	}
	se, _ := SpreadOf(w.plainZ(y), w.plainUnits())
	if se*se <= size*rounding {
		return 0
	}
	return se
}

// plainZ gives each panelist's final weight times the residual.
func (w *Weights) plainZ(y []float64) []float64 {
	byCell := make([]float64, len(w.cellSums))
	for i, p := range w.people {
		byCell[p.cell] += p.base * y[i]
	}
	fit, z := w.fit(w.regress(byCell)), make([]float64, len(y))
	for i, p := range w.people {
		z[i] = p.final * (y[i] - fit[p.cell])
	}
	return z
}

// plainSkew gives the skewness of a ratio's estimate.
func (w *Weights) plainSkew(num, den Variable) float64 {
	base := w.Value(den)
	x, y := w.spreadOut(1/base, num), w.spreadOut(-w.Value(num)/base/base, den)
	for i := range x {
		x[i] += y[i]
	}
	se, cubes := SpreadOf(w.plainZ(x), w.plainUnits())
	return cubes / (se * se * se)
}

// plainEffective gives (sum of w)^2 over the sum of squared household weights.
func (w *Weights) plainEffective(v Variable) float64 {
	byCluster := map[PlainUnit]float64{}
	var sum, squares float64
	units := w.plainUnits()
	for _, i := range v.At {
		byCluster[units[i]] += w.people[i].final
		sum += w.people[i].final
	}
	for _, x := range byCluster {
		squares += x * x
	}
	return sum * sum / squares
}

// PlainUnit is a panelist's stratum and cluster.
type PlainUnit struct {
	Stratum rollcall.Stratum
	Cluster string
}

func (w *Weights) plainUnits() []PlainUnit {
	out := make([]PlainUnit, len(w.people))
	for i, u := range w.units {
		out[i] = UnitOf(u.stratum, u.household, strconv.Itoa(i))
	}
	return out
}

// UnitOf gives a panelist's unit: a household, or one of its own by name.
func UnitOf(s rollcall.Stratum, h rollcall.Household, name string) PlainUnit {
	if h != 0 {
		name = fmt.Sprint("household ", h)
	}
	return PlainUnit{s, fmt.Sprint(s, " ", name)}
}

// SpreadOf gives the root of sum over strata of c/(c-1) sum (z - mean z)^2 over
// its clusters, and the sum of the cubes of the same differences. A stratum of
// one cluster takes the mean of all.
func SpreadOf(z []float64, units []PlainUnit) (se, cubes float64) {
	strata := map[rollcall.Stratum]map[string]float64{}
	for i, u := range units {
		if strata[u.Stratum] == nil {
			strata[u.Stratum] = map[string]float64{}
		}
		strata[u.Stratum][u.Cluster] += z[i]
	}
	var sum, clusters float64
	for _, stratum := range strata {
		for _, x := range stratum {
			sum += x
			clusters++
		}
	}
	var variance float64
	for _, stratum := range strata {
		c, mean := float64(len(stratum)), 0.0
		for _, x := range stratum {
			mean += x / c
		}
		factor := c / (c - 1)
		if c == 1 {
			mean, factor = sum/clusters, 1
		}
		for _, x := range stratum {
			variance += factor * (x - mean) * (x - mean)
			cubes += (x - mean) * (x - mean) * (x - mean)
		}
	}
	return math.Sqrt(variance), cubes
}

// Combine gives a*x + b*y.
func Combine(a float64, x Variable, b float64, y Variable) Variable {
	sum := map[int32]float64{}
	last := int32(-1)
	for k, i := range x.At {
		sum[i] += a * x.value(k)
		last = max(last, i)
	}
	for k, i := range y.At {
		sum[i] += b * y.value(k)
		last = max(last, i)
	}
	out := make([]float64, last+1)
	for i, value := range sum {
		out[i] = value
	}
	return Dense(out)
}

// Change is TermChange of two variables.
func (p *Pair) Change(now, before Variable) Change {
	return p.TermChange(p.now.Term(now), p.before.Term(before))
}
