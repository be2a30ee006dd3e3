package hll

// Add adds pseudonym v.
func (s *Sketch) Add(v uint64) { s.insert(mix(v)) }

// AddSlice adds every pseudonym of vs. It is faster than adding one at a time.
func (s *Sketch) AddSlice(vs []uint64) {
	for i, v := range vs {
		if s.Large() {
			addLarge(s, vs[i:])
			return
		}
		s.insert(mix(v))
	}
}

// addLarge adds pseudonyms to a large sketch, many at a time.
func addLarge(s *Sketch, vs []uint64) {
	var rises [512]Rise
	for len(vs) > 0 {
		n := min(len(vs), len(rises))
		Rises(rises[:], vs[:n], s.K())
		s.Raise(rises[:n])
		vs = vs[n:]
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
	if s.Large() {
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
