package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"rollcall/aggregate/hll"
)

// scenario is how many accounts were seen at home, at work and at both.
type scenario struct{ home, work, both int }

// scenarios are sizes that are equal, unequal and very unequal, with much and
// little in common.
var scenarios = [...]scenario{
	{200_000, 5_000, 2_500}, {200_000, 200_000, 100_000}, {200_000, 200_000, 20_000},
	{1_000_000, 1_000_000, 500_000}, {1_000_000, 50_000, 25_000}, {30_000, 30_000, 15_000},
	{20_000, 2_000, 1_000}, {5_000, 5_000, 2_500}, {500_000, 100_000, 90_000},
}

// overlapTrials are made of every 50 that estimates get: a scenario needs millions
// of ids.
const overlapTrials = 50

// The printed standard error, over the true root mean square error.
const leastRatio, mostRatio = 0.85, 1.2

// apart are one trial's figures: both, home-only, work-only.
type apart [3]struct{ off, se float64 }

// overlaps prints, for every scenario, the error that is made and the one that
// is stated.
func overlaps(out io.Writer, trials int, seed uint64) (failed error) {
	n := max(1, trials/overlapTrials)
	fmt.Fprintf(out, "\n%d trials at K 14\n%9s %9s %9s  %-9s %9s %9s  %s\n", n, "home", "work", "both", "of", "RMSE", "stated", "stated / RMSE")
	for i, s := range scenarios {
		found := s.measure(n, seed+uint64(i))
		for part, name := range [...]string{"both", "home-only", "work-only"} {
			var off, se float64
			for _, a := range found {
				off += a[part].off * a[part].off
				se += a[part].se * a[part].se
			}
			ratio := math.Sqrt(se / off)
			fmt.Fprintf(out, "%9d %9d %9d  %-9s %9.0f %9.0f  %.3f\n", s.home, s.work, s.both, name, math.Sqrt(off/float64(n)), math.Sqrt(se/float64(n)), ratio)
			if ratio < leastRatio || ratio > mostRatio {
				failed = errors.Join(failed, fmt.Errorf("%d at home, %d at work, %d at both: %s: the stated error is %.2f of the true one", s.home, s.work, s.both, name, ratio))
			}
		}
	}
	return failed
}

func (s scenario) measure(trials int, seed uint64) []apart {
	found := make([]apart, trials)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < trials; i += workers {
				found[i] = s.trial(rand.NewPCG(seed, uint64(i)))
			}
		})
	}
	wg.Wait()
	return found
}

// trial draws the accounts and compares.
func (s scenario) trial(source *rand.PCG) (a apart) {
	home, work := hll.New(hll.DefaultK), hll.New(hll.DefaultK)
	add(source, s.both, home, work)
	add(source, s.home-s.both, home)
	add(source, s.work-s.both, work)
	o := hll.OverlapOf(home, work)
	for i, d := range [...]hll.Difference{o.Both, o.OnlyA, o.OnlyB} {
		truth := [...]int{s.both, s.home - s.both, s.work - s.both}[i]
		a[i].off, a[i].se = d.Count-float64(truth), d.SE
	}
	return a
}

// add adds n random ids to each of some sketches.
func add(source *rand.PCG, n int, to ...*hll.Sketch) {
	var batch [4096]uint64
	for n > 0 {
		ids := batch[:min(len(batch), n)]
		for i := range ids {
			ids[i] = source.Uint64()
		}
		for _, s := range to {
			s.AddSlice(ids)
		}
		n -= len(ids)
	}
}
