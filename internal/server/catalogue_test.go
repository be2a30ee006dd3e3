package server

import (
	"testing"

	"rollcall"
)

// TestNotedIsACopy: reports are shared by all who ask, so the one that says that
// its market is simulated is a table of its own.
func TestNotedIsACopy(t *testing.T) {
	c := &catalogue{now: &rollcall.Catalogue{Markets: []rollcall.Market{{ID: "FR"}, {ID: "SIM", Simulated: true}}}}
	shared := &rollcall.Table{Meta: rollcall.Meta{Notes: make([]string, 0, 1)}}
	noted := c.noteSimulated(shared, "SIM")
	if !noted.Meta.Simulated || len(noted.Meta.Notes) != 1 {
		t.Errorf("the market's meta is %+v", noted.Meta)
	}
	if shared.Meta.Simulated || shared.Meta.Notes[:1][0] != "" {
		t.Errorf("the shared table was changed: %+v", shared.Meta)
	}
	if c.noteSimulated(shared, "FR") != shared || c.noteSimulated(nil, "SIM") != nil {
		t.Error("a table with nothing to tell is not the same")
	}
}
