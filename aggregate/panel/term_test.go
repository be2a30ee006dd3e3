package panel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rollcall"
)

// TestTermsAgree holds the prepared estimates against the plain ones, for
// persons alone, in households, in strata, and in both.
func TestTermsAgree(t *testing.T) {
	for _, grouped := range []struct{ households, strata bool }{{}, {households: true}, {strata: true}, {true, true}} {
		t.Run(fmt.Sprint(grouped), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			termsAgree(t, random, termPanel(t, random, grouped.households, grouped.strata))
		})
	}
}

func termsAgree(t *testing.T, random *rand.Rand, w *Weights) {
	draw := func(within []int32, part float64) Variable {
		var v Variable
		for _, i := range within {
			if random.Float64() < part {
				v.At = append(v.At, i)
			}
		}
		return v
	}
	everyone := make([]int32, w.Len())
	for i := range everyone {
		everyone[i] = int32(i)
	}
	for _, part := range []float64{0.05, 0.3, 0.9} {
		all := draw(everyone, 0.8)
		a, b := draw(all.At, part), draw(all.At, 0.4)
		both := Variable{At: intersection(a.At, b.At)}
		amounts := Variable{At: a.At}
		for range a.At {
			amounts.Values = append(amounts.Values, 100*random.Float64())
		}
		ta, tb, tall, tboth := w.Term(a), w.Term(b), w.Term(all), w.Term(both)
		agree(t, "total", w.Linear(Part{1, ta}), w.Total(a))
		agree(t, "difference", w.Linear(Part{1, ta}, Part{-1, tb}), w.Diff(a, b))
		two := w.Terms(amounts.At, amounts.Values, make([]float64, len(a.At)))
		agree(t, "amounts", w.Linear(Part{1, two[0]}, Part{3, two[1]}), w.Total(amounts))
		agree(t, "amounts of persons", w.NestedRatio(two[0], ta), w.Ratio(amounts, a))
		agree(t, "ratio", w.TermRatio(w.Term(amounts), ta), w.Ratio(amounts, a))
		agree(t, "ratio of crossing sets", w.TermRatio(ta, tb), w.Ratio(a, b))
		agree(t, "nested ratio", w.NestedRatio(ta, tall), w.Ratio(a, all))
		agree(t, "index", w.NestedIndex(tboth, tall, ta, tb), w.Product([]Variable{both, all}, []Variable{a, b}))
		rest := Variable{At: subtraction(b.At, a.At)}
		agree(t, "sum", w.Linear(Part{1, w.Plus(ta, w.Term(rest))}), w.Total(Combine(1, a, 1, rest)))
		mean := w.Mean(two[0], ta)
		agree(t, "mean", mean.Estimate, w.Ratio(amounts, a))
		if want := w.plainSkew(amounts, a); math.Abs(mean.skew-want) > 1e-9*math.Abs(want) || want == 0 {
			t.Errorf("skewness = %v, want %v", mean.skew, want)
		}
		if got, want := tall.effective(), w.plainEffective(all); math.Abs(got-want) > 1e-9*want {
			t.Errorf("effective size = %v, want %v", got, want)
		}
		if got, want := w.Plus(ta, w.Term(rest)).effective(), w.plainEffective(Combine(1, a, 1, rest)); math.Abs(got-want) > 1e-9*want {
			t.Errorf("effective size of a sum = %v, want %v", got, want)
		}
		agree(t, "nested ratio of a sum", w.NestedRatio(w.Plus(ta, w.Term(rest)), tall), w.Ratio(Combine(1, a, 1, rest), all))
	}
}

func agree(t *testing.T, what string, got, want Estimate) {
	t.Helper()
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-7*math.Max(1e-9, math.Abs(b)) }
	if !near(got.Value, want.Value) || !near(got.SE, want.SE) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func intersection(a, b []int32) (out []int32) {
	in := map[int32]bool{}
	for _, i := range b {
		in[i] = true
	}
	for _, i := range a {
		if in[i] {
			out = append(out, i)
		}
	}
	return out
}

func subtraction(a, b []int32) (out []int32) {
	in := map[int32]bool{}
	for _, i := range b {
		in[i] = true
	}
	for _, i := range a {
		if !in[i] {
			out = append(out, i)
		}
	}
	return out
}

func termPanel(t *testing.T, random *rand.Rand, households, strata bool) *Weights {
	roster := &rollcall.Roster{Columns: []string{"sex", "age"}}
	for i := range 500 {
		roster.Panelists = append(roster.Panelists, rollcall.Panelist{
			ID: rollcall.Visitor(i), BaseWeight: 1 + random.Float64(), Categories: []string{string("MF"[random.IntN(2)]), string("abc"[random.IntN(3)])},
		})
		if households {
			roster.Panelists[i].Household = rollcall.Household(1 + random.IntN(200))
		}
		if strata {
			roster.Panelists[i].Stratum = rollcall.Stratum(1 + random.IntN(3))
		}
	}
	w, err := Rake(roster, &rollcall.Population{Margins: []rollcall.Margin{
		{Name: "sex", Category: "M", Population: 520}, {Name: "sex", Category: "F", Population: 480},
		{Name: "age", Category: "a", Population: 300}, {Name: "age", Category: "b", Population: 300}, {Name: "age", Category: "c", Population: 400},
	}}, rollcall.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}
