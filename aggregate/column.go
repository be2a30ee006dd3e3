package aggregate

import "rollcall/aggregate/hll"

// column is a sketch and what is to be added to it. With many live cells every
// touch of a sketch is a cache miss, so it is touched once for many ids.
type column struct {
	sketch *hll.Sketch
	ids    []uint64   // while the sketch is small
	rises  []hll.Rise // what ids do to it once it is large, in half the memory
}

const (
	firstWaiting = 16   // ids or rises, before a column has space for
	mostWaiting  = 1024 // of them
)

// size is what the column holds in memory.
func (c *column) size() int { return c.sketch.Size() + 8*cap(c.ids) + 4*cap(c.rises) }

// add brings to the sketch what waits for it.
func (c *column) add() {
	c.sketch.AddSlice(c.ids)
	c.sketch.Raise(c.rises)
	c.ids, c.rises = c.ids[:0], c.rises[:0]
	if c.sketch.Large() {
		c.ids = nil
	}
}

// note adds an id.
func (c *column) note(id uint64) {
	if c.sketch.Large() {
		c.riseSpace(1)[0] = hll.RiseOf(id, c.sketch.K())
	} else {
		c.idSpace(1)[0] = id
	}
}

// idSpace gives the place of the next n ids, or of fewer.
func (c *column) idSpace(n int) []uint64 {
	if len(c.ids) == mostWaiting {
		c.add()
	}
	return space(&c.ids, n)
}

// riseSpace gives the place of the next n rises of a large sketch, or of fewer.
func (c *column) riseSpace(n int) []hll.Rise {
	if len(c.rises) == mostWaiting {
		c.add()
	}
	return space(&c.rises, n)
}

// space lengthens a list by n, or by less, and gives what is new of it.
func space[T any](list *[]T, n int) []T {
	have := len(*list)
	if have == cap(*list) {
		*list = append(make([]T, 0, min(mostWaiting, max(firstWaiting, 2*have, have+n))), *list...)
	}
	*list = (*list)[:min(have+n, cap(*list))]
	return (*list)[have:]
}
