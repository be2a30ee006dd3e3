package hll

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
		if s.keys.len() >= s.limit() {
			s.toLarge()
		}
	}
}

// raiseSlice adds pseudonyms to the registers.
func (s *Sketch) raiseSlice(vs []uint64) {
	regs, k, rose := s.regs, s.k, false
	for _, v := range vs {
		h := mix(v)
		rank := rankOf(h, k)
		if at := int(h) & (len(regs) - 1); rank > regs[at] {
			regs[at], rose = rank, true
		}
	}
	s.dirty = s.dirty || rose
}
