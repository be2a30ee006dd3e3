package hll

import "math/bits"

// Rise is what an id does to a large sketch: the number of a register, shifted
// left by eight bits, and the rank that the register rises to where it is lower.
// Many ids are hashed at once into rises, and those brought to many sketches at once.
type Rise uint32

// Rises writes to dst, which is as long or longer, what each of the ids does to a
// large sketch of k.
func Rises(dst []Rise, ids []uint64, k int) { rises(dst, ids, uint8(k)) }

// PairRises writes to dst what the pair of each pseudonym and the minute of its time
// does to a large sketch of k: what [Rises] writes of the [PairID]. Times are Unix
// nanoseconds, and not before 1970. dst and times are as long as vs, or longer.
func PairRises(dst []Rise, vs []uint64, times []int64, k int) { pairRises(dst, vs, times, uint8(k)) }

const minute = 60e9 // nanoseconds

// riseOf is what hash h does.
func riseOf(h uint64, k uint8) Rise {
	at := h & (1<<(k&63) - 1)
	rank := uint32(bits.TrailingZeros64(h^at)+1) - uint32(k) // rankOf without a shift
	return Rise(at<<8) | Rise(rank)
}

// Raise adds the ids that do this. The sketch is large, and of the rises' k.
func (s *Sketch) Raise(rises []Rise) {
	regs, rose := s.regs, Rise(0)
	for _, r := range rises {
		at, rank := r>>8, r&0xff
		old := Rise(regs[at])
		if rank < old { // a conditional move
			rank = old
		}
		regs[at] = byte(rank)
		rose |= rank ^ old
	}
	s.dirty = s.dirty || rose != 0
}
