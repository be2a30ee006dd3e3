package panel_test

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

// total, ratio and diff estimate variables as reports do.
func total(w *panel.Weights, v panel.Variable) panel.Estimate {
	return w.Linear(panel.Part{Factor: 1, Term: w.Term(v)})
}

func ratio(w *panel.Weights, num, den panel.Variable) panel.Estimate {
	return w.TermRatio(w.Term(num), w.Term(den))
}

func diff(w *panel.Weights, x, y panel.Variable) panel.Estimate {
	return w.Linear(panel.Part{Factor: 1, Term: w.Term(x)}, panel.Part{Factor: -1, Term: w.Term(y)})
}

// near fails unless got is within tol of want, relative.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

// crossed makes a roster of two columns from a table of counts or seeds: a
// panelist a cell, the cell's figure its base weight.
func crossed(seed [][]float64) *rollcall.Roster {
	r := &rollcall.Roster{Columns: []string{"row", "column"}}
	for i, row := range seed {
		for j, x := range row {
			r.Panelists = append(r.Panelists, rollcall.Panelist{ID: rollcall.Visitor(len(r.Panelists) + 1), BaseWeight: x,
				Categories: []string{"r" + strconv.Itoa(i), "c" + strconv.Itoa(j)}})
		}
	}
	return r
}

func margins(name, prefix string, targets ...float64) []rollcall.Margin {
	var out []rollcall.Margin
	for i, x := range targets {
		out = append(out, rollcall.Margin{Name: name, Category: prefix + strconv.Itoa(i), Population: x})
	}
	return out
}

func population(lists ...[]rollcall.Margin) *rollcall.Population {
	return &rollcall.Population{Margins: slices.Concat(lists...)}
}

