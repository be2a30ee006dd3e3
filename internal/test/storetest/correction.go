package storetest

import (
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

// counted is a cell of a service that is counted exactly, with these visitors.
func counted(c rollcall.Cell, visitors ...uint64) rollcall.CellRow {
	if c.Market == "" {
		c.Market = "FR"
	}
	c.Location, c.Kind, c.Key = rollcall.Elsewhere, rollcall.Use, max(c.Key, 1)
	s := hll.New(k)
	s.AddSlice(visitors)
	return rollcall.CellRow{Cell: c, CellState: rollcall.CellState{
		Visitors: s.Append(nil), Minutes: hll.New(k).Append(nil), Accounts: idset.Append(nil, slices.Clone(visitors)), Exact: true,
	}}
}

// brings merges cells that were folded without what some removals remove.
func brings(t *testing.T, s Store, known rollcall.Corrections, cells ...rollcall.CellRow) {
	t.Helper()
	d := Facts{Cells: cells}.Deltas()
	d.Known = known
	must(t, s.Merge(t.Context(), d))
}

// requireVisitors compares the accounts that a market has in all, by day, service
// and segment, with those wanted.
func requireVisitors(t *testing.T, s Store, what string, want ...rollcall.CellRow) {
	t.Helper()
	var got []rollcall.CellRow
	for r, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "FR", From: day0 - 100, To: day0 + 100}) {
		must(t, err)
		r.Visitors, r.Accounts, r.CellState.Minutes = slices.Clone(r.Visitors), slices.Clone(r.Accounts), slices.Clone(r.CellState.Minutes)
		got = append(got, r)
	}
	slices.SortFunc(got, compareCells)
	slices.SortFunc(want, compareCells)
	same := slices.EqualFunc(got, want, func(a, b rollcall.CellRow) bool {
		return a.Cell == b.Cell && slices.Equal(a.Visitors, b.Visitors) && slices.Equal(a.Accounts, b.Accounts) && a.Exact == b.Exact
	})
	if !same {
		t.Errorf("%s: the cells are\n%+v, want\n%+v", what, got, want)
	}
}

func correct(t *testing.T, s Store, all ...rollcall.Correction) (rows int) {
	t.Helper()
	rows, err := s.AddCorrections(t.Context(), all...)
	must(t, err)
	return rows
}

func known(t *testing.T, s Store) rollcall.Corrections {
	t.Helper()
	all, err := s.Corrections(t.Context())
	must(t, err)
	return all
}

// testCorrections: what was recorded comes back as it was, once, the earliest
// first.
func testCorrections(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	want := rollcall.Corrections{
		{Action: rollcall.Erasing, Service: "msn", To: day0, Key: 1 << 63, Visitor: 1<<64 - 1, Time: noon.Add(-time.Hour)},
		{Action: rollcall.Cleared, Market: "FR", From: day0 - 9, To: day0 + 9, Reason: "it was not; \"\t'", Time: noon},
		{Action: rollcall.Outage, Market: "FR", From: day0 - 9, To: day0 + 9, Reason: "é", Time: noon},
		{Action: rollcall.Removal, Market: "FR", Service: "msn", Segment: "none", From: day0, To: day0, Reason: "twice", Time: noon.Add(7 * time.Millisecond)},
	}
	correct(t, s, want[3], want[0])
	correct(t, s, want...)
	if got := known(t, s); !slices.Equal(got, want) {
		t.Errorf("recorded are\n%+v, want\n%+v", got, want)
	}
	n, err := s.CountCorrections(t.Context())
	if must(t, err); n != len(want) {
		t.Errorf("%d are counted, want %d", n, len(want))
	}
}

// testRemoval: what was removed never comes back by a flush that was folded
// without the removal, and what is folded with it counts whole.
func testRemoval(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	wrong, after := counted(rollcall.Cell{Day: day0, Service: "msn"}, 1, 2, 3), counted(rollcall.Cell{Day: day0 + 2, Service: "msn"}, 4)
	other, abroad := counted(rollcall.Cell{Day: day0, Service: "aim"}, 5), counted(rollcall.Cell{Market: "DE", Day: day0, Service: "msn"}, 6)
	brings(t, s, nil, wrong, after, other, abroad)
	removal := rollcall.Correction{Action: rollcall.Removal, Market: "FR", Service: "msn", From: day0 - 1, To: day0 + 1, Reason: "twice", Time: noon}
	if n := correct(t, s, removal); n != 1 {
		t.Errorf("%d cells are removed, want 1", n)
	}
	requireVisitors(t, s, "removed", after, other)
	brings(t, s, nil, wrong, after)
	requireVisitors(t, s, "after a late flush", after, other)
	right := counted(rollcall.Cell{Day: day0, Service: "msn"}, 2, 7)
	first := known(t, s)
	brings(t, s, first, right)
	brings(t, s, nil, wrong)
	requireVisitors(t, s, "corrected", right, after, other)
	before := Dump(t, s)
	brings(t, s, first, right)
	correct(t, s, removal)
	RequireSame(t, Dump(t, s), before)

	again := removal
	again.From, again.Time = day0, noon.Add(time.Minute)
	if n := correct(t, s, again); n != 1 {
		t.Errorf("%d cells are removed again, want 1", n)
	}
	brings(t, s, first, right)
	requireVisitors(t, s, "removed again", after, other)
	brings(t, s, known(t, s), wrong) // brought back by who knows
	requireVisitors(t, s, "brought back", wrong, after, other)
	for r, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "DE", From: day0, To: day0}) {
		if must(t, err); !slices.Equal(r.Accounts, abroad.Accounts) {
			t.Errorf("abroad %v is left", r)
		}
	}
}

