package hll

import "math/bits"

// Add adds pseudonym v.
func (s *Sketch) Add(v uint64) { s.insert(mix(v)) }

// AddSlice adds every pseudonym of vs. It is faster than adding one at a time.
func (s *Sketch) AddSlice(vs []uint64) {
	for i, v := range vs {
		if s.large() {
			s.raiseSlice(vs[i:])
			return
		}
		s.insert(mix(v))
	}
}

// AddPairs adds the pairs of pseudonym v and each unix minute from, from+1 ..
// to-1: the ids that [PairID] gives. A sketch of pairs holds no plain
// pseudonyms. No minutes are added when to <= from.
func (s *Sketch) AddPairs(v uint64, from, to int64) {
	id := PairID(v, from)
	for minute := from; minute < to; minute++ {
		s.insert(mix(id))
		id += minuteStep
	}
}

// insert adds hash h to the set or to the registers.
func (s *Sketch) insert(h uint64) {
	if s.large() {
		s.raise(h)
		return
	}
	if s.keys.add(h) {
		s.dirty = true
		if s.keys.len() >= limit(s.k) {
			s.toLarge()
		}
	}
}

// raiseSlice adds pseudonyms to the registers, four at a time so that their
// hashes don't wait for each other.
func (s *Sketch) raiseSlice(vs []uint64) {
	regs, k, rose := s.regs, s.k, uint32(0)
	for ; len(vs) >= 4; vs = vs[4:] {
		a, b, c, d := mix(vs[0]), mix(vs[1]), mix(vs[2]), mix(vs[3])
		rose |= raised(regs, a, k) | raised(regs, b, k) | raised(regs, c, k) | raised(regs, d, k)
	}
	for _, v := range vs {
		rose |= raised(regs, mix(v), k)
	}
	s.dirty = s.dirty || rose != 0
}

// raised adds hash h to the registers and gives 0 if none rose. It has no
// branch: while a sketch fills, predicting what a register holds fails.
func raised(regs []byte, h uint64, k uint8) uint32 {
	at := h & uint64(len(regs)-1)
	rank := uint32(bits.TrailingZeros64(h^at)+1) - uint32(k) // rankOf without a shift
	old := uint32(regs[at])
	if rank < old { // a conditional move
		rank = old
	}
	regs[at] = byte(rank)
	return rank ^ old
}
