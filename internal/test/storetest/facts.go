package storetest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

// Facts is a list of deltas. Several may be of one cell or diary.
type Facts struct {
	K       int
	Cells   []rollcall.CellRow
	Diaries []rollcall.DiaryRow
}

// Deltas yields the facts from memory that is overwritten after each step, as
// an engine must allow.
func (f Facts) Deltas() rollcall.Deltas {
	return rollcall.Deltas{
		Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
			for _, c := range f.Cells {
				state := c.CellState
				state.Visitors, state.Minutes, state.Accounts = slices.Clone(c.Visitors), slices.Clone(c.CellState.Minutes), slices.Clone(c.Accounts)
				more := yield(c.Cell, state)
				clear(state.Visitors)
				clear(state.Minutes)
				clear(state.Accounts)
				if !more {
					return
				}
			}
		},
		Diaries: func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
			var m rollcall.Minutes
			for _, d := range f.Diaries {
				m = d.Minutes
				more := yield(d.Diary, &m)
				m = rollcall.Minutes{}
				if !more {
					return
				}
			}
		},
	}
}

// Shuffled gives the facts in another order.
func (f Facts) Shuffled(rng *rand.Rand) Facts {
	f.Cells, f.Diaries = slices.Clone(f.Cells), slices.Clone(f.Diaries)
	rng.Shuffle(len(f.Cells), func(i, j int) { f.Cells[i], f.Cells[j] = f.Cells[j], f.Cells[i] })
	rng.Shuffle(len(f.Diaries), func(i, j int) { f.Diaries[i], f.Diaries[j] = f.Diaries[j], f.Diaries[i] })
	return f
}

// Halves splits the facts in two.
func (f Facts) Halves() (a, b Facts) {
	a, b = f, f
	a.Cells, b.Cells = f.Cells[:len(f.Cells)/2], f.Cells[len(f.Cells)/2:]
	a.Diaries, b.Diaries = f.Diaries[:len(f.Diaries)/2], f.Diaries[len(f.Diaries)/2:]
	return a, b
}

// Day0 is the first day of Draw's facts, whose thirty days touch two months.
var day0 = rollcall.DayOf(2002, 10, 20)

// Draw draws facts: cells whose sketches are of all three types, and diaries
// of few panelists, so that many are of the same key.
func Draw(rng *rand.Rand, k, cells, diaries int) Facts {
	f := Facts{K: k}
	for range cells {
		f.Cells = append(f.Cells, drawCell(rng, k))
	}
	for range diaries {
		f.Diaries = append(f.Diaries, drawDiary(rng))
	}
	return f
}

func drawCell(rng *rand.Rand, k int) (r rollcall.CellRow) {
	r.Cell = rollcall.Cell{
		Market: pick[rollcall.MarketID](rng, "FR", "F.R", "DE"), Service: pick[rollcall.ServiceID](rng, "aim", "icq", "msn"),
		Location: pick(rng, rollcall.Home, rollcall.Work, rollcall.Elsewhere), Kind: pick(rng, rollcall.Login, rollcall.Presence, rollcall.Use),
		Day: day0 + rollcall.Day(rng.IntN(3)*12), Key: pick[rollcall.KeyID](rng, 1, 1<<63),
		Platform: pick(rng, rollcall.NoPlatform, rollcall.NoPlatform, rollcall.Phone), Segment: pick[rollcall.SegmentID](rng, "", "", "lyon", "Lyon"),
	}
	r.Visitors = drawState(rng, k)
	r.CellState.Minutes = drawState(rng, k)
	r.Coarse = rng.IntN(4) == 0
	if r.Service == "icq" { // counted exactly; by another process not yet
		r.Accounts, r.Exact = drawAccounts(rng), rng.IntN(8) > 0
	}
	return r
}

func drawAccounts(rng *rand.Rand) []byte {
	ids := make([]uint64, rng.IntN(20))
	for i := range ids {
		ids[i] = rng.Uint64N(40) << 58
	}
	return idset.Append(nil, ids)
}

