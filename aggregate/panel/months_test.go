package panel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/aggregate/panel"
)

// grouped puts a panel's persons in households of about two and in strata.
func (d drawn) grouped(seed uint64) drawn {
	rng := rand.New(rand.NewPCG(seed, 5))
	n := len(d.roster.Panelists)
	for i := range d.roster.Panelists {
		p := &d.roster.Panelists[i]
		p.Household = rollcall.Household(1 + rng.IntN(n/2))
		p.Stratum = rollcall.Stratum(1 + rng.IntN(3))
	}
	return d
}

// z is a panelist's part in a figure, by person.
type personZ map[rollcall.Visitor]float64

func (z personZ) add(d drawn, factor float64, of []float64) {
	for i, p := range d.roster.Panelists {
		z[p.ID] += factor * of[i]
	}
}

// spread gives the standard error over the union of months, the latest last: a
// person's household and stratum are the latest month's.
func (z personZ) spread(months ...drawn) float64 {
	unit := map[rollcall.Visitor]panel.PlainUnit{}
	for _, d := range months {
		for _, p := range d.roster.Panelists {
			unit[p.ID] = panel.UnitOf(p.Stratum, p.Household, fmt.Sprint("person ", p.ID))
		}
	}
	var values []float64
	var units []panel.PlainUnit
	for id, x := range z {
		values, units = append(values, x), append(units, unit[id])
	}
	se, _ := panel.SpreadOf(values, units)
	return se
}

// A change and a pooled mean over households that move between months, and
// strata that a month leaves with one cluster, against z written out person by
// person.
func TestMonthsOfHouseholds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		now, before := draw(seed, 150).grouped(seed), draw(seed+1, 130).grouped(seed+1)
		for i := range now.roster.Panelists {
			now.roster.Panelists[i].ID += 50 // 51..200 and 1..130: 80 persons in both
		}
		if rapid.Bool().Draw(t, "a stratum of one cluster") {
			for _, i := range []int{0, 60} { // persons 1, who left, and 61
				before.roster.Panelists[i].Stratum, before.roster.Panelists[i].Household = 9, rollcall.Household(900+i)
			}
			now.roster.Panelists[10].Stratum = 1 // where 61 is now
		}
		w1, w0 := mustRake(t, now), mustRake(t, before)
		u1, m1 := now.variables(seed, 0.5)
		u0, m0 := before.variables(seed+2, 0.3)
		of := func(d drawn, w *panel.Weights, v panel.Variable) []float64 {
			z, _ := naive(d, w.Final(), dense(v, len(d.roster.Panelists)))
			return z
		}
		z1, z0 := of(now, w1, u1), of(before, w0, u0)
		absolute := personZ{}
		absolute.add(now, 1, z1)
		absolute.add(before, -1, z0)
		pair := panel.Compare(w1, w0)
		got := pair.TermChange(w1.Term(u1), w0.Term(u0))
		close(t, "SE of change", got.Absolute.SE, absolute.spread(before, now), 1e-7)
		ua1, ua0 := w1.Value(u1), w0.Value(u0)
		percent := personZ{}
		percent.add(now, 100/ua0, z1)
		percent.add(before, -100*ua1/ua0/ua0, z0)
		close(t, "SE of percent", got.Percent.SE, percent.spread(before, now), 1e-7)

		pool := panel.Pool(w0, w1)
		used, spent := pool.Term(pool.Variable(u0, u1)), pool.Term(pool.Variable(m0, m1))
		mean := pool.Linear(panel.Part{Factor: 1, Term: used})
		close(t, "pooled audience", mean.Value, (ua0+ua1)/2, 1e-12)
		close(t, "pooled universe", pool.Universe(), (w0.Universe()+w1.Universe())/2, 1e-12)
		r := pool.NestedRatio(spent, used)
		close(t, "pooled ratio", r.Value, (w0.Value(m0)+w1.Value(m1))/(ua0+ua1), 1e-12)
		half, ratio := personZ{}, personZ{}
		half.add(now, 0.5, z1)
		half.add(before, 0.5, z0)
		close(t, "SE of a pooled audience", mean.SE, half.spread(before, now), 1e-7)
		for _, m := range []struct {
			d    drawn
			w    *panel.Weights
			u, m panel.Variable
		}{{now, w1, u1, m1}, {before, w0, u0, m0}} {
			ratio.add(m.d, 1/(ua0+ua1), of(m.d, m.w, m.m))
			ratio.add(m.d, -r.Value/(ua0+ua1), of(m.d, m.w, m.u))
		}
		close(t, "SE of a pooled ratio", r.SE, ratio.spread(before, now), 1e-7)
	})
}

