package panel_test

import (
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

func small(t *testing.T) *rollcall.Roster {
	t.Helper()
	r, err := panel.ReadRoster(strings.NewReader(smallRoster), "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	roster, err := r.Roster(func(name string) rollcall.Visitor { return rollcall.Visitor(name[1]) })
	if err != nil {
		t.Fatal(err)
	}
	return roster
}

func sexes(f, m float64) []rollcall.Margin {
	return []rollcall.Margin{{Name: "sex", Category: "F", Population: f}, {Name: "sex", Category: "M", Population: m}}
}

func ages(young, old, older float64) []rollcall.Margin {
	return []rollcall.Margin{{Name: "age", Category: "young", Population: young}, {Name: "age", Category: "old", Population: old},
		{Name: "age", Category: "older", Population: older}}
}

func TestRakeRefusesByCategory(t *testing.T) {
	for want, p := range map[string]*rollcall.Population{
		`margin age, category "older": has no panelist in margin age, for a population of 20`:                   population(sexes(50, 50), ages(40, 40, 20)),
		`margin sex, sex "M": is a category that margin sex of the universe does not have (panelists: 2)`:       population(sexes(100, 0)[:1]),
		`margin age, population "102": is the total of margin age, more than 0.01 % from the 100 of margin sex`: population(sexes(50, 50), ages(40, 62, 0)),
		`margin home, category "1": has 4 panelists in margin home, for a population of 0`:                      population(sexes(50, 50), []rollcall.Margin{{Name: "home", Category: "1"}}),
		`margin sex, category "F": is given twice in margin sex`:                                                population(sexes(50, 50), sexes(50, 50)[:1]),
		`margin home*sex, category "2*F": is not 0 or 1 for home or work`:                                       population(sexes(50, 50), homeBySex("2*F")),
		`universe, margin: has no margin that covers the whole population`:                                      {},
	} {
		r := small(t)
		r.Panelists = r.Panelists[:4]
		_, err := panel.Rake(r, p, rollcall.Trim{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is\n%v\nwant\n%s", err, want)
		}
	}
	_, err := panel.Rake(&rollcall.Roster{Columns: []string{"sex"}}, population(sexes(1, 1)), rollcall.Trim{})
	says(t, err, "universe, panelist: the roster has no panelist")
}

func homeBySex(category string) []rollcall.Margin {
	return []rollcall.Margin{{Name: "home*sex", Category: "1*F", Population: 50}, {Name: "home*sex", Category: "1*M", Population: 50},
		{Name: "home*sex", Category: category, Population: 0}}
}

// Everyone young is F and everyone F is young, so the two margins can't both be met.
func TestRakeRefusesWhatDoesNotConverge(t *testing.T) {
	r := small(t)
	r.Panelists = []rollcall.Panelist{r.Panelists[0], r.Panelists[3]}
	_, err := panel.Rake(r, population(sexes(50, 50), ages(60, 40, 0)[:2]), rollcall.Trim{})
	says(t, err, `margin sex, category "F": raking does not converge: after 10000 sweeps it holds 60 persons for a target of 50`)
}

func TestRakeScalesMarginsToTheFirst(t *testing.T) {
	w := rake(t, small(t), population(sexes(50e6, 50e6), ages(40e6, 40e6, 20.005e6)))
	near(t, "universe", w.Universe(), 100e6, 0)
	q := w.Quality()
	if len(q.Notes) != 1 || q.Notes[0] != "margin age totals 100005000 persons and was scaled to the 100000000 of margin sex" {
		t.Errorf("notes are %q", q.Notes)
	}
	for _, m := range q.Margins {
		near(t, m.Margin+" "+m.Category, m.Achieved, m.Target, 1e-9)
	}
	near(t, "age young", q.Margins[2].Target, 40e6/1.00005, 1e-12)
}

func TestRakeCompletesAPartialMargin(t *testing.T) {
	w := rake(t, small(t), population(sexes(50, 50), []rollcall.Margin{{Name: "work", Category: "1", Population: 70}}))
	q := w.Quality()
	if len(q.Margins) != 4 {
		t.Fatalf("margins are %+v", q.Margins)
	}
	rest := q.Margins[3]
	if rest.Margin != "work" || rest.Category != "0" || rest.Target != 30 || rest.Panelists != 2 {
		t.Errorf("the rest of the margin is %+v", rest)
	}
	near(t, "not at work", rest.Achieved, 30, 1e-9)
	all := rake(t, small(t), population(sexes(50, 50), []rollcall.Margin{{Name: "home", Category: "1", Population: 100}}))
	near(t, "all at home", all.Quality().Margins[2].Achieved, 100, 1e-9)
}

func TestTrim(t *testing.T) {
	f := readFixture(t)
	loose, err := panel.Rake(f.roster, fixturePopulation(), rollcall.Trim{Floor: 0.4, Cap: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range f.weights.Final() {
		near(t, "weight inside the bounds", loose.Final()[i], want, 1e-8)
	}
	trim := rollcall.Trim{Floor: 0.62, Cap: 1.7}
	tight, err := panel.Rake(f.roster, fixturePopulation(), trim)
	if err != nil {
		t.Fatal(err)
	}
	q, mean := tight.Quality(), fixtureUniverse/300
	if q.MaxWeight > 1.7*mean || q.MinWeight < 0.62*mean || *q.Trimming != trim {
		t.Errorf("quality is %+v", q)
	}
	for _, m := range q.Margins {
		near(t, m.Margin+" "+m.Category, m.Achieved, m.Target, 1e-6)
	}
	near(t, "trimmed value", tight.Total(f.variables()["msn_hw"]).Value, tight.Value(f.variables()["msn_hw"]), 1e-12)
}

func TestTrimRefuses(t *testing.T) {
	f := readFixture(t)
	_, err := panel.Rake(f.roster, fixturePopulation(), rollcall.Trim{Floor: 0.99, Cap: 1.01})
	if err == nil || !strings.Contains(err.Error(), "raking with trimmed weights does not converge: after 1000 sweeps") {
		t.Errorf("error is %v", err)
	}
	_, err = panel.Rake(f.roster, fixturePopulation(), rollcall.Trim{Cap: 1})
	says(t, err, `trim cap "1": is not above 1`)
	_, err = panel.Rake(f.roster, fixturePopulation(), rollcall.Trim{Floor: 1, Cap: 2})
	says(t, err, `trim floor "1": is not at least 0 and under 1`)
}

func TestSubset(t *testing.T) {
	f := readFixture(t)
	var at []int32
	part := &rollcall.Roster{Columns: f.roster.Columns}
	for i := 0; i < 300; i += 2 {
		at = append(at, int32(i))
		part.Panelists = append(part.Panelists, f.roster.Panelists[i])
	}
	got, err := f.weights.Subset(at)
	if err != nil {
		t.Fatal(err)
	}
	want := rake(t, part, fixturePopulation())
	for i := range at {
		near(t, "weight", got.Final()[i], want.Final()[i], 1e-14)
	}
	v := panel.Variable{At: []int32{0, 3, 70, 149}}
	near(t, "SE", got.Total(v).SE, want.Total(v).SE, 1e-12)
	_, err = f.weights.Subset(at[:2])
	says(t, err, `margin age, category "a3": has no panelist in margin age, for a population of 6384000`,
		`margin age, category "a4": has no panelist in margin age, for a population of 2856000`,
		`margin region, category "N": has no panelist in margin region, for a population of 6048000`)
}
