package panel

import (
	"math"
	"testing"

	"rollcall"
)

// The wanted figures are R's: qt(.975, 299), qbeta.
func TestIntervalEdges(t *testing.T) {
	in := newIntervals(0.95, 300, 0.9)
	want := func(what string, got Interval, low, high float64) {
		t.Helper()
		if math.Abs(got.Low-low) > 1e-9 || math.Abs(got.High-high) > 1e-9 {
			t.Errorf("%s is %.10f to %.10f, want %.10f to %.10f", what, got.Low, got.High, low, high)
		}
	}
	want("q", Interval{in.Q(), in.Q()}, 1.9679296690656691, 1.9679296690656691)
	want("nobody of 100", in.Proportion(Estimate{}, 0, 100), 0, 1-math.Pow(0.025, 1.0/90))
	want("all of 100", in.Proportion(Estimate{Value: 1}, 100, 100), math.Pow(0.025, 1.0/90), 1)
	want("a margin's own share", in.Proportion(Estimate{Value: 0.25}, 20, 100), 0.25, 0.25)
	want("a logit without error", in.Proportion(Estimate{Value: 0.25}, 40, 100), 0.25, 0.25)
	want("a plain one", in.Plain(Estimate{Value: 5, SE: 1}), 5-in.Q(), 5+in.Q())
	e := Estimate{Value: 0.1, SE: 0.02}
	want("few users", in.Proportion(e, 29, 300), in.Beta(e, 300).Low, in.Beta(e, 300).High)
	want("few others", in.Proportion(e, 271, 300), in.Beta(e, 300).Low, in.Beta(e, 300).High)
	want("enough of both", in.Proportion(e, 30, 60), in.Logit(e).Low, in.Logit(e).High)
	edge := Estimate{Value: 0.0199, SE: 0.005}
	want("an edge", in.Proportion(edge, 40, 300), in.Beta(edge, 300).Low, in.Beta(edge, 300).High)
	want("beta of 0.1", in.Beta(e, 300), 0.0641007744456672, 0.1468631553798090)
}

func TestIntervalsOfARosterOfOne(t *testing.T) {
	r := &rollcall.Roster{Columns: []string{"sex"}, Panelists: []rollcall.Panelist{{ID: 1, BaseWeight: 1, Categories: []string{"F"}}}}
	w, err := Rake(r, &rollcall.Population{Margins: []rollcall.Margin{{Name: "sex", Category: "F", Population: 10}}}, rollcall.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	v := Variable{At: []int32{0}}
	e := w.Linear(Part{1, w.Term(v)})
	if e.Value != 10 || !math.IsNaN(e.SE) || !e.Defined() {
		t.Errorf("total is %+v", e)
	}
	if i := w.Intervals(0.95).Audience(e, 10, 1); !math.IsNaN(i.Low) || !math.IsNaN(i.High) {
		t.Errorf("interval is %+v", i)
	}
}

func TestTied(t *testing.T) {
	in := newIntervals(0.95, 300, 1)
	if !in.Tied(Estimate{Value: -1.96, SE: 1}) || in.Tied(Estimate{Value: 1.97, SE: 1}) || in.Tied(Estimate{}) {
		t.Error("ties are |difference| < 1.968 SE, strictly")
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
	for _, bad := range []Thresholds{{Low: -1}, {Caution: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if Usual().Validate() != nil || !(Thresholds{Low: 29, Caution: 60}).Under(Usual()) || Usual().Under(Usual()) {
		t.Error("the usual thresholds are sound, and under nothing of their own")
	}
}
