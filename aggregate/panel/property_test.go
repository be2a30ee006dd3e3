package panel_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"rollcall"
	"rollcall/aggregate/panel"
)

// drawn is a panel drawn at random with margins that some weights meet exactly.
type drawn struct {
	roster     *rollcall.Roster
	population *rollcall.Population
}

// draw makes a panel of n with unequal base weights, a two-way margin, a
// one-way margin and a partial one. The seed decides everything.
func draw(seed uint64, n int) drawn {
	rng := rand.New(rand.NewPCG(seed, 17))
	d := drawn{roster: &rollcall.Roster{Columns: []string{"sex", "age", "region"}}}
	targets := map[[2]string]float64{}
	var order [][2]string
	add := func(margin, category string, x float64) {
		at := [2]string{margin, category}
		if _, ok := targets[at]; !ok {
			order = append(order, at)
		}
		targets[at] += x
	}
	for i := range n {
		sex, age, region := "FM"[rng.IntN(2):][:1], "a"+strconv.Itoa(rng.IntN(4)), "r"+strconv.Itoa(rng.IntN(3))
		p := rollcall.Panelist{ID: rollcall.Visitor(i + 1), Metered: rollcall.Home, BaseWeight: math.Exp(rng.NormFloat64() / 2), Categories: []string{sex, age, region}}
		truth := 1000 * p.BaseWeight * math.Exp(rng.NormFloat64()/3)
		if rng.IntN(3) == 0 {
			p.Metered |= rollcall.Work
			add("work", "1", truth)
		}
		d.roster.Panelists = append(d.roster.Panelists, p)
		add("sex*age", sex+"*"+age, truth)
		add("region", region, truth)
	}
	d.population = &rollcall.Population{}
	for _, margin := range []string{"sex*age", "region", "work"} {
		for _, at := range order {
			if at[0] == margin {
				d.population.Margins = append(d.population.Margins, rollcall.Margin{Name: margin, Category: at[1], Population: targets[at]})
			}
		}
	}
	return d
}

// variables draws a 0/1 variable of a given share and minutes of its users.
func (d drawn) variables(seed uint64, share float64) (users, minutes panel.Variable) {
	rng := rand.New(rand.NewPCG(seed, 99))
	for i := range d.roster.Panelists {
		if rng.Float64() < share {
			users.At = append(users.At, int32(i))
			minutes.Values = append(minutes.Values, float64(1+rng.IntN(900)))
		}
	}
	minutes.At = users.At
	return users, minutes
}

// naive is the variance of a total written out: a dense weighted regression.
func naive(d drawn, final []float64, y []float64) (z []float64, se float64) {
	n := len(y)
	columns := map[string]int{}
	for _, m := range d.population.Margins {
		columns[m.Name+" "+m.Category] = len(columns)
	}
	columns["work 0"] = len(columns)
	x, b := mat.NewDense(n, len(columns), nil), mat.NewDense(n, 1, nil)
	for i, p := range d.roster.Panelists {
		root := math.Sqrt(p.BaseWeight)
		work := "work 0"
		if p.Metered.Has(rollcall.Work) {
			work = "work 1"
		}
		for _, name := range []string{"sex*age " + p.Categories[0] + "*" + p.Categories[1], "region " + p.Categories[2], work} {
			x.Set(i, columns[name], root)
		}
		b.Set(i, 0, root*y[i])
	}
	var svd mat.SVD
	svd.Factorize(x, mat.SVDThin)
	var slopes, fit mat.Dense
	svd.SolveTo(&slopes, b, svd.Rank(1e-10))
	fit.Mul(x, &slopes)
	z = make([]float64, n)
	for i, p := range d.roster.Panelists {
		z[i] = final[i] * (y[i] - fit.At(i, 0)/math.Sqrt(p.BaseWeight))
	}
	return z, spread(z)
}

func spread(z []float64) float64 {
	mean, n := sumOf(z)/float64(len(z)), float64(len(z))
	var sum float64
	for _, x := range z {
		sum += (x - mean) * (x - mean)
	}
	return math.Sqrt(n / (n - 1) * sum)
}

