package api

import (
	"testing"

	"rollcall"
)

// TestCountWithheld: each figure once, by why it has no number.
func TestCountWithheld(t *testing.T) {
	m := func(s rollcall.Status) rollcall.Measure { return rollcall.Measure{Status: s} }
	got := countWithheld(&rollcall.Table{Meta: rollcall.Meta{Report: "ranking", Location: "home"}, Rows: []rollcall.Row{
		{"msn", m(rollcall.OK), m(rollcall.Below), 3},
		{"icq", m(rollcall.Caution), m(rollcall.Below), nil},
		{"aim", m(rollcall.Undefined), nil, true},
	}})
	if want := (withheld{Report: "ranking", Location: "home", Figures: 5, Below: 2, Undefined: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
