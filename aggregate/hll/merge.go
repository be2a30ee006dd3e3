package hll

import (
	"encoding/binary"
	"fmt"
)

// Merge adds all that o holds. If their K differ, the result has the lower.
// o stays as it was. A sketch that New or Decode didn't make is refused with
// an [ErrK], and s is as before.
func (s *Sketch) Merge(o *Sketch) error {
	if err := CheckK(o.K()); err != nil {
		return fmt.Errorf("merge a sketch: %w", err)
	}
	if o.k < s.k {
		if err := s.Reduce(o.K()); err != nil {
			return fmt.Errorf("merge a sketch: %w", err)
		}
	}
	if o.Large() {
		s.mergeRegisters(o.regs)
	} else {
		s.mergeKeys(&o.keys)
	}
	return nil
}

// mergeRegisters raises the registers by those of a sketch of this K or more.
func (s *Sketch) mergeRegisters(regs []byte) {
	if !s.Large() {
		s.toLarge()
		s.dirty = true
	}
	var rose bool
	if len(regs) == len(s.regs) {
		rose = raiseAll(s.regs, regs)
	} else {
		rose = foldInto(s.regs, regs, s.k)
	}
	s.dirty = s.dirty || rose
}

// mergeKeys adds every key of t, which is not changed. Reserving first keeps
// the keys, which come in about ascending order, from crowding a small table.
func (s *Sketch) mergeKeys(t *keySet) {
	if t == &s.keys {
		return
	}
	if !s.Large() {
		s.keys.reserve(min(t.len(), limit(s.k)-1))
	}
	for _, h := range t.slots {
		if h != 0 {
			s.insert(h)
		}
	}
	if t.zero {
		s.insert(0)
	}
}

// Reduce lowers the sketch's K to k without loss: its state becomes that of a
// sketch of k to which the same ids were added. A k that is over the sketch's
// own or outside 12..18 is refused with an [ErrK].
func (s *Sketch) Reduce(k int) error {
	if err := CheckK(k); err != nil {
		return fmt.Errorf("reduce a sketch: %w", err)
	}
	if k > s.K() {
		return fmt.Errorf("reduce a sketch of K %d to %d: %w", s.k, k, ErrK)
	}
	if k == s.K() {
		return nil
	}
	s.k, s.dirty = uint8(k), true
	switch {
	case s.Large():
		regs := make([]byte, 1<<k)
		foldInto(regs, s.regs, s.k)
		s.regs = regs
	case s.keys.len() >= limit(s.k):
		s.toLarge()
	}
	return nil
}

// MergeState adds all that the encoded state b holds, which has the sketch's
// own K. It accepts and refuses what [Sketch.Decode] does; after an error the
// sketch is as before. It allocates nothing for a canonical state unless the
// sketch itself grows.
func (s *Sketch) MergeState(b []byte) error { return s.mergeState(b, checkLarge) }

// MergeStored adds all that an encoded state holds that was checked when it was
// stored. It does what [Sketch.MergeState] does, but of a LARGE state it checks
// that no rank is too high, and that the ranks' sum is the one that the counts
// give, and doesn't count the registers of each rank anew.
func (s *Sketch) MergeStored(b []byte) error { return s.mergeState(b, checkSum) }

func (s *Sketch) mergeState(b []byte, check func(b []byte, k uint8) error) (err error) {
	if isLarge(b) {
		err = check(b, s.k)
		if err == nil {
			mergePacked(s, b[1:])
		}
	} else {
		err = s.mergeSet(b)
	}
	if err != nil {
		return fmt.Errorf("merge a state of K %d: %w", s.k, err)
	}
	return nil
}

// mergeSet adds the keys of a SMALL or MEDIUM state.
func (s *Sketch) mergeSet(b []byte) error {
	keys, err := setKeys(b, limit(s.k))
	if err != nil {
		return err
	}
	if ascending(keys) {
		insertEncoded(s, keys)
		return nil
	}
	o := Sketch{k: s.k}
	if err := o.readSet(keys); err != nil {
		return err
	}
	return s.Merge(&o)
}

// mergePacked raises the registers by packed ranks that were checked.
func mergePacked(s *Sketch, packed []byte) {
	if !s.Large() {
		s.toLarge()
		s.dirty = true
	}
	if raisePacked(s.regs, packed) {
		s.dirty = true
	}
}

// insertEncoded adds encoded keys, no two equal.
func insertEncoded(s *Sketch, keys []byte) {
	if !s.Large() {
		s.keys.reserve(min(len(keys)/8, limit(s.k)-1))
	}
	for ; len(keys) > 0; keys = keys[8:] {
		s.insert(binary.LittleEndian.Uint64(keys))
	}
}

// ascending reports whether each of the encoded keys is over the one before.
func ascending(keys []byte) bool {
	for ; len(keys) >= 16; keys = keys[8:] {
		if binary.LittleEndian.Uint64(keys) >= binary.LittleEndian.Uint64(keys[8:]) {
			return false
		}
	}
	return true
}
