package aggregate

import "rollcall/aggregate/hll"

// column is a sketch and the ids that are to be added to it: many at once, since with
// many live cells every touch of a sketch is a cache miss.
type column struct {
	sketch *hll.Sketch
	ids    []uint64
}

const (
	firstWaiting = 16  // ids, before a column has space for
	mostWaiting  = 512 // of them
)

// size is what the column holds in memory.
func (c *column) size() int { return c.sketch.Size() + 8*cap(c.ids) }

// add brings to the sketch what waits for it.
func (c *column) add() {
	small := !c.sketch.Large()
	c.sketch.AddSlice(c.ids)
	c.ids = c.ids[:0]
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
	if have := len(c.ids); have == cap(c.ids) {
		c.ids = append(make([]uint64, 0, min(mostWaiting, max(firstWaiting, 2*have))), c.ids...)
	}
	return c.size() - before
}
