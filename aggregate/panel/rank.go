package panel

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Place is the ranks that a figure may have, 1 for the largest.
type Place struct{ Low, High int }

// Places gives the ranks that each of some figures may have, all at once at the
// level of confidence. difference estimates figure i less figure j.
//
// Each pair's difference has a two-sided p by t; Holm (1979, "A simple
// sequentially rejective multiple test procedure", Scand. J. Statist. 6) says
// which pairs differ for sure. A figure may rank behind those surely ahead of it
// only, and ahead of those surely behind it.
func (v Intervals) Places(n int, difference func(i, j int) Estimate) []Place {
	type pair struct {
		ahead, behind int
		p             float64
	}
	var pairs []pair
	for i := range n {
		for j := range i {
			d := difference(i, j)
			one := pair{i, j, v.twoSided(d)}
			if d.Value < 0 {
				one.ahead, one.behind = j, i
			}
			pairs = append(pairs, one)
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		switch {
		case a.p < b.p:
			return -1
		case a.p > b.p:
			return 1
		}
		return 0
	})
	out := make([]Place, n)
	for i := range out {
		out[i] = Place{Low: 1, High: n}
	}
	for k, pair := range pairs {
		if !(pair.p*float64(len(pairs)-k) < 1-v.level) {
			break
		}
		out[pair.behind].Low++
		out[pair.ahead].High--
	}
	return out
}

// twoSided gives the probability of a difference as large as this one, either
// way, were there none.
func (v Intervals) twoSided(d Estimate) float64 {
	switch {
	case d.SE > 0:
		t := distuv.StudentsT{Sigma: 1, Nu: float64(v.df)}
		return 2 * t.CDF(-math.Abs(d.Value)/d.SE)
	case d.Value == 0:
		return 1
	}
	return 0
}
