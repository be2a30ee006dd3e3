package audience

import "math/bits"

// MostServices bounds a catalogue.
const MostServices = 128

// Set is a set of services, by position in a document's catalogue.
type Set [MostServices / 64]uint64

func SetOf(services ...int) Set {
	var s Set
	for _, i := range services {
		s[i/64] |= 1 << (i % 64)
	}
	return s
}

func (s Set) Has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

func (s Set) With(i int) Set {
	s[i/64] |= 1 << (i % 64)
	return s
}

func (s Set) empty() bool { return s == Set{} }

func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s Set) Meets(o Set) bool {
	for i, w := range s {
		if w&o[i] != 0 {
			return true
		}
	}
	return false
}

// Each yields the services, ascending.
func (s Set) Each(yield func(int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

func (s Set) And(o Set) Set {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}

func (s Set) or(o Set) Set {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}
