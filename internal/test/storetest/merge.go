package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

// testMergeLaws holds every way of sending the same deltas to the same dump.
func testMergeLaws(t *testing.T, open func(*testing.T, int) Store) {
	rng := rand.New(rand.NewPCG(1, 2))
	facts := Draw(rng, k, 150, 1500)
	a, b := facts.Shuffled(rng).Halves()
	once := open(t, k)
	merge(t, once, facts)
	want := Dump(t, once)
	merge(t, once, facts)
	RequireSame(t, Dump(t, once), want)

	for _, c := range []struct {
		name string
		send func(*testing.T, Store)
	}{
		{"shuffled", func(t *testing.T, s Store) { merge(t, s, facts.Shuffled(rng)) }},
		{"in halves", func(t *testing.T, s Store) { merge(t, s, a, b) }},
		{"overlapping", func(t *testing.T, s Store) { merge(t, s, b, facts, a, b.Shuffled(rng)) }},
		{"two mergers", func(t *testing.T, s Store) { mergeAtOnce(t, s, a, b) }},
		{"two mergers of the same", func(t *testing.T, s Store) { mergeAtOnce(t, s, facts, facts.Shuffled(rng)) }},
		{"one by one", func(t *testing.T, s Store) { mergeEach(t, s, facts, 12) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, k)
			c.send(t, s)
			RequireSame(t, Dump(t, s), want)
		})
	}
}

func merge(t *testing.T, s Store, all ...Facts) {
	t.Helper()
	for _, f := range all {
		must(t, s.Merge(t.Context(), f.Deltas()))
	}
}

func mergeAtOnce(t *testing.T, s Store, all ...Facts) {
	var wg sync.WaitGroup
	for _, f := range all {
		wg.Go(func() {
			if err := s.Merge(t.Context(), f.Deltas()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// mergeEach sends n flushes.
func mergeEach(t *testing.T, s Store, f Facts, n int) {
	for i := range n {
		part := Facts{
			Cells:   f.Cells[i*len(f.Cells)/n : (i+1)*len(f.Cells)/n],
			Diaries: f.Diaries[i*len(f.Diaries)/n : (i+1)*len(f.Diaries)/n],
		}
		merge(t, s, part)
	}
}

// testMergeUnion compares what is read with the union made in Go.
func testMergeUnion(t *testing.T, open func(*testing.T, int) Store) {
	rng := rand.New(rand.NewPCG(3, 4))
	facts := Draw(rng, k, 200, 1500)
	facts.Diaries = append(facts.Diaries, rollcall.DiaryRow{Diary: rollcall.Diary{ // of no minute: no diary
		Market: "FR", Panel: "nn", Day: day0, Panelist: 77, Service: "aim", Location: rollcall.Home, Kind: rollcall.Use,
	}})
	s := open(t, k)
	merge(t, s, facts)
	for _, market := range []rollcall.MarketID{"FR", "F.R", "DE", "none"} {
		all := rollcall.CellQuery{Market: market, From: day0 - 1000, To: day0 + 1000}
		requireCells(t, s, all, facts.cellUnion(t))
		for _, panel := range []rollcall.PanelID{"nn", "n", ""} {
			requireDiaries(t, s, rollcall.DiaryQuery{Market: market, Panel: panel, From: day0 - 1000, To: day0 + 1000}, facts.diaryUnion())
		}
	}
	merge(t, s, Facts{})
	must(t, s.Merge(t.Context(), rollcall.Deltas{}))
}

// testMergeRaisesNothing: a delta that raises no register adds its account all the
// same, and what it says of the whole cell counts.
func testMergeRaisesNothing(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	cell := rollcall.CellRow{Cell: rollcall.Cell{Market: "FR", Day: day0, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}}
	sketch := hll.New(k)
	for id := range uint64(100_000) {
		sketch.Add(id)
	}
	cell.Visitors, cell.CellState.Minutes = sketch.Append(nil), sketch.Append(nil)
	cell.Accounts, cell.Exact = idset.Append(nil, []uint64{1, 2}), true
	all := Facts{K: k, Cells: []rollcall.CellRow{cell}}
	for _, change := range []func(*rollcall.CellRow){
		func(*rollcall.CellRow) {},
		func(c *rollcall.CellRow) { c.Accounts = idset.Append(nil, []uint64{3}) },
		func(c *rollcall.CellRow) { c.Coarse = true },
		func(c *rollcall.CellRow) { c.Exact = false },
	} {
		delta := cell
		change(&delta)
		all.Cells = append(all.Cells, delta)
		merge(t, s, Facts{K: k, Cells: []rollcall.CellRow{delta}})
		requireCells(t, s, rollcall.CellQuery{Market: "FR", From: day0, To: day0}, all.cellUnion(t))
	}
}

// testMergeRefuses: what no event could have made is an ErrInvalid.
func testMergeRefuses(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	before := Dump(t, s)
	cell := rollcall.CellRow{Cell: rollcall.Cell{Market: "FR", Day: day0, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}}
	cell.Visitors = hll.New(k).Append(nil)
	cell.CellState.Minutes = cell.Visitors
	for name, spoil := range map[string]func(*rollcall.CellRow){
		"market":   func(c *rollcall.CellRow) { c.Market = "" },
		"service":  func(c *rollcall.CellRow) { c.Service = "a b" },
		"location": func(c *rollcall.CellRow) { c.Location |= rollcall.Work },
		"kind":     func(c *rollcall.CellRow) { c.Kind = rollcall.Logout },
	} {
		c := cell
		spoil(&c)
		if err := s.Merge(t.Context(), Facts{Cells: []rollcall.CellRow{c}}.Deltas()); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("a cell of another %s: %v", name, err)
		}
	}
	refuseDiaries(t, s)
	c := cell
	c.Visitors = []byte{3, 1, 2}
	if err := s.Merge(t.Context(), Facts{Cells: []rollcall.CellRow{c}}.Deltas()); err == nil {
		t.Error("a malformed sketch is merged")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.Merge(ended, Facts{Cells: []rollcall.CellRow{cell}}.Deltas()); !errors.Is(err, context.Canceled) {
		t.Errorf("a merge whose context has ended: %v", err)
	}
	RequireSame(t, Dump(t, s), before)
}

func refuseDiaries(t *testing.T, s Store) {
	diary := rollcall.DiaryRow{Diary: rollcall.Diary{Market: "FR", Panel: "nn", Day: day0, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}}
	diary.Minutes.AddRange(0, 10)
	for name, spoil := range map[string]func(*rollcall.DiaryRow){
		"market":   func(d *rollcall.DiaryRow) { d.Market = "é" },
		"panel":    func(d *rollcall.DiaryRow) { d.Panel = "" },
		"service":  func(d *rollcall.DiaryRow) { d.Service = "a\x00" },
		"location": func(d *rollcall.DiaryRow) { d.Location = 0 },
		"kind":     func(d *rollcall.DiaryRow) { d.Kind = rollcall.LoginFailed },
		"minute":   func(d *rollcall.DiaryRow) { d.Minutes[len(d.Minutes)-1] = 1 << 63 },
	} {
		d := diary
		spoil(&d)
		if err := s.Merge(t.Context(), Facts{Diaries: []rollcall.DiaryRow{d}}.Deltas()); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("a diary of another %s: %v", name, err)
		}
	}
}