func drawState(rng *rand.Rand, k int) []byte {
	s := hll.New(k)
	for range pick(rng, 0, 1, 10, 60, 100, 2000) {
		s.Add(rng.Uint64N(5000))
	}
	return s.Append(nil)
}

func drawDiary(rng *rand.Rand) (r rollcall.DiaryRow) {
	r.Diary = rollcall.Diary{
		Market: pick[rollcall.MarketID](rng, "FR", "FR", "F.R"), Panel: pick[rollcall.PanelID](rng, "nn", "nn", "n"),
		Day: day0 + rollcall.Day(rng.IntN(30)), Panelist: pick[rollcall.Visitor](rng, 0, 1, 9, 10, 1<<63, 1<<64-1),
		Service: pick[rollcall.ServiceID](rng, "aim", "icq", "icq2", "msn"), Location: pick(rng, rollcall.Home, rollcall.Work, rollcall.Elsewhere),
		Kind: pick(rng, rollcall.Login, rollcall.Presence, rollcall.Use), Key: pick[rollcall.KeyID](rng, 1, 1, 1, 1<<63),
	}
	for range pick(rng, 1, 1, 2, 5) {
		from := rng.IntN(rollcall.MaxMinute)
		r.Minutes.AddRange(from, from+pick(rng, 1, 2, 30, 400))
	}
	return r
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// CellUnion gives what a store must hold after the facts: one row a cell, by
// service and then as it comes in Go's order.
func (f Facts) cellUnion(t *testing.T) []rollcall.CellRow {
	type whole struct {
		visitors, minutes *hll.Sketch
		rest              rollcall.CellState
	}
	all := map[rollcall.Cell]*whole{}
	for _, c := range f.Cells {
		w := all[c.Cell]
		if w == nil {
			w = &whole{visitors: hll.New(f.K), minutes: hll.New(f.K), rest: rollcall.CellState{Exact: true}}
			all[c.Cell] = w
		}
		must(t, w.visitors.MergeState(c.Visitors))
		must(t, w.minutes.MergeState(c.CellState.Minutes))
		w.rest.Coarse = w.rest.Coarse || c.Coarse
		w.rest.Exact = w.rest.Exact && c.Exact
		w.rest.Accounts = idset.Append(nil, append(slices.Collect(idset.All(w.rest.Accounts)), slices.Collect(idset.All(c.Accounts))...))
	}
	var rows []rollcall.CellRow
	for c, w := range all {
		w.rest.Visitors, w.rest.Minutes = w.visitors.Append(nil), w.minutes.Append(nil)
		rows = append(rows, rollcall.CellRow{Cell: c, CellState: w.rest})
	}
	slices.SortFunc(rows, compareCells)
	return rows
}

func compareCells(a, b rollcall.CellRow) int {
	return cmp.Or(
		cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.Market, b.Market), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Day, b.Day), cmp.Compare(a.Key, b.Key),
		cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Segment, b.Segment),
	)
}

// diaryUnion gives what a store must hold after the facts, in the order of
// Diaries.
func (f Facts) diaryUnion() []rollcall.DiaryRow {
	all := map[rollcall.Diary]rollcall.Minutes{}
	for _, d := range f.Diaries {
		m := all[d.Diary]
		if m.Union(&d.Minutes); m.Len() > 0 {
			all[d.Diary] = m
		}
	}
	var rows []rollcall.DiaryRow
	for _, d := range slices.SortedFunc(maps.Keys(all), compareDiaries) {
		rows = append(rows, rollcall.DiaryRow{Diary: d, Minutes: all[d]})
	}
	return rows
}

func compareDiaries(a, b rollcall.Diary) int {
	return cmp.Or(
		cmp.Compare(a.Panelist, b.Panelist), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.Location, b.Location), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key),
		cmp.Compare(a.Market, b.Market), cmp.Compare(a.Panel, b.Panel),
	)
}
