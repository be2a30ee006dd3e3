package aggregate

import "rollcall/aggregate/hll"

// column is a sketch and what is to be added to it: ids, or what rows do to a large
// sketch, as rises, which take half the memory.
type column struct {
	sketch *hll.Sketch
	ids    []uint64

	rises []hll.Rise
	floor hll.Rise // a rise to this rank or a lower one changes nothing
}

const (
	firstWaiting = 16   // ids, before a column has space for
	mostWaiting  = 512  // of them
	mostRises    = 1440 // that wait: six hands full
)

// size is what the column holds in memory.
func (c *column) size() int { return c.sketch.Size() + 8*cap(c.ids) + 4*cap(c.rises) }

// add brings to the sketch what waits for it.
func (c *column) add() {
	small := !c.sketch.Large()
	c.sketch.AddSlice(c.ids)
	c.ids = c.ids[:0]
	if small && c.sketch.Large() {
		c.ids = nil // few will wait from now on
	}
	if len(c.rises) > 0 {
		c.raise()
	}
}

// raise brings to the large sketch the rises that wait for it.
func (c *column) raise() {
	c.floor = max(c.floor, c.sketch.Raise(c.rises))
	c.rises = c.rises[:0]
}

// take has a few rises wait for the large sketch, and gives the bytes that this took.
func (c *column) take(rises []hll.Rise) int {
	before := cap(c.rises)
	switch {
	case c.rises == nil:
		c.rises = make([]hll.Rise, 0, mostRises)
	case len(c.rises)+len(rises) > mostRises:
		c.raise()
	}
	c.rises = append(c.rises, rises...)
	return 4 * (cap(c.rises) - before)
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
