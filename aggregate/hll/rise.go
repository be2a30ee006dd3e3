package hll

import "math/bits"

// Rise is what an id does to a large sketch: the number of a register, shifted
// left by eight bits, and the rank that the register rises to where it is lower.
// Many ids are hashed at once into rises, which wait together for their sketch.
type Rise uint32

// Rises writes to dst, which is as long or longer, what each of the ids does to a
// large sketch of k.
func Rises(dst []Rise, ids []uint64, k int) { rises(dst, ids, uint8(k)) }

// PairRises writes to dst what the pair of each pseudonym and its unix minute does
// to a large sketch of k: what [Rises] writes of the [PairID]. dst and minutes are
// as long as vs, or longer.
func PairRises(dst []Rise, vs []uint64, minutes []uint32, k int) {
	pairRises(dst, vs, minutes, uint8(k))
}

// riseOf is what hash h does.
func riseOf(h uint64, k uint8) Rise {
	at := h & (1<<(k&63) - 1)
	rank := uint32(bits.TrailingZeros64(h^at)+1) - uint32(k) // rankOf without a shift
	return Rise(at<<8) | Rise(rank)
}

// manyRises are worth reading the registers for from one end to the other first:
// the processor then fetches them ahead, and not one by one in no order.
const manyRises = 256

// Raise adds the ids that do this. The sketch is large, and of the rises' k.
func (s *Sketch) Raise(rises []Rise) {
	regs, rose := s.regs, Rise(0)
	if len(rises) >= manyRises {
		rose = Rise(fetch(regs) >> 8)
	}
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

// fetch reads a register of each cache line. What it gives is less than 256, and
// only keeps the reading from being left out.
func fetch(regs []byte) (seen uint32) {
	for ; len(regs) >= 256; regs = regs[256:] {
		seen |= uint32(regs[0]) | uint32(regs[64]) | uint32(regs[128]) | uint32(regs[192])
	}
	return seen
}
