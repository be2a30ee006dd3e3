package rollcall

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

func TestMeasureJSON(t *testing.T) {
	for want, m := range map[string]Measure{
		`{"value":1585000.4,"se":2,"low":3,"high":4,"n":812,"status":"ok"}`:                   {1585000.4, 2, 3, 4, 812, OK},
		`{"value":1,"se":2,"low":3,"high":4,"n":50,"status":"caution"}`:                       {1, 2, 3, 4, 50, Caution},
		`{"value":null,"se":null,"low":null,"high":null,"n":null,"status":"below"}`:           {1, 2, 3, 4, 5, Below},
		`{"value":null,"se":null,"low":null,"high":null,"n":null,"status":"below_detection"}`: {1, 2, 3, 4, 5, BelowDetection},
		`{"value":null,"se":null,"low":null,"high":null,"n":null,"status":"undefined"}`:       {1, 2, 3, 4, 5, Undefined},
		`{"value":0,"se":0,"low":0,"high":0,"n":0,"status":"ok"}`:                             {Status: OK},
		`{"value":7,"se":null,"low":null,"high":null,"n":1,"status":"ok"}`:                    {7, math.NaN(), math.NaN(), math.Inf(1), 1, OK},
		`{"value":120,"se":null,"low":100,"high":140,"n":null,"status":"ok"}`:                 Measure{117, 2, 104.9, 125, 117, OK}.Coarse(10),
		`{"value":120,"se":null,"low":115,"high":125,"n":null,"status":"ok"}`:                 Measure{117, 0, 117, 117, 117, OK}.Coarse(10),
		`{"value":0,"se":null,"low":0,"high":5,"n":null,"status":"ok"}`:                       Measure{3, 0, 3, 3, 3, OK}.Coarse(10),
		`{"value":117,"se":2,"low":104,"high":125,"n":117,"status":"ok"}`:                     Measure{117, 2, 104, 125, 117, OK}.Coarse(0),
	} {
		got, err := json.Marshal(m)
		if err != nil || string(got) != want {
			t.Errorf("%+v is %s, %v; want %s", m, got, err, want)
		}
		var back Measure
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(back); string(again) != want {
			t.Errorf("%s reads back as %s", want, again)
		}
	}
	if m := (Measure{5, 0, 5, 5, 5, Below}).Coarse(10); m.Value != 5 || m.N != 5 {
		t.Errorf("what is withheld became %v", m)
	}
}

// TestRound: measures alone are rounded, the table asked is left as it is, and
// what is withheld stays so.
func TestRound(t *testing.T) {
	table := &Table{
		Columns: []Column{{Name: "service"}, {Name: "a"}, {Name: "b"}},
		Rows:    []Row{{"msn", Measure{Value: 1585000.44, SE: 12345.678, Low: 1e300, High: 1.005, N: 812, Status: OK}, Measure{Status: Below}}},
	}
	before := fmt.Sprint(table.Rows)
	for decimals, want := range map[int]string{
		0: "[[msn {1.585e+06 12346 1e+300 1 812 ok} {0 0 0 0 0 below}]]", 1: "[[msn {1.5850004e+06 12345.7 1e+300 1 812 ok} {0 0 0 0 0 below}]]",
		-3: "[[msn {1.585e+06 12000 1e+300 0 812 ok} {0 0 0 0 0 below}]]",
	} {
		if got := fmt.Sprint(table.Round(decimals).Rows); got != want {
			t.Errorf("%d decimals: %s; want %s", decimals, got, want)
		}
	}
	if got := fmt.Sprint(table.Rows); got != before || len(table.Meta.Notes) > 0 {
		t.Errorf("the table itself became %s", got)
	}
}
