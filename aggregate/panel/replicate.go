package panel

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"rollcall"
)

// Replicates are weights of samples that are drawn from the sample, with which
// anyone can compute the standard error of any figure: Rao and Wu 1988
// ("Resampling inference with complex survey data", JASA 83), as rescaled by Rao,
// Wu and Yue 1992 ("Some recent work on resampling methods for complex surveys",
// Survey Methodology 18). Of a stratum's c clusters c-1 are drawn with
// replacement; a panelist whose cluster came r times has r*c/(c-1) times the base
// weight, and all are raked anew. The standard error of a figure is the root of
// the mean squared deviation of the replicates' figures from the sample's own.
//
// Several months are drawn as one sample: a person's household is in all of them
// or in none. The same seed gives the same weights. It is safe for concurrent
// use.
type Replicates struct {
	*Months
	Seed    uint64
	Redrawn int // draws that could not be raked, and were made anew

	failed  []int       // of each replicate, the draws before the one that counts
	off     [][]float64 // of each input from outside, by replicate: how many of its standard errors it is off
	members [][]int32   // of each stratum, its clusters
}

// mostRedrawn is the part of the replicates that may be drawn anew: beyond it
// those that are left are no fair sample of the samples that might have been.
const mostRedrawn = 0.1

// Replicate draws n replicates of months, the latest last. It refuses, with
// ErrInvalid and the category named, months of which more than a tenth of the
// draws can't be raked.
func Replicate(ctx context.Context, n int, seed uint64, months ...*Weights) (*Replicates, error) {
	r := &Replicates{Months: join(1, months...), Seed: seed, failed: make([]int, n)}
	r.off = r.deviates(n, seed)
	r.members = make([][]int32, len(r.size))
	for c, h := range r.stratum {
		r.members[h] = append(r.members[h], int32(c))
	}
	out := make([]float64, len(r.people))
	for b := range n {
		for {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			err := r.rake(b, r.draw(b, r.failed[b]), out)
			if err == nil {
				break
			}
			r.failed[b]++
			r.Redrawn++
			if float64(r.Redrawn) > mostRedrawn*float64(n) {
				return nil, fmt.Errorf("more than %.0f %% of %d replicates can't be weighed: %w", 100*mostRedrawn, n, err)
			}
		}
	}
	return r, nil
}

// Len gives the number of replicates.
func (r *Replicates) Len() int { return len(r.failed) }

// Freedom gives the degrees of freedom of a standard error: clusters less strata.
func (r *Replicates) Freedom() int { return r.freedom() }

// Base gives the base weights, in the order of the rows.
func (r *Replicates) Base() []float64 {
	out := make([]float64, len(r.people))
	for i, p := range r.people {
		out[i] = p.base
	}
	return out
}

// Place says of a row who it is, in which household and in which stratum: each by
// a number from 1 that is the replicates' own.
func (r *Replicates) Place(row int) (person, household, stratum int64) {
	cluster := r.cluster[row]
	return int64(r.of[row]) + 1, int64(cluster) + 1, int64(r.stratum[cluster]) + 1
}

// Weights gives the final weights of replicate b, from 0, in persons a panelist,
// in the order of the rows.
func (r *Replicates) Weights(b int) []float64 {
	out := make([]float64, len(r.people))
	if err := r.rake(b, r.draw(b, r.failed[b]), out); err != nil {
		panic("panel: a replicate that was raked can't be raked again: " + err.Error())
	}
	return out
}

// draw gives each cluster's multiple of the base weight in a draw of replicate b,
// the one after so many.
func (r *Replicates) draw(b, after int) []float64 {
	source := rand.NewPCG(r.Seed, uint64(b)+1)
	times := make([]float64, r.clusters())
	for range after + 1 {
		clear(times)
		for _, clusters := range r.members {
			c := uint64(len(clusters))
			if c == 1 {
				times[clusters[0]] = 1 // it has no variance
				continue
			}
			for range c - 1 {
				at, _ := bits.Mul64(source.Uint64(), c)
				times[clusters[at]] += float64(c) / float64(c-1)
			}
		}
	}
	return times
}

// rake weighs every month's panelists anew, in replicate b.
func (r *Replicates) rake(b int, times, out []float64) error {
	off := func(in Input) float64 { return r.off[slices.Index(r.inputs, in)][b] }
	for k, w := range r.months {
		first, last := r.first[k], r.first[k+1]
		part := out[first:last]
		for i := range part {
			part[i] = times[r.cluster[first+i]]
		}
		if err := w.reweigh(part, off); err != nil {
			return err
		}
	}
	return nil
}

// reweigh takes a multiple of each panelist's base weight, 0 for one who is not
// in the sample, and gives the final weights in their stead. off says how many of
// its standard errors an input from outside is off.
func (w *Weights) reweigh(times []float64, off func(Input) float64) (err error) {
	s := w.solver()
	if s.frame, err = w.frame.shifted(off); err != nil {
		return err
	}
	for i, p := range w.people {
		if w.trim.On() {
			s.weights[i] = p.base * times[i]
		} else {
			s.weights[p.cell] += p.base * times[i]
		}
	}
	if w.trim.On() {
		s.bounds = times
	}
	if err := s.empty(); err != nil {
		return err
	}
	base := append([]float64(nil), s.weights...)
	if err := s.solve(w.trim.On()); err != nil {
		return err
	}
	for i, p := range w.people {
		switch {
		case w.trim.On():
			times[i] = s.weights[i]
		case times[i] > 0:
			times[i] *= p.base * s.weights[p.cell] / base[p.cell]
		}
	}
	return nil
}

// empty refuses a category that has a target and nobody.
func (s *solver) empty() error {
	s.sums = make([][]float64, len(s.frame.axes))
	for k, a := range s.frame.axes {
		s.sums[k] = make([]float64, len(a.targets))
		for c, sum := range s.add(k) {
			if sum == 0 && a.targets[c] > 0 {
				return &rollcall.Invalid{
					Field: "margin " + a.name + ", category", Value: a.categories[c], Code: "category_empty",
					Reason: "has too few panelists: a sample drawn from them has none of it",
				}
			}
		}
	}
	return nil
}