func dense(v panel.Variable, n int) []float64 {
	y := make([]float64, n)
	for k, i := range v.At {
		y[i] = 1
		if v.Values != nil {
			y[i] = v.Values[k]
		}
	}
	return y
}

func mustRake(t rapid.TB, d drawn) *panel.Weights {
	w, err := panel.Rake(d.roster, d.population, rollcall.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func close(t rapid.TB, what string, got, want, tol float64) {
	if !(math.Abs(got-want) <= tol*math.Max(math.Abs(want), 1)) {
		t.Fatalf("%s is %.12g, want %.12g", what, got, want)
	}
}

func TestWeightsMeetTheirMargins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(20, 120).Draw(t, "n"))
		w := mustRake(t, d)
		close(t, "sum of weights", sumOf(w.Final()), w.Universe(), 1e-9)
		for _, m := range w.Quality().Margins {
			close(t, m.Margin+" "+m.Category, m.Achieved, m.Target, 1e-9)
		}
	})
}

func TestFiguresIgnoreOrderAndScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(20, 120).Draw(t, "n")
		d := draw(seed, n)
		_, minutes := d.variables(seed, 0.4)
		want := mustRake(t, d).Total(minutes)
		order := rapid.Permutation(identity(n)).Draw(t, "order")
		scale := rapid.Float64Range(1e-3, 1e3).Draw(t, "scale")
		turned := drawn{population: d.population, roster: &rollcall.Roster{Columns: d.roster.Columns}}
		y, moved := dense(minutes, n), make([]float64, n)
		for i, from := range order {
			p := d.roster.Panelists[from]
			p.BaseWeight *= scale
			turned.roster.Panelists = append(turned.roster.Panelists, p)
			moved[i] = y[from]
		}
		got := mustRake(t, turned).Total(panel.Dense(moved))
		close(t, "total", got.Value, want.Value, 1e-9)
		close(t, "SE", got.SE, want.SE, 1e-7)
	})
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestStandardErrorIsADenseRegressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(40, 120).Draw(t, "n")
		d := draw(seed, n)
		w := mustRake(t, d)
		users, minutes := d.variables(seed, rapid.Float64Range(0.05, 0.95).Draw(t, "share"))
		for _, v := range []panel.Variable{users, minutes} {
			y := dense(v, n)
			_, se := naive(d, w.Final(), y)
			got := total(w, v)
			var value float64
			for i, weight := range w.Final() {
				value += weight * y[i]
			}
			close(t, "total", got.Value, value, 1e-10)
			close(t, "SE", got.SE, se, 1e-7)
		}
		wide, _ := d.variables(seed+1, 0.7)
		ratio, prepared := w.Ratio(minutes, wide), w.TermRatio(w.Term(minutes), w.Term(wide))
		close(t, "ratio to a base", prepared.Value, ratio.Value, 1e-10)
		close(t, "its SE", prepared.SE, ratio.SE, 1e-7)
		close(t, "a base's SE", total(w, wide).SE, w.Total(wide).SE, 1e-7)
	})
}

// What the margins fix has no sampling error at all.
func TestMarginsHaveNoError(t *testing.T) {
	d := draw(3, 200)
	w := mustRake(t, d)
	var sexF, everyone panel.Variable
	for i, p := range d.roster.Panelists {
		everyone.At = append(everyone.At, int32(i))
		if p.Categories[0] == "F" {
			sexF.At = append(sexF.At, int32(i))
		}
	}
	if e := total(w, everyone); e.SE != 0 {
		t.Errorf("the universe has SE %g", e.SE)
	}
	if e := total(w, sexF); e.SE != 0 {
		t.Errorf("a margin has SE %g", e.SE)
	}
	if e := total(w, panel.Variable{}); e != (panel.Estimate{}) {
		t.Errorf("nobody's total is %+v", e)
	}
	if e := w.TermRatio(w.Term(sexF), w.Term(everyone)); e.SE != 0 {
		t.Errorf("a margin's share has SE %g", e.SE)
	}
	if e := w.TermRatio(w.Term(sexF), w.Term(panel.Variable{})); e.Defined() {
		t.Errorf("a ratio to a base of nobody is %+v", e)
	}
	if e := w.NestedRatio(w.Term(panel.Variable{}), w.Term(panel.Variable{})); e.Defined() {
		t.Errorf("a ratio to nobody is %+v", e)
	}
}

