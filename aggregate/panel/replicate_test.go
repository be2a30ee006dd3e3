package panel_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

const replicates = 1000

// within is how far a standard error from n replicates may be from the
// linearised one: four of its own, and what linearising leaves out.
func within(n int) float64 { return 4/math.Sqrt(2*float64(n)) + 0.02 }

// byReplicates computes a figure with the final weights of every replicate.
func byReplicates(r *panel.Replicates, figure func(weights []float64) float64) (se float64) {
	own := figure(r.Final())
	for b := range r.Len() {
		off := figure(r.Weights(b)) - own
		se += off * off
	}
	return math.Sqrt(se / float64(r.Len()))
}

func weighted(weights []float64, v panel.Variable) (sum float64) {
	for k, at := range v.At {
		x := 1.0
		if v.Values != nil {
			x = v.Values[k]
		}
		sum += x * weights[at]
	}
	return sum
}

// TestReplicatesAgree: the standard errors of totals, a ratio, a difference and
// a change by replicate weights are the linearised ones, in panels with and
// without households and strata.
func TestReplicatesAgree(t *testing.T) {
	for k := range 4 {
		months := livePanel(k)
		before, now := rake(t, months[1].roster, months[1].population), rake(t, months[2].roster, months[2].population)
		r, err := panel.Replicate(t.Context(), replicates, 7, now)
		if err != nil {
			t.Fatal(err)
		}
		users, rare, minutes, _ := months[2].live()
		for name, f := range map[string]struct {
			ours   float64
			figure func(w []float64) float64
		}{
			"users":   {total(now, users).SE, func(w []float64) float64 { return weighted(w, users) }},
			"minutes": {total(now, minutes).SE, func(w []float64) float64 { return weighted(w, minutes) }},
			"ratio":   {ratio(now, minutes, users).SE, func(w []float64) float64 { return weighted(w, minutes) / weighted(w, users) }},
			"diff":    {diff(now, users, rare).SE, func(w []float64) float64 { return weighted(w, users) - weighted(w, rare) }},
		} {
			near(t, name, byReplicates(r, f.figure), f.ours, within(replicates))
		}

		both, err := panel.Replicate(t.Context(), replicates, 8, before, now)
		if err != nil {
			t.Fatal(err)
		}
		was, _, _, _ := months[1].live()
		change := panel.Compare(now, before).TermChange(now.Term(users), before.Term(was)).Absolute
		near(t, "change", byReplicates(both, func(w []float64) float64 {
			return weighted(w[before.Len():], users) - weighted(w[:before.Len()], was)
		}), change.SE, within(replicates))
	}
}

// TestReplicatesAreSamples: every replicate meets every margin, has whole
// households, leaves somebody out, and is the same whenever it is asked for.
func TestReplicatesAreSamples(t *testing.T) {
	d := draw(4, 300).grouped(4)
	w := rake(t, d.roster, d.population)
	r, err := panel.Replicate(t.Context(), 20, 3, w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := panel.Replicate(t.Context(), 20, 3, w)
	if err != nil {
		t.Fatal(err)
	}
	households := make(map[rollcall.Household][]int)
	for i, p := range d.roster.Panelists {
		households[p.Household] = append(households[p.Household], i)
	}
	for b := range r.Len() {
		weights := r.Weights(b)
		if !slices.Equal(weights, again.Weights(b)) || b > 0 && slices.Equal(weights, r.Weights(b-1)) {
			t.Fatalf("replicate %d is not of the seed alone", b)
		}
		var sum float64
		for _, x := range weights {
			sum += x
		}
		near(t, "the universe", sum, w.Universe(), 1e-8)
		if slices.Min(weights) != 0 {
			t.Errorf("replicate %d has everyone", b)
		}
		for id, people := range households {
			for _, i := range people {
				if d.roster.Panelists[i].Stratum == d.roster.Panelists[people[0]].Stratum && (weights[i] == 0) != (weights[people[0]] == 0) {
					t.Fatalf("replicate %d has a part of household %d", b, id)
				}
			}
		}
	}
}

// TestReplicatesTrimmed: bounds grow with a panelist's multiple, and hold.
func TestReplicatesTrimmed(t *testing.T) {
	d := draw(5, 400)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{Floor: 0.4, Cap: 2.5})
	if err != nil {
		t.Fatal(err)
	}
	r, err := panel.Replicate(t.Context(), 200, 3, w)
	if err != nil {
		t.Fatal(err)
	}
	mean, step := w.Universe()/400, 400.0/399
	for b := range r.Len() {
		for i, x := range r.Weights(b) {
			times := math.Ceil(x / (2.5 * mean * step) * (1 - 1e-9)) // the fewest draws that allow it
			if x != 0 && (x < 0.4*mean*step*(1-1e-9) || times > 12) {
				t.Fatalf("replicate %d: panelist %d has %v times the mean", b, i, x/mean)
			}
		}
	}
	users, _ := d.variables(1, 0.4)
	near(t, "users", byReplicates(r, func(w []float64) float64 { return weighted(w, users) }), total(w, users).SE, within(200))
}

