package panel

import (
	"fmt"
	"math"

	"rollcall"
)

// The sweeps that bound the raking, of cells and of trimmed panelists (which
// are many more): what has not converged by then will not.
const (
	mostSweeps    = 10000
	mostTrimmings = 1000
)

// Rake weighs a roster to a population by iterative proportional fitting from
// the base weights (Deming and Stephan 1940), until every margin is within
// 1e-9 of its target. With a trim, weights are clipped after each sweep, until
// none needs it and every margin is within 1e-6. It refuses, with ErrInvalid
// and the category named: margins that disagree, a target category without a
// panelist, a panelist without a category, and what does not converge. Margins of
// users are raked with the others; one that is not under the universe, or has few
// panelists on a side, is refused too.
func Rake(r *rollcall.Roster, p *rollcall.Population, trim rollcall.Trim, users ...Users) (*Weights, error) {
	if err := trim.Validate(); err != nil {
		return nil, err
	}
	f, list := newFrame(r, p, users)
	if len(list) > 0 {
		return nil, refuse(list)
	}
	return weigh(f, f.cells(len(r.Panelists)), peopleOf(r.Panelists), trim)
}

// people is what weighing needs of each panelist, besides the frame.
type people struct {
	base  []float64
	ids   []rollcall.Visitor
	units []unit
}

func peopleOf(list []rollcall.Panelist) *people {
	p := &people{base: make([]float64, len(list)), ids: make([]rollcall.Visitor, len(list)), units: make([]unit, len(list))}
	for i := range list {
		p.base[i], p.ids[i], p.units[i] = list[i].BaseWeight, list[i].ID, unit{list[i].Stratum, list[i].Household}
	}
	return p
}

// weigh rakes a frame: whole cells at a time, as raking gives all panelists of
// one cell one factor, or panelist by panelist where weights are trimmed.
func weigh(f *frame, cells []int32, p *people, trim rollcall.Trim) (*Weights, error) {
	n := len(p.base)
	w := &Weights{Estimator: &Estimator{members: members{people: make([]person, n)}, persons: n, universe: f.universe}, frame: f, trim: trim, ids: p.ids, units: p.units}
	w.group(p.base, cells)
	s := w.solver()
	for i, p := range w.people {
		if trim.On() {
			s.weights[i] = p.base
		} else {
			s.weights[p.cell] += p.base
		}
	}
	if err := s.solve(trim.On()); err != nil {
		return nil, err
	}
	w.iterations = s.sweeps
	w.finish(s.weights)
	return w, nil
}

// solver makes one for the panelists' cells, or for panelists that are trimmed.
// It has no weights yet.
func (w *Weights) solver() *solver {
	if !w.trim.On() {
		return &solver{frame: w.frame, codes: w.cellCodes, weights: make([]float64, len(w.cellSums))}
	}
	n := len(w.people)
	mean := w.frame.universe / float64(n)
	s := &solver{frame: w.frame, codes: w.frame.codes, weights: make([]float64, n), low: w.trim.Floor * mean, high: math.Inf(1)}
	if w.trim.Cap > 0 {
		s.high = w.trim.Cap * mean
	}
	return s
}

// solver rakes units (cells or panelists) to the frame's targets.
type solver struct {
	frame     *frame
	codes     []int32 // unit by axis, row-major
	weights   []float64
	low, high float64   // of a trimmed weight
	bounds    []float64 // by unit: multiples of low and high; nil: 1
	sums      [][]float64
	sweeps    int
}

func (s *solver) solve(trimmed bool) error {
	s.sums = make([][]float64, len(s.frame.axes))
	for k, a := range s.frame.axes {
		s.sums[k] = make([]float64, len(a.targets))
	}
	most := mostSweeps
	if trimmed {
		most = mostTrimmings
	}
	for s.sweeps = 1; s.sweeps <= most; s.sweeps++ {
		for k := range s.frame.axes {
			s.sweep(k)
		}
		limit := metMargin
		if trimmed && s.clip() {
			limit = trimmedMiss
		}
		if s.worst().off <= limit {
			return nil
		}
	}
	return s.refuse(trimmed)
}

func (s *solver) add(k int) []float64 {
	sums, m := s.sums[k], len(s.frame.axes)
	clear(sums)
	for unit, weight := range s.weights {
		sums[s.codes[unit*m+k]] += weight
	}
	return sums
}

// sweep scales every unit so that axis k meets its targets.
func (s *solver) sweep(k int) {
	factors, m := s.add(k), len(s.frame.axes)
	for c, target := range s.frame.axes[k].targets {
		if target > 0 {
			factors[c] = target / factors[c]
		}
	}
	for unit := range s.weights {
		s.weights[unit] *= factors[s.codes[unit*m+k]]
	}
}

// clip puts the weights within bounds and reports whether any was outside.
func (s *solver) clip() bool {
	clipped := false
	for i, weight := range s.weights {
		times := 1.0
		if s.bounds != nil {
			times = s.bounds[i]
		}
		s.weights[i] = min(max(weight, times*s.low), times*s.high)
		clipped = clipped || s.weights[i] != weight
	}
	return clipped
}

// miss is how far a category is off its target.
type miss struct {
	axis, category int
	off            float64 // relative; NaN where a sum is not finite
	sum            float64
}

// worst finds the category that misses its target most.
func (s *solver) worst() miss {
	var worst miss
	for k, a := range s.frame.axes {
		for c, sum := range s.add(k) {
			target := a.targets[c]
			if target == 0 {
				continue
			}
			off := math.Abs(sum-target) / target
			if !(off <= worst.off) {
				worst = miss{axis: k, category: c, off: off, sum: sum}
			}
		}
	}
	return worst
}

func (s *solver) refuse(trimmed bool) error {
	worst := s.worst()
	a := s.frame.axes[worst.axis]
	why := "raking does not converge"
	if trimmed {
		why = "raking with trimmed weights does not converge"
	}
	return &rollcall.Invalid{
		Field: "margin " + a.name + ", category", Value: a.categories[worst.category], Code: "convergence",
		Reason: fmt.Sprintf("%s: after %d sweeps it holds %s persons for a target of %s",
			why, s.sweeps-1, persons(worst.sum), persons(a.targets[worst.category])),
	}
}