// testRemovalOfSegment: a removal may be of one segment alone, or of none.
func testRemovalOfSegment(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	cell := func(segment rollcall.SegmentID) rollcall.CellRow {
		return counted(rollcall.Cell{Day: day0, Service: "msn", Segment: segment}, 1)
	}
	brings(t, s, nil, cell(""), cell("a"), cell("b"))
	of := rollcall.Correction{Action: rollcall.Removal, Market: "FR", Service: "msn", From: day0, To: day0, Segment: "a", Reason: "twice", Time: noon}
	if n := correct(t, s, of); n != 1 {
		t.Errorf("%d cells of the segment are removed, want 1", n)
	}
	requireVisitors(t, s, "of a segment", cell(""), cell("b"))
	of.Segment = rollcall.None
	correct(t, s, of)
	brings(t, s, nil, cell(""), cell("a"), cell("b"))
	requireVisitors(t, s, "of none", cell("b"))
}

// testErasing: an account goes out of the sets of its service, its key and the
// days up to the last, and out of no sketch.
func testErasing(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	early, last, later := rollcall.Cell{Day: day0 - 3, Service: "msn"}, rollcall.Cell{Day: day0, Service: "msn"}, rollcall.Cell{Day: day0 + 1, Service: "msn"}
	other, elsewhere := rollcall.Cell{Day: day0, Service: "msn", Key: 2}, rollcall.Cell{Day: day0, Service: "aim"}
	without := rollcall.Cell{Day: day0 - 4, Service: "msn"}
	brings(t, s, nil, counted(early, 1), counted(last, 1, 2), counted(later, 1, 2), counted(other, 1, 2), counted(elsewhere, 1), counted(without, 2))
	erasing := rollcall.Correction{Action: rollcall.Erasing, Service: "msn", Key: 1, Visitor: 1, To: day0, Time: noon}
	never := rollcall.Correction{Action: rollcall.Erasing, Service: "msn", Key: 77, Visitor: 9, To: day0, Time: noon}
	would, err := s.CountSets(t.Context(), erasing, never)
	if must(t, err); would != 2 || len(known(t, s)) != 0 {
		t.Errorf("%d sets are counted, want 2", would)
	}
	requireVisitors(t, s, "counted", counted(early, 1), counted(last, 1, 2), counted(later, 1, 2), counted(other, 1, 2), counted(elsewhere, 1), counted(without, 2))
	if n := correct(t, s, erasing, never); n != 2 {
		t.Errorf("%d sets had the account, want 2", n)
	}
	less := func(c rollcall.Cell, ids ...uint64) rollcall.CellRow {
		row := counted(c, 1, 2)
		if c == early {
			row = counted(c, 1)
		}
		row.Accounts = idset.Append(nil, ids)
		return row
	}
	requireVisitors(t, s, "erased", less(early), less(last, 2), counted(later, 1, 2), counted(other, 1, 2), counted(elsewhere, 1), counted(without, 2))
	if n := correct(t, s, erasing); n != 0 {
		t.Errorf("%d sets had the account after it was erased", n)
	}
}

// testRevision: whatever changes what a census is made of changes the revision of
// its months; and where nothing is written it stays.
func testRevision(t *testing.T, open func(*testing.T, int) Store) {
	s, month := open(t, k), day0.Month()
	cell := rollcall.Cell{Day: day0, Service: "msn"}
	removal := rollcall.Correction{Action: rollcall.Removal, Market: "FR", Service: "msn", From: day0, To: day0, Reason: "twice", Time: noon}
	last := revision(t, s).Of(month)
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"a new cell", func() error { brings(t, s, nil, counted(cell, 1)); return nil }},
		{"a cell that grows", func() error { brings(t, s, nil, counted(cell, 1, 2)); return nil }},
		{"an erasing", func() error {
			correct(t, s, rollcall.Correction{Action: rollcall.Erasing, Service: "msn", To: day0, Key: 1, Visitor: 1, Time: noon})
			return nil
		}},
		{"a mark", func() error {
			correct(t, s, rollcall.Correction{Action: rollcall.Outage, Market: "FR", From: day0, To: day0, Reason: "down", Time: noon})
			return nil
		}},
		{"a removal", func() error { correct(t, s, removal); return nil }},
		{"what is loaded after it", func() error { brings(t, s, known(t, s), counted(cell, 3)); return nil }},
		{"a service", func() error {
			return s.PutService(t.Context(), rollcall.Service{ID: "msn", Name: "MSN", Census: rollcall.Exactly})
		}},
		{"a segment", func() error { return s.PutSegment(t.Context(), rollcall.Segment{ID: "a", Name: "A", Into: "b"}) }},
		{"a key", func() error { return s.AddMaster(t.Context(), rollcall.Master{ID: 7, From: day0, Time: noon}) }},
		{"an ageing", func() error { return s.AddAgeing(t.Context(), rollcall.Ageing{Before: month + 1, Time: noon}) }},
		{"its end", func() error { _, err := s.RemoveFacts(t.Context(), month+1); return err }},
	} {
		must(t, change.make())
		now := revision(t, s).Of(month)
		if now == last {
			t.Errorf("%s: the revision is %q as before", change.name, now)
		}
		last = now
	}
}

func revision(t *testing.T, s Store) rollcall.Revision {
	t.Helper()
	r, err := s.Revision(t.Context())
	must(t, err)
	return r
}