// Change is checked against z written out person by person over the union.
func TestChange(t *testing.T) {
	now, before := draw(5, 150), draw(6, 130)
	for i := range now.roster.Panelists {
		now.roster.Panelists[i].ID += 50 // 51..200 and 1..130: 80 persons in both
	}
	w1, w0 := mustRake(t, now), mustRake(t, before)
	pair := panel.Compare(w1, w0)
	if pair.Persons() != 200 {
		t.Fatalf("union %d", pair.Persons())
	}
	u1, _ := now.variables(1, 0.5)
	u0, _ := before.variables(2, 0.3)
	z1, _ := naive(now, w1.Final(), dense(u1, 150))
	z0, _ := naive(before, w0.Final(), dense(u0, 130))
	ua1, ua0 := w1.Value(u1), w0.Value(u0)
	absolute, percent := make([]float64, 200), make([]float64, 200)
	for i, z := range z1 {
		absolute[50+i] += z
		percent[50+i] += 100 * z / ua0
	}
	for i, z := range z0 {
		absolute[i] -= z
		percent[i] -= 100 * z * ua1 / (ua0 * ua0)
	}
	got := pair.Change(u1, u0)
	near(t, "change", got.Absolute.Value, ua1-ua0, 1e-9)
	near(t, "SE of change", got.Absolute.SE, spread(absolute), 1e-9)
	near(t, "percent", got.Percent.Value, 100*(ua1/ua0-1), 1e-9)
	near(t, "SE of percent", got.Percent.SE, spread(percent), 1e-9)
}

func TestChangeOfNothing(t *testing.T) {
	d := draw(5, 150)
	w := mustRake(t, d)
	users, _ := d.variables(1, 0.5)
	same := panel.Compare(w, w).Change(users, users)
	if same.Absolute != (panel.Estimate{}) || same.Percent != (panel.Estimate{}) {
		t.Errorf("a month against itself changes by %+v", same)
	}
	term := w.Term(users)
	own := w.TermRatio(term, term)
	if own.Value != 1 || own.SE != 0 {
		t.Errorf("a base over itself is %+v", own)
	}
	if first := panel.Compare(w, w).Change(users, panel.Variable{}); first.Percent.Defined() || !first.Absolute.Defined() {
		t.Errorf("a first month changes by %+v", first)
	}
}

// The oracle's index against the same written with two ratios where one is fixed.
func TestProductOfFour(t *testing.T) {
	d := draw(8, 400)
	w := mustRake(t, d)
	a, _ := d.variables(1, 0.5)
	b, _ := d.variables(2, 0.4)
	active, _ := d.variables(3, 0.9)
	both := panel.Combine(1, panel.Combine(0.5, a, 0.5, b), 0, active)
	got := w.Product([]panel.Variable{both, active}, []panel.Variable{a, b})
	value := w.Value(both) * w.Value(active) / (w.Value(a) * w.Value(b))
	near(t, "index", got.Value, value, 1e-12)
	linear := panel.Combine(1, panel.Combine(1/w.Value(both), both, 1/w.Value(active), active), -1,
		panel.Combine(1/w.Value(a), a, 1/w.Value(b), b))
	_, se := naive(d, w.Final(), dense(linear, 400))
	near(t, "SE of index", got.SE, value*se, 1e-9)
	if e := w.Product([]panel.Variable{{}, active}, []panel.Variable{a, b}); e != (panel.Estimate{}) {
		t.Errorf("an index of nobody is %+v", e)
	}
	if e := w.Product([]panel.Variable{active}, []panel.Variable{a, {}}); e.Defined() {
		t.Errorf("an index to nobody is %+v", e)
	}
}