// TestReplicatesRefused: a category of one panelist is missing from a third of
// the samples, and they are refused by its name.
func TestReplicatesRefused(t *testing.T) {
	d := draw(6, 60)
	d.roster.Columns = append(d.roster.Columns, "island")
	for i := range d.roster.Panelists {
		p := &d.roster.Panelists[i]
		p.Categories = append(p.Categories, "no")
		if i == 9 {
			p.Categories[len(p.Categories)-1] = "yes"
		}
	}
	d.population.Margins = append(d.population.Margins, rollcall.Margin{Name: "island", Category: "yes", Population: 1000}, rollcall.Margin{Name: "island", Category: "no", Population: universeOf(d) - 1000})
	_, err := panel.Replicate(t.Context(), 50, 1, rake(t, d.roster, d.population))
	var invalid *rollcall.Invalid
	if !errors.As(err, &invalid) || invalid.Field != "margin island, category" || invalid.Value != "yes" {
		t.Errorf("%v", err)
	}
}

// TestReplicatesForNobody: none is drawn when whoever asked has gone.
func TestReplicatesForNobody(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	leave()
	d := draw(6, 60)
	if _, err := panel.Replicate(ctx, 2, 1, rake(t, d.roster, d.population)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// universeOf is the total of the first margin.
func universeOf(d drawn) (sum float64) {
	for _, m := range d.population.Margins {
		if m.Name == d.population.Margins[0].Name {
			sum += m.Population
		}
	}
	return sum
}

// TestCalibratedReplicatesAgree: the replicates of a panel calibrated to users
// scatter by the errors of its inputs too, of which one is the same in two months.
func TestCalibratedReplicatesAgree(t *testing.T) {
	months := livePanel(3)
	var weights []*panel.Weights
	for k := 1; k < 3; k++ {
		w, err := panel.Rake(months[k].roster, months[k].population, rollcall.Trim{}, months.usersOf(t, k)...)
		if err != nil {
			t.Fatal(err)
		}
		weights = append(weights, w)
	}
	before, now := weights[0], weights[1]
	r, err := panel.Replicate(t.Context(), replicates, 7, before, now)
	if err != nil {
		t.Fatal(err)
	}
	users, _, _, services := months[2].live()
	_, _, _, past := months[1].live()
	at := func(month int, v panel.Variable) panel.Variable {
		out := panel.Variable{Values: v.Values}
		for _, i := range v.At {
			out.At = append(out.At, r.Row(month, i))
		}
		return out
	}
	pair := panel.Compare(now, before)
	for name, f := range map[string]struct {
		ours   float64
		figure func(w []float64) float64
	}{
		"calibrated":     {total(now, services[0]).SE, func(w []float64) float64 { return weighted(w, at(1, services[0])) }},
		"not calibrated": {total(now, users).SE, func(w []float64) float64 { return weighted(w, at(1, users)) }},
		"share": {ratio(now, services[2], services[0]).SE, func(w []float64) float64 {
			return weighted(w, at(1, services[2])) / weighted(w, at(1, services[0]))
		}},
		"change": {pair.TermChange(now.Term(services[0]), before.Term(past[0])).Absolute.SE, func(w []float64) float64 {
			return weighted(w, at(1, services[0])) - weighted(w, at(0, past[0]))
		}},
	} {
		if got := byReplicates(r, f.figure); math.Abs(got/f.ours-1) > within(replicates) {
			t.Errorf("%s: %g by replicates, %g linearised", name, got, f.ours)
		}
	}
}
