package aggregate

import "rollcall/aggregate/hll"

// column is a sketch and what is to be added to it. With many live cells every
// touch of a sketch is a cache miss, so it is touched once for many ids. What many
// rows do to a large sketch waits as rises, which take half the memory.
type column struct {
	sketch *hll.Sketch
	ids    []uint64
	rises  []hll.Rise
}

const (
	firstWaiting = 16   // ids or rises, before a column has space for
	mostWaiting  = 1024 // of them
)

// size is what the column holds in memory.
func (c *column) size() int { return c.sketch.Size() + 8*cap(c.ids) + 4*cap(c.rises) }

// add brings to the sketch what waits for it.
func (c *column) add() {
	small := !c.sketch.Large()
	c.sketch.AddSlice(c.ids)
	c.sketch.Raise(c.rises)
	c.ids, c.rises = c.ids[:0], c.rises[:0]
	if small && c.sketch.Large() {
		c.ids = nil // few will wait from now on
	}
}

// grow makes space for one more id, and gives the bytes that this took.
func (c *column) grow() int {
	before := c.size()
	if len(c.ids) == mostWaiting {
		c.add()
	}
	c.ids = roomy(c.ids, 1)
	return c.size() - before
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
	*list = roomy(*list, n)
	*list = (*list)[:min(have+n, cap(*list))]
	return (*list)[have:]
}

// roomy gives a list that is not longer than mostWaiting space for n more, or for
// fewer.
func roomy[T any](list []T, n int) []T {
	have := len(list)
	if have < cap(list) {
		return list
	}
	return append(make([]T, 0, min(mostWaiting, max(firstWaiting, 2*have, have+n))), list...)
}
