package aggregate

import (
	"rollcall"
	"rollcall/aggregate/idset"
)

// Deltas gives what changed since the last flush. A cell that is kept and did
// not change is passed over.
func (f *Fold) Deltas() rollcall.Deltas {
	return rollcall.Deltas{Cells: f.changedCells, Diaries: f.allDiaries}
}

func (f *Fold) changedCells(yield func(rollcall.Cell, rollcall.CellState) bool) {
	var state rollcall.CellState
	for key, c := range f.cells {
		c.visitors.sketchIDs()
		c.minutes.sketchIDs()
		if !c.visitors.sketch.Dirty() && !c.minutes.sketch.Dirty() && !c.raised && len(c.accounts.list) == 0 {
			continue
		}
		state.Coarse, state.Exact = c.coarse, c.exact
		c.accounts.shorten()
		state.Accounts = idset.Append(state.Accounts[:0], c.accounts.list)
		state.Visitors = c.visitors.sketch.Append(state.Visitors[:0])
		state.Minutes = c.minutes.sketch.Append(state.Minutes[:0])
		if !yield(key, state) {
			return
		}
	}
}

func (f *Fold) allDiaries(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
	for key, d := range f.diaries {
		if !yield(key, d) {
			return
		}
	}
}

// flushed marks everything as in the store. Diaries are dropped: an erased
// panelist must not come back from memory. Cells are kept, up to most bytes,
// since one whose registers no longer change need not be flushed again.
func (f *Fold) flushed(most int) {
	f.forget()
	f.bytes = 0
	for _, c := range f.cells {
		c.visitors.sketch.MarkClean()
		c.minutes.sketch.MarkClean()
		c.raised, c.accounts = false, ids{}
		f.bytes += c.size()
	}
	if f.bytes > most {
		clear(f.cells)
		f.bytes = 0
	}
}
