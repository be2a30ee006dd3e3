package panel_test

import (
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

// A national month: 100,000 panelists. BenchmarkReport makes the figures of a
// ranking of 12 services (14 estimates each, two of them changes).
func BenchmarkRake(b *testing.B) {
	d := draw(1, 100_000)
	for b.Loop() {
		if _, err := panel.Rake(d.roster, d.population, rollcall.Trim{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTotal(b *testing.B) {
	d := draw(1, 100_000)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		b.Fatal(err)
	}
	users, _ := d.variables(1, 0.1)
	for b.Loop() {
		w.Linear(panel.Part{Factor: 1, Term: w.Term(users)})
	}
}

func BenchmarkCompare(b *testing.B) {
	d := draw(1, 100_000)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		panel.Compare(w, w)
	}
}

// BenchmarkReplicate draws and rakes 200 samples of a national month; the weights
// are computed once more when they are written.
func BenchmarkReplicate(b *testing.B) {
	d := draw(1, 100_000)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := panel.Replicate(b.Context(), 200, 1, w); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	const services = 12
	d := draw(1, 100_000)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		b.Fatal(err)
	}
	pair := panel.Compare(w, w)
	var users, before, minutes [services]panel.Variable
	var terms [services]*panel.Term
	for s := range services {
		share := 0.3 / float64(s+1)
		users[s], minutes[s] = d.variables(uint64(s), share)
		before[s], _ = d.variables(uint64(100+s), share)
	}
	active, _ := d.variables(50, 0.7)
	sum, time := added(d, users[:]), added(d, minutes[:])
	in := w.Intervals(0.95)
	for b.Loop() {
		reach, share, timeShare := w.Term(active), w.Term(sum), w.Term(time)
		for s := range services {
			used, spent := w.Term(users[s]), w.Term(minutes[s])
			in.Audience(w.Linear(panel.Part{Factor: 1, Term: used}), used)
			w.TermRatio(used, reach)
			w.TermRatio(used, share)
			w.TermRatio(spent, timeShare)
			for range 3 { // sessions, minutes and days per person
				w.NestedRatio(spent, used)
			}
			w.NestedRatio(used, used) // loyalty
			terms[s] = used
			for other := range s {
				w.Linear(panel.Part{Factor: 1, Term: used}, panel.Part{Factor: -1, Term: terms[other]})
			}
			pair.TermChange(used, w.Term(before[s]))
		}
	}
}

func added(d drawn, list []panel.Variable) panel.Variable {
	sum := make([]float64, len(d.roster.Panelists))
	for _, v := range list {
		for i, y := range dense(v, len(sum)) {
			sum[i] += y
		}
	}
	return panel.Dense(sum)
}
