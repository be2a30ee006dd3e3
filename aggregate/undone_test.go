package aggregate

import (
	"testing"
	"time"

	"rollcall"
)

// TestRemovalBetweenTwoRecords: of one batch, a row of a record that was stamped before
// a removal is passed over, and one of a record stamped after it counts, whichever
// comes first.
func TestRemovalBetweenTwoRecords(t *testing.T) {
	at := time.Date(2002, 10, 3, 18, 0, 0, 0, time.UTC)
	day := rollcall.DayOf(2002, 10, 3)
	removed := rollcall.Corrections{{
		Action: rollcall.Removal, Market: "FR", Service: "msn", From: day, To: day, Time: at.Add(time.Hour),
	}}
	before, after := at.UnixMilli(), at.Add(2*time.Hour).UnixMilli()
	for name, stamps := range map[string][]int64{
		"before":                  {before},
		"after":                   {after},
		"before and after":        {before, after},
		"after and before":        {after, before},
		"after, before and after": {after, before, after},
	} {
		var b rollcall.Batch
		want := uint64(0)
		for i, stamp := range stamps {
			b.Stamp(stamp)
			if stamp == after {
				want++
			}
			b.Add(&rollcall.Event{
				Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
				Time:  at, Visitor: rollcall.Visitor(5 + i),
			})
		}
		f := NewFold(testK, testCalendar(t), nil)
		f.Learn(removed)
		if err := f.Add(&b); err != nil {
			t.Fatal(err)
		}
		got := uint64(0)
		for _, c := range f.cells {
			c.changed()
			got += uint64(c.visitors.sketch.Estimate().Count)
		}
		if got != want {
			t.Errorf("%s: %d visitors count, want %d", name, got, want)
		}
	}
}
