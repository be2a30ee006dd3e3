package audience

import "math/bits"

// MostServices bounds a catalogue.
const MostServices = 128

// Set is a set of services, by position in a document's catalogue.
type Set [MostServices / 64]uint64

// SetOf gives the set of some services.
func SetOf(services ...int) Set {
	var s Set
	for _, i := range services {
		s[i/64] |= 1 << (i % 64)
	}
	return s
}

// Has reports whether a service is in the set.
func (s Set) Has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// With gives the set and a service more.
func (s Set) With(i int) Set {
	s[i/64] |= 1 << (i % 64)
	return s
}

func (s Set) empty() bool { return s == Set{} }

// Len gives how many services are in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Meets reports whether the sets have a service in common.
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

// And gives the services that are in both.
func (s Set) And(o Set) Set {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}