// Persons are counted once, in however many months they are.
func TestPoolCountsPersons(t *testing.T) {
	d := draw(5, 150)
	w := mustRake(t, d)
	pool := panel.Pool(w, w, w)
	users, _ := d.variables(1, 0.5)
	if pool.Persons() != 150 || pool.Term(pool.Variable(users, users, panel.Variable{})).Users() != users.Users() {
		t.Errorf("%d persons, %d users of %d", pool.Persons(), pool.Term(pool.Variable(users, users, panel.Variable{})).Users(), users.Users())
	}
	same := pool.Linear(panel.Part{Factor: 1, Term: pool.Term(pool.Variable(users, users, users))})
	alone := total(w, users)
	near(t, "three times the same month", same.Value, alone.Value, 1e-12)
	near(t, "its SE", same.SE, alone.SE, 1e-9)
	if got := pool.Intervals(0.95).DF(); got != 149 {
		t.Errorf("%d degrees of freedom", got)
	}
	// Everyone used it in one month of three: a third of the universe, not all.
	third := pool.Term(pool.Variable(everyoneOf(150), panel.Variable{}, panel.Variable{}))
	e := pool.Linear(panel.Part{Factor: 1, Term: third})
	i := pool.Intervals(0.95).Audience(e, third)
	if !(i.Low > 0 && i.High < 0.5*pool.Universe()) {
		t.Errorf("a third of the universe is %+v", i)
	}
}

func everyoneOf(n int) panel.Variable {
	v := panel.Variable{At: make([]int32, n)}
	for i := range v.At {
		v.At[i] = int32(i)
	}
	return v
}

// Fieller's interval leaves out 0 exactly where the change is significant, and
// holds every ratio that the months' difference does not rule out.
func TestPercentAgreesWithSignificance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		now, before := draw(seed, 120).grouped(seed), draw(seed+1, 120).grouped(seed+1)
		w1, w0 := mustRake(t, now), mustRake(t, before)
		u1, _ := now.variables(seed, rapid.Float64Range(0.02, 0.6).Draw(t, "now"))
		u0, _ := before.variables(seed+2, rapid.Float64Range(0.02, 0.6).Draw(t, "before"))
		pair := panel.Compare(w1, w0)
		in := pair.Intervals(0.95)
		a, b := w1.Term(u1), w0.Term(u0)
		c := pair.TermChange(a, b)
		i, ok := in.Percent(c)
		of := func(d drawn, w *panel.Weights, v panel.Variable, factor float64) personZ {
			z, _ := naive(d, w.Final(), dense(v, len(d.roster.Panelists)))
			out := personZ{}
			out.add(d, factor, z)
			return out
		}
		told := b.Total > in.Q()*of(before, w0, u0, 1).spread(before, now)
		if ok != told {
			t.Fatalf("an interval: %v; before is told from 0: %v", ok, told)
		}
		if !ok || a.Total == 0 {
			return
		}
		if out := i.Low > 0 || i.High < 0; out != in.Significant(c) {
			t.Fatalf("%+v leaves out 0: %v; significant: %v", i, out, in.Significant(c))
		}
		for _, end := range []float64{i.Low, i.High} {
			ratio := 1 + end/100
			z, z0 := of(now, w1, u1, 1), of(before, w0, u0, -ratio)
			for id, x := range z0 {
				z[id] += x
			}
			close(t, "an end, in standard errors", math.Abs(a.Total-ratio*b.Total)/z.spread(before, now), in.Q(), 1e-6)
		}
	})
}
