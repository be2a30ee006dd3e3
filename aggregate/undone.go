package aggregate

import (
	"slices"

	"rollcall"
)

// undone is what a fold knows of the mistakes in the census that were undone.
type undone struct {
	removals rollcall.Corrections // recorded
	lifted   rollcall.Corrections // those that remove nothing from this fold: a replay brings it back
	working  rollcall.Corrections // the others
	past     int                  // so many of working are from before the record in hand
	newest   int64                // stamp of the records since the last flush, in Unix milliseconds
	erased   rollcall.Erasings
}

// before gives how many removals are from before a record of a time.
func (u *undone) before(stamp int64) int {
	past := 0
	for past < len(u.working) && u.working[past].Time.UnixMilli() < stamp {
		past++
	}
	return past
}

// removed reports whether a cell was removed after the record in hand was
// stamped.
func (u *undone) removed(c *rollcall.Cell) bool {
	return slices.ContainsFunc(u.working[u.past:], func(r rollcall.Correction) bool { return r.Covers(c) })
}

// learn takes the whole list of what was recorded, and gives the removals that
// are new.
func (u *undone) learn(all rollcall.Corrections) (news rollcall.Corrections) {
	removals := all.Of(rollcall.Removal)
	if news = removals.Lacking(u.removals); len(news) > 0 {
		u.removals, u.working = removals, removals.Lacking(u.lifted)
		u.past = len(u.working)
	}
	u.erased = all.Erasings()
	return news
}

// Learn tells the fold what was done about mistakes in the census: what was
// removed is dropped, and passed over from then on. It reports whether all that
// is not flushed must be read again, and then has dropped it: among what was
// removed may be rows that were stamped after it.
func (f *Fold) Learn(all rollcall.Corrections) (again bool) {
	news := f.undone.learn(all)
	if len(news) == 0 {
		return false
	}
	f.dropGroups() // they know the cells
	for key, c := range f.cells {
		since := news.Since(&key)
		if since == 0 {
			continue
		}
		f.bytes -= c.size()
		again = again || c.changed() && f.undone.newest > since
		delete(f.cells, key)
	}
	if again {
		f.drop()
	}
	return again
}

// Lift has what these removals removed counted: the fold is of a replay that
// brings it back.
func (f *Fold) Lift(removals rollcall.Corrections) { f.undone.lifted = removals.Of(rollcall.Removal) }
