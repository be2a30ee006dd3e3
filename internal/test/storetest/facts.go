package storetest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
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
				state := rollcall.CellState{Visitors: slices.Clone(c.Visitors), Minutes: slices.Clone(c.CellState.Minutes)}
				more := yield(c.Cell, state)
				clear(state.Visitors)
				clear(state.Minutes)
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
	}
	r.Visitors = drawState(rng, k)
	r.CellState.Minutes = drawState(rng, k)
	return r
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
	type pair struct{ visitors, minutes *hll.Sketch }
	all := map[rollcall.Cell]pair{}
	for _, c := range f.Cells {
		if _, ok := all[c.Cell]; !ok {
			all[c.Cell] = pair{hll.New(f.K), hll.New(f.K)}
		}
		must(t, all[c.Cell].visitors.MergeState(c.Visitors))
		must(t, all[c.Cell].minutes.MergeState(c.CellState.Minutes))
	}
	var rows []rollcall.CellRow
	for c, p := range all {
		rows = append(rows, rollcall.CellRow{Cell: c, CellState: rollcall.CellState{Visitors: p.visitors.Append(nil), Minutes: p.minutes.Append(nil)}})
	}
	slices.SortFunc(rows, compareCells)
	return rows
}

func compareCells(a, b rollcall.CellRow) int {
	return cmp.Or(
		cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.Market, b.Market), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Day, b.Day), cmp.Compare(a.Key, b.Key),
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
