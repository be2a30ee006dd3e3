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
		w.Total(users)
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

func BenchmarkReport(b *testing.B) {
	const services = 12
	d := draw(1, 100_000)
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		b.Fatal(err)
	}
	pair := panel.Compare(w, w)
	var users, before, minutes [services]panel.Variable
	for s := range services {
		share := 0.3 / float64(s+1)
		users[s], minutes[s] = d.variables(uint64(s), share)
		before[s], _ = d.variables(uint64(100+s), share)
	}
	active, _ := d.variables(50, 0.7)
	sum, time := panel.Sum(users[:]...), panel.Sum(minutes[:]...)
	in := w.Intervals(0.95)
	for b.Loop() {
		reach, share, timeShare := w.Term(active), w.Term(sum), w.Term(time)
		for s := range services {
			e := w.Total(users[s])
			in.Audience(e, w.Universe(), users[s].Users())
			used := w.Term(users[s])
			w.TermRatio(used, reach)
			w.TermRatio(used, share)
			w.TermRatio(w.Term(minutes[s]), timeShare)
			for range 3 { // sessions, minutes and days per person
				w.Ratio(minutes[s], users[s])
			}
			w.Ratio(users[s], users[s]) // loyalty
			for other := range s {
				w.Diff(users[s], users[other])
			}
			pair.Change(users[s], before[s])
		}
	}
}
