package hll

import (
	"math"
	"math/rand/v2"
	"testing"
)

// overlapping are two sketches of a and b random ids, of which both have some.
func overlapping(r *rand.Rand, k, a, b, both int) (x, y *Sketch) {
	x, y = New(k), New(k)
	for i := range max(a, b+a-both) {
		id := r.Uint64()
		if i < a {
			x.Add(id)
		}
		if i >= a-both {
			y.Add(id)
		}
	}
	return x, y
}

// While the sketches are sets their overlap is a count, whatever the sizes.
func TestOverlapOfSetsIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range [][3]int{{0, 0, 0}, {9, 0, 0}, {0, 9, 0}, {100, 60, 40}, {100, 100, 100}, {60, 40, 0}} {
		a, b := overlapping(r, 14, n[0], n[1], n[2])
		want := Overlap{
			Both:  Difference{Count: float64(n[2]), Exact: true},
			OnlyA: Difference{Count: float64(n[0] - n[2]), Exact: true},
			OnlyB: Difference{Count: float64(n[1] - n[2]), Exact: true},
		}
		if got := OverlapOf(a, b); got != want {
			t.Errorf("%v: %+v", n, got)
		}
	}
}

// The standard error is that of a plain jackknife, register by register, in
// which every estimate is made anew.
func TestOverlapIsAJackknife(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range [][3]int{{20_000, 20_000, 9_000}, {20_000, 500, 400}, {90, 30_000, 50}, {5_000, 5_000, 5_000}, {9_000, 8_000, 0}} {
		a, b := overlapping(r, 12, n[0], n[1], n[2])
		got, union := OverlapOf(a, b), unionOf(12, a, b)
		for name, f := range map[string]struct {
			got Difference
			of  func(a, b, union float64) float64
		}{
			"both":   {got.Both, func(a, b, union float64) float64 { return a + b - union }},
			"only a": {got.OnlyA, func(_, b, union float64) float64 { return union - b }},
			"only b": {got.OnlyB, func(a, _, union float64) float64 { return union - a }},
		} {
			count := f.of(a.Estimate().Count, b.Estimate().Count, union.Estimate().Count)
			var sum, squares float64
			for i := range 1 << 12 {
				v := f.of(withoutRegister(a, i), withoutRegister(b, i), withoutRegister(union, i)) - count
				sum, squares = sum+v, squares+v*v
			}
			const m = 1 << 12
			se := math.Sqrt(max(0, (squares-sum*sum/m)*(m-1)/m-max(0, count)))
			if f.got.Count != max(0, count) || math.Abs(f.got.SE-se) > 1e-6*se || f.got.Exact {
				t.Errorf("%v: %s: %+v, and plainly %v +- %v", n, name, f.got, count, se)
			}
		}
	}
}

// withoutRegister is the estimate from all registers but one.
func withoutRegister(s *Sketch, i int) float64 {
	if !s.Large() {
		return s.Estimate().Count
	}
	var c ranks
	for j, rank := range s.regs {
		if j != i {
			c[rank]++
		}
	}
	m := float64(len(s.regs))
	return m / (m - 1) * estimateOf(&c, m-1, s.k)
}

// Sketches of two K are compared at the lower, and stay as they were.
func TestOverlapOfTwoK(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	a, b := overlapping(r, 14, 9_000, 8_000, 4_000)
	low := unionOf(12, b)
	before := a.Append(nil)
	if got, want := OverlapOf(a, low), OverlapOf(unionOf(12, a), low); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
	if string(a.Append(nil)) != string(before) {
		t.Error("comparing changes a sketch")
	}
}
