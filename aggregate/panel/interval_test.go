package panel

import (
	"math"
	"testing"

	"rollcall"
)

// someOf makes a term of 0s and 1s of so many persons, of weight 1 but for
// what the mass says.
func someOf(n int, mass float64) *Term {
	return &Term{Variable: Variable{At: make([]int32, n)}, Total: float64(n), mass: mass, users: n}
}

func intervalsOf(n int) Intervals {
	v := Intervals{level: 0.95, persons: n, df: n - 1}
	v.q = v.quantile(v.df)
	return v
}

// The wanted figures are R's: qt(.975, 299), qbeta.
func TestIntervalEdges(t *testing.T) {
	in := intervalsOf(300)
	want := func(what string, got Interval, low, high float64) {
		t.Helper()
		if math.Abs(got.Low-low) > 1e-9 || math.Abs(got.High-high) > 1e-9 {
			t.Errorf("%s is %.10f to %.10f, want %.10f to %.10f", what, got.Low, got.High, low, high)
		}
	}
	persons := func(n int) *Term { return someOf(n, float64(n)/0.9) }
	want("q", Interval{in.Q(), in.Q()}, 1.9679296690656691, 1.9679296690656691)
	freed := math.Pow(1.9842169515086827/1.9679296690656691, 2) // qt(.975, 99), qt(.975, 299)
	want("nobody of 100", in.Proportion(Estimate{}, persons(0), persons(100)), 0, 1-math.Pow(0.025, 1.0/90/freed))
	want("all of 100", in.Proportion(Estimate{Value: 1}, persons(100), persons(100)), math.Pow(0.025, 1.0/90/freed), 1)
	// By counted persons: what rounding makes of a sum of weights says nothing.
	want("all of 100 but for rounding", in.Proportion(Estimate{Value: 0.9999999999, SE: 1e-7}, persons(100), persons(100)), math.Pow(0.025, 1.0/90/freed), 1)
	want("a margin's own share", in.Proportion(Estimate{Value: 0.25}, persons(20), persons(100)), 0.25, 0.25)
	want("a logit without error", in.Proportion(Estimate{Value: 0.25}, persons(40), persons(100)), 0.25, 0.25)
	want("a plain one", in.Plain(Estimate{Value: 5, SE: 1}), 5-in.Q(), 5+in.Q())
	e := Estimate{Value: 0.1, SE: 0.02}
	want("few users", in.Proportion(e, persons(29), persons(300)), in.Beta(e).Low, in.Beta(e).High)
	want("few others", in.Proportion(e, persons(271), persons(300)), in.Beta(e).Low, in.Beta(e).High)
	want("enough of both", in.Proportion(e, persons(30), persons(60)), in.Logit(e).Low, in.Logit(e).High)
	edge := Estimate{Value: 0.0199, SE: 0.005}
	want("an edge", in.Proportion(edge, persons(40), persons(300)), in.Beta(edge).Low, in.Beta(edge).High)
	want("beta of 0.1", in.Beta(e), 0.0641007744456672, 0.1468631553798090)
}

func TestIntervalsOfARosterOfOne(t *testing.T) {
	r := &rollcall.Roster{Columns: []string{"sex"}, Panelists: []rollcall.Panelist{{ID: 1, BaseWeight: 1, Categories: []string{"F"}}}}
	w, err := Rake(r, &rollcall.Population{Margins: []rollcall.Margin{{Name: "sex", Category: "F", Population: 10}}}, rollcall.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	used := w.Term(Variable{At: []int32{0}})
	e := w.Linear(Part{1, used})
	if e.Value != 10 || !math.IsNaN(e.SE) || !e.Defined() {
		t.Errorf("total is %+v", e)
	}
	if i := w.Intervals(0.95).Audience(e, used); !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("interval is %+v", i)
	}
}

func TestTied(t *testing.T) {
	in := intervalsOf(301)
	if !in.Tied(Estimate{Value: -1.96, SE: 1}) || in.Tied(Estimate{Value: 1.97, SE: 1}) || !in.Tied(Estimate{}) {
		t.Error("ties are |difference| <= 1.968 SE")
	}
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		t    Thresholds
		n    int
		want rollcall.Status
	}{
		{Usual(), 0, rollcall.Below}, {Usual(), 29, rollcall.Below}, {Usual(), 30, rollcall.Caution}, {Usual(), 59, rollcall.Caution}, {Usual(), 60, rollcall.OK},
		{Thresholds{}, 0, rollcall.OK}, {Thresholds{Low: 0, Caution: 10}, 0, rollcall.Caution}, {Thresholds{Low: 200, Caution: 100}, 150, rollcall.Below},
	} {
		if got := c.t.Status(c.n); got != c.want {
			t.Errorf("%+v of %d is %s, want %s", c.t, c.n, got, c.want)
		}
	}
	if m := Usual().Measure(undefined, Interval{}, 500); m != (rollcall.Measure{Status: rollcall.Undefined}) {
		t.Errorf("an undefined figure is %+v", m)
	}
	if m := Usual().Measure(Estimate{2, 1}, Interval{0, 4}, 50); m != (rollcall.Measure{Value: 2, SE: 1, Low: 0, High: 4, N: 50, Status: rollcall.Caution}) {
		t.Errorf("a figure of 50 is %+v", m)
	}
	for _, bad := range []Thresholds{{Low: -1}, {Caution: -1}, {Low: 50, Caution: 10}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if Usual().Validate() != nil || !(Thresholds{Low: 29, Caution: 60}).Under(Usual()) || Usual().Under(Usual()) {
		t.Error("the usual thresholds are sound, and under nothing of their own")
	}
}

// The wanted figures are R's t.test of two samples: sleep's extra by group, and
// mtcars' mpg by am at 99 %.
func TestIndependent(t *testing.T) {
	for _, c := range []struct {
		a, b          Estimate
		dfA, dfB      int
		level         float64
		df, low, high float64
		differs       bool
	}{
		{Estimate{0.75, 0.565734527455728}, Estimate{2.33, 0.633166644731069}, 9, 9, 0.95, 17.7764735161785, -3.36548323071171, 0.20548323071171, false},
		{Estimate{17.147368421052633, 0.879572211978612}, Estimate{24.392307692307693, 1.710280436535960}, 18, 12, 0.99, 18.3322516384005, -12.7691276823310, -1.7207508601791, true},
		{Estimate{3, 0}, Estimate{3, 0}, 5, 6, 0.95, 11, 0, 0, false},
		{Estimate{3, 0}, Estimate{2, 0}, 5, 6, 0.95, 11, 1, 1, true},
	} {
		for _, sign := range []float64{1, -1} {
			d := Independent(c.a, c.b, c.dfA, c.dfB)
			low, high := c.low, c.high
			if sign < 0 {
				d, low, high = Independent(c.b, c.a, c.dfB, c.dfA), -c.high, -c.low
			}
			i := d.Interval(c.level)
			if math.Abs(d.DF-c.df) > 1e-8 || math.Abs(i.Low-low) > 1e-8 || math.Abs(i.High-high) > 1e-8 || d.Differs(c.level) != c.differs {
				t.Errorf("%+v less %+v: %+v, %+v, want %g degrees, %g to %g", c.a, c.b, d, i, c.df, low, high)
			}
		}
	}
	if one := Independent(Estimate{1, math.NaN()}, Estimate{2, 1}, 0, 9); one.Differs(0.95) {
		t.Error("a sample of one differs from another")
	}
}
