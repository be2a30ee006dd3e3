package hll

import (
	"errors"
	"fmt"
	"math/bits"
	"unsafe"
)

// The K that a sketch may have: it has 2^K registers once it is large.
const (
	MinK     = 12
	MaxK     = 18
	DefaultK = 14
)

// Sketch estimates how many distinct ids were added to it. Make one with [New]
// or [Decode]. A Sketch is for one goroutine at a time.
type Sketch struct {
	keys  keySet // the hashes, while regs is empty
	regs  []byte // 2^k ranks once large; its capacity may outlive them
	k     uint8
	dirty bool
}

// ErrK is the kind of every error about a K that can't be had.
var ErrK = errors.New("sketch precision out of range")

// CheckK gives an [ErrK] unless k is 12..18.
func CheckK(k int) error {
	if k < MinK || k > MaxK {
		return fmt.Errorf("K %d is not %d..%d: %w", k, MinK, MaxK, ErrK)
	}
	return nil
}

// New gives an empty sketch of 2^k registers. It panics unless k is 12..18: ask
// [CheckK] about a k that comes from outside.
func New(k int) *Sketch {
	if err := CheckK(k); err != nil {
		panic("hll.New: " + err.Error())
	}
	return &Sketch{k: uint8(k)}
}

// K gives the sketch's precision: it has 2^K registers once it is large.
func (s *Sketch) K() int { return int(s.k) }

// Dirty reports whether the state has changed since [Sketch.MarkClean], or
// since the sketch was made, decoded or reset. Adding what the sketch already
// holds changes nothing, so a clean sketch encodes to the same bytes as before.
func (s *Sketch) Dirty() bool { return s.dirty }

// MarkClean sets the mark that [Sketch.Dirty] compares with.
func (s *Sketch) MarkClean() { s.dirty = false }

// Size gives the bytes of memory that the sketch holds now. It costs nothing
// to ask.
func (s *Sketch) Size() int {
	return int(unsafe.Sizeof(*s)) + 8*cap(s.keys.slots) + cap(s.regs)
}

// keptSlots is the largest table that Reset keeps.
const keptSlots = 64

// Reset empties the sketch, which is clean then. It keeps a small table for
// the next keys and lets larger memory go.
func (s *Sketch) Reset() {
	if cap(s.keys.slots) > keptSlots {
		s.keys.drop()
	}
	s.keys.clear()
	s.regs = nil
	s.dirty = false
}

// Large reports whether the state is registers, not a set, so that the sketch takes
// rises.
func (s *Sketch) Large() bool { return len(s.regs) != 0 }

// limit is the number of keys at which a set becomes registers.
func limit(k uint8) int { return 1 << (k - 5) }

// toLarge makes registers of the set and lets its table go.
func (s *Sketch) toLarge() {
	s.setRegisters()
	clear(s.regs)
	keys := s.keys
	s.keys.drop()
	for _, h := range keys.slots {
		if h != 0 {
			s.raise(h)
		}
	}
	if keys.zero {
		s.raise(0)
	}
}

// setRegisters makes the sketch large, with registers that hold anything, in
// the memory that it has where that is enough.
func (s *Sketch) setRegisters() {
	size := 1 << s.k
	if cap(s.regs) < size {
		s.regs = make([]byte, size)
	}
	s.regs = s.regs[:size]
}

// raise adds hash h to the registers.
func (s *Sketch) raise(h uint64) {
	rank := rankOf(h, s.k)
	if at := int(h) & (len(s.regs) - 1); rank > s.regs[at] {
		s.regs[at] = rank
		s.dirty = true
	}
}

// log2 gives the logarithm of a power of two.
func log2(n int) uint8 { return uint8(bits.Len(uint(n)) - 1) }