func rake(t *testing.T, r *rollcall.Roster, p *rollcall.Population) *panel.Weights {
	t.Helper()
	w, err := panel.Rake(r, p, rollcall.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// W1: Kalton and Flores-Cervantes 2003.
func TestRakeKaltonFlores(t *testing.T) {
	counts := [][]float64{{20, 40, 40}, {50, 140, 310}, {100, 50, 50}, {30, 100, 70}}
	want := []float64{1.81080509, 1.45282194, 2.01677551, 1.08356444, 0.86935154, 1.20681472,
		2.19608910, 1.76193807, 2.44588373, 1.83322553, 1.47081002, 2.04174617}
	r := &rollcall.Roster{Columns: []string{"row", "column"}}
	cells := crossed(counts).Panelists
	for _, cell := range cells {
		n := int(cell.BaseWeight)
		cell.BaseWeight = 1
		for range n {
			r.Panelists = append(r.Panelists, cell)
		}
	}
	w := rake(t, r, population(margins("row", "r", 175, 550, 430, 345), margins("column", "c", 365, 415, 720)))
	i := 0
	for k, cell := range cells {
		near(t, "weight of "+cell.Categories[0]+cell.Categories[1], w.Final()[i], want[k], 1e-8)
		i += int(counts[k/3][k%3])
	}
	near(t, "deff", w.Quality().Deff, 1.099680679, 1e-9)
	near(t, "n_eff", w.Quality().NEff, 909.3548874, 1e-9)
}

// W2: iterative proportional fitting of two seeds.
func TestRakeSeeds(t *testing.T) {
	for name, c := range map[string]struct {
		seed          [][]float64
		rows, columns []float64
		want          []float64
	}{
		"4x4": {[][]float64{{40, 30, 20, 10}, {35, 50, 100, 75}, {30, 80, 70, 120}, {20, 30, 40, 50}},
			[]float64{150, 300, 400, 150}, []float64{200, 300, 400, 100},
			[]float64{64.55850978, 46.23245971, 35.38429826, 3.82473225, 49.96791942, 68.15935407, 156.49854642, 25.37418009,
				56.72194360, 144.42822557, 145.08248143, 53.76734940, 28.75162720, 41.17996065, 63.03467388, 17.03373826}},
		"3x4": {[][]float64{{8, 4, 6, 7}, {3, 6, 5, 2}, {9, 11, 3, 1}},
			[]float64{20, 18, 22}, []float64{18, 16, 12, 14},
			[]float64{5.57936139, 2.16246694, 3.89187372, 8.36629795, 3.43319968, 5.32260256, 5.32182753, 3.92237024,
				8.98743893, 8.51493050, 2.78629875, 1.71133181}},
	} {
		w := rake(t, crossed(c.seed), population(margins("row", "r", c.rows...), margins("column", "c", c.columns...)))
		for i, want := range c.want {
			near(t, name+" cell "+strconv.Itoa(i), w.Final()[i], want, 1e-8)
		}
	}
}

// W3: R survey's apiclus1, raked to stype and sch.wide.
func TestRakeSchools(t *testing.T) {
	cells := []struct {
		stype, wide string
		n           int
		g           float64
	}{{"E", "No", 12, 1.1770390461}, {"H", "No", 3, 1.9832049093}, {"M", "No", 8, 1.4497319561},
		{"E", "Yes", 132, 0.8825207183}, {"H", "Yes", 11, 1.4869680210}, {"M", "Yes", 17, 1.0869804969}}
	const base = 33.846996307373 // the pw of every row of apiclus1
	r := &rollcall.Roster{Columns: []string{"stype", "sch.wide"}}
	for _, c := range cells {
		for range c.n {
			r.Panelists = append(r.Panelists, rollcall.Panelist{BaseWeight: base, Categories: []string{c.stype, c.wide}})
		}
	}
	w := rake(t, r, &rollcall.Population{Margins: []rollcall.Margin{
		{Name: "stype", Category: "E", Population: 4421}, {Name: "stype", Category: "H", Population: 755}, {Name: "stype", Category: "M", Population: 1018},
		{Name: "sch.wide", Category: "No", Population: 1072}, {Name: "sch.wide", Category: "Yes", Population: 5122}}})
	i := 0
	for _, c := range cells {
		near(t, "g-weight of "+c.stype+"/"+c.wide, w.Final()[i]/base, c.g, 1e-8)
		i += c.n
	}
}

// W6: Kish's figures.
func TestKish(t *testing.T) {
	deff, _ := panel.Kish([]float64{0, 1, 2, 3})
	near(t, "deff(0,1,2,3)", deff, 14.0/9, 1e-12)
	deff, _ = panel.Kish([]float64{1, 1, 1000})
	near(t, "deff(1,1,1000)", deff, 2.98804188, 1e-8)
	for efficiency, want := range map[float64]panel.Grade{0.9: panel.Good, 0.80: panel.Good, 0.799: panel.Warn, 0.70: panel.Warn, 0.699: panel.Review} {
		if got := panel.GradeOf(efficiency); got != want {
			t.Errorf("efficiency %g is %s, want %s", efficiency, got, want)
		}
	}
}

// fixture is the synthetic panel of W15.
type fixture struct {
	roster  *rollcall.Roster
	weights *panel.Weights
	columns map[string][]float64
}

func readFixture(t *testing.T) *fixture {
	t.Helper()
	file, err := os.Open("testdata/panel_fixture.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{roster: &rollcall.Roster{Columns: []string{"sex", "age", "region"}}, columns: map[string][]float64{}}
	for i, row := range rows[1:] {
		f.roster.Panelists = append(f.roster.Panelists, rollcall.Panelist{ID: rollcall.Visitor(i + 1), BaseWeight: 1, Metered: rollcall.Home, Categories: row[1:4]})
		for k, name := range rows[0][4:] {
			x, err := strconv.ParseFloat(row[4+k], 64)
			if err != nil {
				t.Fatal(err)
			}
			f.columns[name] = append(f.columns[name], x)
		}
	}
	f.weights = rake(t, f.roster, fixturePopulation())
	return f
}

const fixtureUniverse = 16800000.0

func fixturePopulation() *rollcall.Population {
	var p rollcall.Population
	add := func(name, category string, share float64) {
		p.Margins = append(p.Margins, rollcall.Margin{Name: name, Category: category, Population: fixtureUniverse * share})
	}
	add("sex", "M", .52)
	add("sex", "F", .48)
	for i, share := range []float64{.18, .27, .38, .17} {
		add("age", "a"+strconv.Itoa(i+1), share)
	}
	add("region", "IDF", .28)
	add("region", "N", .36)
	add("region", "S", .36)
	return &p
}

// of makes a variable from the fixture's columns.
func (f *fixture) of(names []string, combine func(x []float64) float64) panel.Variable {
	y := make([]float64, len(f.roster.Panelists))
	for i := range y {
		var x []float64
		for _, name := range names {
			x = append(x, f.columns[name][i])
		}
		y[i] = combine(x)
	}
	return panel.Dense(y)
}

func anyOf(x []float64) float64 { return min(sumOf(x), 1) }

func sumOf(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum
}

func either(name string) []string { return []string{name + "_h", name + "_w"} }

// variables gives the oracle's variables by its own names.
func (f *fixture) variables() map[string]panel.Variable {
	v := map[string]panel.Variable{}
	for _, name := range []string{"msn_h", "msn_w", "aim_h", "aim_w"} {
		v[name] = f.of([]string{name}, sumOf)
	}
	services := []string{"msn", "aim", "yahoo", "icq"}
	var all []string
	for _, s := range services {
		v[s+"_hw"] = f.of(either(s), anyOf)
		all = append(all, either(s)...)
	}
	v["any_hw"] = f.of(all, anyOf)
	v["msn_both_loc"] = f.of(either("msn"), func(x []float64) float64 { return x[0] * x[1] })
	v["msn_aim"] = f.of(all, func(x []float64) float64 { return anyOf(x[:2]) * anyOf(x[2:4]) })
	v["excl_msn"] = f.of(all, func(x []float64) float64 { return anyOf(x[:2]) * (1 - anyOf(x[2:])) })
	v["msn_min"] = f.of([]string{"msn_hmin", "msn_wmin"}, sumOf)
	v["sumua"] = f.of(all, func(x []float64) float64 { return anyOf(x[:2]) + anyOf(x[2:4]) + anyOf(x[4:6]) + anyOf(x[6:]) })
	return v
}

// W15: everything that R survey says of the synthetic panel.
func TestFixtureWeights(t *testing.T) {
	f := readFixture(t)
	final := f.weights.Final()
	for i, want := range []float64{103396.00936, 38264.82066, 37504.46288, 47540.99048, 54503.99903, 37504.46288} {
		near(t, "weight "+strconv.Itoa(i+1), final[i], want, 1e-8)
	}
	q := f.weights.Quality()
	near(t, "deff", q.Deff, 1.07570537, 1e-8)
	near(t, "n_eff", q.NEff, 278.8867736, 1e-9)
	near(t, "min", q.MinWeight, 33376.40369, 1e-9)
	near(t, "max", q.MaxWeight, 103396.0094, 1e-9)
	near(t, "sum", sumOf(final), fixtureUniverse, 1e-12)
}

func TestFixtureTotals(t *testing.T) {
	f := readFixture(t)
	v := f.variables()
	for name, want := range map[string]panel.Estimate{
		"msn_h": {4709879.530, 440187.2592}, "msn_w": {2416734.711, 346629.1104}, "msn_hw": {6034532.363, 472995.6968},
		"msn_both_loc": {1092081.878, 235671.5431}, "aim_h": {3164061.938, 377583.3345}, "aim_w": {1028993.713, 244231.9278},
		"aim_hw": {3884063.951, 419289.2501}, "yahoo_hw": {2551794.829, 361957.7705}, "icq_hw": {2475094.973, 357503.6005},
		"any_hw": {9337198.842, 486404.3618}, "msn_aim": {2215098.720, 337513.4135}, "excl_msn": {2253355.184, 331140.3478},
		"msn_min": {1258388201.518, 126110611.6555},
	} {
		got := total(f.weights, v[name])
		near(t, name, got.Value, want.Value, 1e-8)
		near(t, "SE of "+name, got.SE, want.SE, 1e-8)
	}
	for name, want := range map[string]int{"msn_h": 84, "msn_w": 45, "msn_hw": 108, "aim_hw": 66, "any_hw": 167, "msn_aim": 39, "excl_msn": 43} {
		if got := v[name].Users(); got != want {
			t.Errorf("%s has %d users, want %d", name, got, want)
		}
	}
}

func TestFixtureRatios(t *testing.T) {
	f := readFixture(t)
	v, w := f.variables(), f.weights
	for name, c := range map[string]struct{ got, want panel.Estimate }{
		"minutes per person":  {ratio(w, v["msn_min"], v["msn_hw"]), panel.Estimate{208.5311878, 13.56311973}},
		"the same as product": {w.Product([]panel.Variable{v["msn_min"]}, []panel.Variable{v["msn_hw"]}), panel.Estimate{208.5311878, 13.56311973}},
		"audience share":      {ratio(w, v["msn_hw"], v["sumua"]), panel.Estimate{0.4037695607, 0.02298491097}},
		"msn less aim":        {diff(w, v["msn_hw"], v["aim_hw"]), panel.Estimate{2150468.4, 563630.27}},
	} {
		near(t, name, c.got.Value, c.want.Value, 2e-8)
		near(t, "SE of "+name, c.got.SE, c.want.SE, 2e-8)
	}
	for age, want := range map[string]panel.Estimate{"a1": {1484331.7030, 242975.5930}, "a2": {1939930.3500, 253452.1546},
		"a3": {2084250.2534, 269169.5488}, "a4": {526020.0565, 163489.5481}} {
		got := total(w, f.among(v["msn_hw"], age))
		near(t, "msn in "+age, got.Value, want.Value, 1e-8)
		near(t, "SE of msn in "+age, got.SE, want.SE, 1e-8)
	}
}

// among keeps a variable's users of one age.
func (f *fixture) among(v panel.Variable, age string) panel.Variable {
	y := make([]float64, len(f.roster.Panelists))
	for k, i := range v.At {
		if f.roster.Panelists[i].Categories[1] == age {
			y[i] = v.Values[k]
		}
	}
	return panel.Dense(y)
}

func TestFixtureIntervals(t *testing.T) {
	f := readFixture(t)
	msn := f.variables()["msn_hw"]
	e, in := total(f.weights, msn), f.weights.Intervals(0.95)
	reach := e.Scale(1 / fixtureUniverse)
	near(t, "reach", reach.Value, 0.35919835, 2e-8)
	for name, c := range map[string]struct {
		got       panel.Interval
		low, high float64
	}{
		"audience": {in.Audience(e, f.weights.Term(msn)).Scale(1 / fixtureUniverse), 0.305857, 0.41626},
		"logit":    {in.Logit(reach), 0.305857, 0.41626},
		"beta":     {in.Beta(reach), 0.303984, 0.41732},
		"plain":    {in.Plain(reach), 0.303792, 0.4146},
	} {
		near(t, name+" low", c.got.Low, c.low, 2e-6)
		near(t, name+" high", c.got.High, c.high, 1.3e-5) // R prints five digits here
	}
}
