package rollcall

import "math/bits"

// Diary is the panel's only key: one panelist's use of one service, at one
// place, on one local day. A diary holds the set of credited minutes.
type Diary struct {
	Market   MarketID
	Panel    PanelID
	Day      Day
	Panelist Visitor
	Service  ServiceID
	Location Location // one place
	Kind     Kind
	Key      KeyID
}

// MaxMinute is the number of minutes a local day can have: 1500 where summer
// time ends, 1560 where a zone went back two hours (Asia/Chita in 2014), and
// the most in any IANA zone since 1990, 31 hours (Antarctica/Vostok in 1994).
const MaxMinute = 1860

// Minutes is a set of minutes of one local day, 0 <= m < MaxMinute, one bit
// each. The zero value is empty.
type Minutes [(MaxMinute + 63) / 64]uint64

// AddRange adds the minutes [from, to); what lies outside the day is dropped.
func (s *Minutes) AddRange(from, to int) {
	for m, to := max(from, 0), min(to, MaxMinute); m < to; {
		word, bit := m/64, m%64
		n := min(64-bit, to-m)
		s[word] |= (^uint64(0) >> (64 - n)) << bit
		m += n
	}
}

// Union adds every minute of other and reports whether any was new.
func (s *Minutes) Union(other *Minutes) bool {
	var fresh uint64
	for i, w := range other {
		fresh |= w &^ s[i]
		s[i] |= w
	}
	return fresh != 0
}

// Len gives the number of minutes in the set.
func (s *Minutes) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Next gives the first minute of the set at or after m, and whether there is one.
func (s *Minutes) Next(m int) (int, bool) { return s.find(m, 0) }

// NextGap gives the first minute at or after m that is not in the set, at most MaxMinute.
func (s *Minutes) NextGap(m int) int {
	gap, ok := s.find(m, ^uint64(0))
	if !ok || gap > MaxMinute {
		return MaxMinute
	}
	return gap
}

func (s *Minutes) find(m int, flip uint64) (int, bool) {
	if m < 0 {
		m = 0
	}
	for word := m / 64; word < len(s); word++ {
		w := s[word] ^ flip
		if word == m/64 {
			w &= ^uint64(0) << (m % 64)
		}
		if w != 0 {
			return word*64 + bits.TrailingZeros64(w), true
		}
	}
	return 0, false
}

// Runs yields the set as maximal runs [from, to), in order.
func (s *Minutes) Runs(yield func(from, to int) bool) {
	for from, ok := s.Next(0); ok; {
		to := s.NextGap(from)
		if !yield(from, to) {
			return
		}
		from, ok = s.Next(to)
	}
}
