package panel_test

import (
	"math"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

const householdRoster = `stratum,household,panelist,home,work,sex
north,h1,P1,1,0,F
north,h1,P2,1,0,M
north,h2,P3,1,1,F
south,h1,P4,1,1,M
south,h3,P5,1,1,M
`

// hashed gives an id a number, another for each.
func hashed(name string) rollcall.Visitor {
	var out rollcall.Visitor
	for _, c := range name {
		out = out*131 + rollcall.Visitor(c)
	}
	return out
}

func TestReadHouseholds(t *testing.T) {
	r, err := panel.ReadRoster(strings.NewReader(householdRoster), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Columns) != 1 || r.People[3].Household != "h1" || r.People[3].Stratum != "south" {
		t.Errorf("columns %q, fourth panelist %+v", r.Columns, r.People[3])
	}
	roster, err := r.Roster(hashed)
	if err != nil {
		t.Fatal(err)
	}
	p := roster.Panelists
	if p[0].Household == 0 || p[0].Household != p[1].Household || p[0].Household == p[2].Household || p[0].Stratum == 0 ||
		p[0].Stratum != p[2].Stratum || p[0].Stratum == p[3].Stratum {
		t.Errorf("roster is %+v", p)
	}
	// One household's name in two strata is two households.
	w := rake(t, roster, population([]rollcall.Margin{{Name: "sex", Category: "F", Population: 50}, {Name: "sex", Category: "M", Population: 50}}))
	if got := w.Intervals(0.95).DF(); got != 2 {
		t.Errorf("%d degrees of freedom, want 4 clusters less 2 strata", got)
	}
	_, err = r.Roster(func(name string) rollcall.Visitor {
		if strings.HasPrefix(name, "household") {
			return 7
		}
		return hashed(name)
	})
	says(t, err, `p.csv line 4, column household "h2": has the pseudonym of "h1"`)
}

func TestHouseholdsRefused(t *testing.T) {
	_, err := panel.ReadRoster(strings.NewReader("panelist,home,work,household,stratum,sex\nP1,1,0,,s,F\nP2,1,0,h,,M\n"), "p.csv")
	says(t, err, `p.csv line 2, column household: is empty`, `p.csv line 3, column stratum: is empty`)

	r, err := panel.ReadRoster(strings.NewReader(householdRoster+"east,h9,P6,1,0,F\neast,h9,P7,1,0,F\n"), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	s, err := panel.ReadUniverse(strings.NewReader(universeHeader+line("sex,F,50")+line("sex,M,50")), "u.csv")
	if err != nil {
		t.Fatal(err)
	}
	says(t, panel.Check(r, s), `p.csv line 7, column stratum "east": is a stratum with one cluster, which has no variance`)
	roster, err := r.Roster(hashed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = panel.Rake(roster, &s.Population, rollcall.Trim{})
	if err == nil || !strings.Contains(err.Error(), "roster, stratum") || !strings.Contains(err.Error(), "is a stratum with one cluster") {
		t.Errorf("error is %v", err)
	}
}

// What everyone did has an interval that ends at everyone and begins below, by
// the effective number of households: sums of weights say nothing.
func TestEveryoneIsCounted(t *testing.T) {
	d := draw(11, 200)
	for i := range d.population.Margins { // a universe that sums of weights miss by a last digit or two
		d.population.Margins[i].Population *= 1_000_003.0 / 1_000_002.9
	}
	w := mustRake(t, d)
	in, everyone := w.Intervals(0.95), w.Everyone()
	e := w.Linear(panel.Part{Factor: 1, Term: everyone})
	i := in.Audience(e, everyone)
	low := w.Universe() * math.Pow(0.025, 1/w.Quality().NEff)
	if e.Value != w.Universe() || e.SE != 0 || i.High != w.Universe() || math.Abs(i.Low-low) > 1e-6*low {
		t.Errorf("everyone is %+v, %+v, want %g to %g", e, i, low, w.Universe())
	}
	nobody := w.Term(panel.Variable{})
	if i := in.Audience(w.Linear(panel.Part{Factor: 1, Term: nobody}), nobody); i.Low != 0 || math.Abs(i.High-(w.Universe()-low)) > 1e-6*low {
		t.Errorf("nobody is %+v", i)
	}
	users, _ := d.variables(1, 0.5)
	term := w.Term(users)
	if e := w.NestedRatio(w.Term(users), term); e != (panel.Estimate{Value: 1}) {
		t.Errorf("all of some are %+v", e)
	}

	// In households the effective size is that of their weights.
	h := d.grouped(3)
	w = mustRake(t, h)
	byHousehold, sum, squares := map[[2]uint64]float64{}, 0.0, 0.0
	for i, x := range w.Final() {
		p := h.roster.Panelists[i]
		byHousehold[[2]uint64{uint64(p.Stratum), uint64(p.Household)}] += x
		sum += x
	}
	for _, x := range byHousehold {
		squares += x * x
	}
	in = w.Intervals(0.95)
	t200 := 1.97195654 // qt(.975, 199)
	low = w.Universe() * math.Pow(0.025, squares/sum/sum*in.Q()*in.Q()/t200/t200)
	if i := in.Audience(w.Linear(panel.Part{Factor: 1, Term: w.Everyone()}), w.Everyone()); math.Abs(i.Low-low) > 1e-6*low {
		t.Errorf("everyone in households is %+v, want %g", i, low)
	}
}
