package coherence

import (
	"maps"
	"math"
	"slices"
	"testing"

	"rollcall"
)

// sound are figures that keep every rule.
func sound() *figures {
	places := func(home, work, both float64) map[rollcall.Place]float64 {
		return map[rollcall.Place]float64{rollcall.AtHome: home, rollcall.AtWork: work, rollcall.HomeWork: home + work - both, rollcall.Both: both, rollcall.HomeOnly: home - both, rollcall.WorkOnly: work - both}
	}
	return &figures{
		universe: 1000,
		active:   map[rollcall.Place]float64{rollcall.AtHome: 500, rollcall.AtWork: 300, rollcall.HomeWork: 600},
		services: []figure{
			{name: "a", audience: places(100, 60, 20), sessions: 200, curve: []float64{50, 140, 140}, frequency: []float64{100, 30, 10}, exclusive: 90},
			{name: "b", audience: places(80, 40, 10), sessions: 110, curve: []float64{0, 100, 110}, frequency: []float64{110, 0, 0}, exclusive: 60},
		},
		unions: []figure{{name: "any", parts: []int{0, 1}, audience: places(150, 80, 30)}},
		pairs:  []pairFigure{{a: 0, b: 1, shared: 50}},
	}
}

// TestRules breaks each rule once; the others stay kept.
func TestRules(t *testing.T) {
	if found := sound().check().Violations; len(found) > 0 {
		t.Fatalf("sound figures break %v", found)
	}
	for _, c := range []struct {
		rule  string
		spoil func(f *figures)
	}{
		{"combined", func(f *figures) { // both = home + work - home+work still holds
			f.services[0].audience[rollcall.HomeWork], f.services[0].audience[rollcall.Both] = 170, -10
		}},
		{"combined", func(f *figures) {
			f.services[0].audience[rollcall.HomeWork], f.services[0].audience[rollcall.Both] = 90, 70
		}},
		{"both", func(f *figures) { f.services[0].audience[rollcall.Both] = 19 }},
		{"union", func(f *figures) { f.unions[0].audience[rollcall.AtWork] = 101 }},
		{"subset", func(f *figures) { f.services[1].audience[rollcall.HomeOnly] = 81 }},
		{"subset", func(f *figures) { f.unions[0].audience[rollcall.AtHome] = 99 }},
		{"curve", func(f *figures) { f.services[0].curve = []float64{50, 145, 140} }},
		{"curve", func(f *figures) { f.services[0].curve[2] = 141 }},
		{"frequency", func(f *figures) { f.services[0].frequency[2] = 9 }},
		{"sessions", func(f *figures) { f.services[1].sessions = 109 }},
		{"bounds", func(f *figures) { f.active[rollcall.AtHome] = 120 }},
		{"bounds", func(f *figures) { f.universe = 550 }},
		{"duplication", func(f *figures) { f.pairs[0].shared = 111 }},
		{"exclusive", func(f *figures) { f.services[1].exclusive = 111 }},
	} {
		f := sound()
		c.spoil(f)
		broken := map[string]bool{}
		for _, v := range f.check().Violations {
			broken[v.Rule] = true
		}
		if !broken[c.rule] {
			t.Errorf("spoilt for %s, the figures break %v", c.rule, slices.Sorted(maps.Keys(broken)))
		}
	}
	found := sound().check()
	for _, rule := range Rules() {
		if found.Checked[rule] == 0 {
			t.Errorf("rule %s compares nothing", rule)
		}
	}
}

// TestRoundingBreaksNoRule: nobody used a at both places, and its millions at
// home and at work add up to another last bit than those at either.
func TestRoundingBreaksNoRule(t *testing.T) {
	b := &Comparisons{Checked: map[string]int{}}
	home, work := 5e7, 1e7/3
	b.places(figure{name: "a", audience: map[rollcall.Place]float64{
		rollcall.AtHome: home, rollcall.AtWork: work, rollcall.HomeWork: math.Nextafter(home+work, 0), rollcall.Both: 0, rollcall.HomeOnly: home, rollcall.WorkOnly: work,
	}})
	if len(b.Violations) > 0 {
		t.Errorf("rounding breaks %v", b.Violations)
	}
}
