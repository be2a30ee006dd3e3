package aggregate

import (
	"rollcall"
	"rollcall/aggregate/idset"
)

// Deltas gives what changed since the last flush. A cell that is kept and did
// not change is passed over.
func (f *Fold) Deltas() rollcall.Deltas {
	return rollcall.Deltas{Cells: f.changedCells, Diaries: f.allDiaries, Known: f.undone.removals}
}

func (f *Fold) changedCells(yield func(rollcall.Cell, rollcall.CellState) bool) {
	f.block.mark()
	var state rollcall.CellState
	for key, c := range f.cells {
		if !c.changed() {
			continue
		}
		state.Coarse, state.Exact = c.coarse, c.exact
		c.accounts.shorten()
		state.Accounts = idset.Append(state.Accounts[:0], c.accounts.list)
		state.Accounts = idset.Without(state.Accounts[:0], state.Accounts, idset.Append(nil, f.undone.erased.Of(&key)))
		state.Visitors = c.visitors.sketch.Append(state.Visitors[:0])
		state.Minutes = c.minutes.sketch.Append(state.Minutes[:0])
		if !yield(key, state) {
			return
		}
	}
}

// changed brings all to the sketches, and reports whether the cell has
// something that the store lacks.
func (c *census) changed() bool {
	c.visitors.add()
	c.minutes.add()
	return c.visitors.sketch.Dirty() || c.minutes.sketch.Dirty() || c.raised || len(c.accounts.list) > 0
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
	f.bytes, f.undone.newest = 0, 0
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

// drop drops all that is held.
func (f *Fold) drop() {
	f.forget()
	clear(f.cells)
	f.bytes, f.undone.newest = 0, 0
}
