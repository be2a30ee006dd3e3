package hll

import (
	"encoding/binary"
	"math/bits"
)

// Registers are one byte each, and no rank has its top bit set, so eight of
// them are compared in one 64-bit word.
const topBits = 0x8080808080808080

// below8 has the top bit of each byte clear where x's is below y's; no byte of
// either may be over 127. The other bits mean nothing.
func below8(x, y uint64) uint64 { return (x | topBits) - y }

// max8 is the greater of x and y in each of their eight bytes.
func max8(x, y uint64) uint64 {
	atLeast := below8(x, y) & topBits
	mask := atLeast - atLeast>>7 // 0x7f where x's byte is kept
	return y ^ (x^y)&mask
}

// raiseAllPlain raises each register of dst to that of src and reports whether
// any rose. Both have the same length, a multiple of 32. Where none of 32 rises,
// which is the rule for a union that has been made before, it writes nothing.
func raiseAllPlain(dst, src []byte) bool {
	rose := false
	for len(dst) >= 32 && len(src) >= 32 {
		d, s := (*[32]byte)(dst), (*[32]byte)(src)
		if below8(word(d, 0), word(s, 0))&below8(word(d, 1), word(s, 1))&
			below8(word(d, 2), word(s, 2))&below8(word(d, 3), word(s, 3))&topBits != topBits {
			raise32(d, s)
			rose = true
		}
		dst, src = dst[32:], src[32:]
	}
	return rose
}

// raise32 raises 32 registers.
func raise32(dst, src *[32]byte) {
	binary.LittleEndian.PutUint64(dst[0:], max8(word(dst, 0), word(src, 0)))
	binary.LittleEndian.PutUint64(dst[8:], max8(word(dst, 1), word(src, 1)))
	binary.LittleEndian.PutUint64(dst[16:], max8(word(dst, 2), word(src, 2)))
	binary.LittleEndian.PutUint64(dst[24:], max8(word(dst, 3), word(src, 3)))
}

// word reads eight of 32 registers.
func word(regs *[32]byte, i int) uint64 { return binary.LittleEndian.Uint64(regs[8*i:]) }

// foldInto raises the 2^k registers dst by src, those of a sketch of a higher
// K, and reports whether any rose. The bits of a register's number that the
// lower k no longer uses become the first bits that its rank counts.
func foldInto(dst, src []byte, k uint8) bool {
	rose := false
	width := log2(len(src)) - k
	for i, rank := range src {
		if rank == 0 {
			continue
		}
		if over := uint64(i) >> k; over != 0 {
			rank = byte(bits.TrailingZeros64(over) + 1)
		} else {
			rank += width
		}
		if at := i & (len(dst) - 1); rank > dst[at] {
			dst[at], rose = rank, true
		}
	}
	return rose
}

// ranks is how many registers hold each rank. A rank is at most 53.
type ranks [64]uint32

// countRanksPlain counts the registers by rank, in four tables so that equal
// neighbours don't wait for each other.
func countRanksPlain(regs []byte) ranks {
	var t [4]ranks
	for ; len(regs) >= 8; regs = regs[8:] {
		count8(&t, binary.LittleEndian.Uint64(regs))
	}
	return sumRanks(&t)
}

func count8(t *[4]ranks, w uint64) {
	t[0][w&63]++
	t[1][w>>8&63]++
	t[2][w>>16&63]++
	t[3][w>>24&63]++
	t[0][w>>32&63]++
	t[1][w>>40&63]++
	t[2][w>>48&63]++
	t[3][w>>56&63]++
}

func sumRanks(t *[4]ranks) ranks {
	sum := t[0]
	for _, c := range t[1:] {
		for r := range sum {
			sum[r] += c[r]
		}
	}
	return sum
}

// unpackPlain writes packed ranks into the registers and counts them by rank.
// At least two bytes follow the ranks in packed.
func unpackPlain(regs, packed []byte) ranks {
	var t [4]ranks
	for ; len(regs) >= 8; regs = regs[8:] {
		w := unpack8(binary.LittleEndian.Uint64(packed))
		count8(&t, w)
		binary.LittleEndian.PutUint64(regs, w)
		packed = packed[6:]
	}
	return sumRanks(&t)
}

// countPackedPlain counts packed ranks of a sketch of k. At least two bytes
// follow them in packed.
func countPackedPlain(packed []byte, k uint8) ranks {
	var t [4]ranks
	for range 1 << k / 8 {
		count8(&t, unpack8(binary.LittleEndian.Uint64(packed)))
		packed = packed[6:]
	}
	return sumRanks(&t)
}

// raisePackedPlain raises the registers by packed ranks and reports whether any
// rose. At least two bytes follow the ranks in packed.
func raisePackedPlain(regs, packed []byte) bool {
	var rose uint64
	for ; len(regs) >= 8; regs = regs[8:] {
		was := binary.LittleEndian.Uint64(regs)
		now := max8(was, unpack8(binary.LittleEndian.Uint64(packed)))
		binary.LittleEndian.PutUint64(regs, now)
		rose |= now ^ was
		packed = packed[6:]
	}
	return rose != 0
}

// sumPackedPlain gives the sum of packed ranks of a sketch of k, and the
// highest. At least two bytes follow them in packed.
func sumPackedPlain(packed []byte, k uint8) (sum uint64, top byte) {
	for range 1 << k / 8 {
		for w := unpack8(binary.LittleEndian.Uint64(packed)); w != 0; w >>= 8 {
			sum, top = sum+w&0xff, max(top, byte(w))
		}
		packed = packed[6:]
	}
	return sum, top
}

// raiseEachPlain brings each rise to the sketch whose number is at its place.
func raiseEachPlain(b *Bank, numbers []int32, rises []Rise) {
	for i, n := range numbers {
		b.sketches[n].Raise(rises[i : i+1])
	}
}

// sumRegistersPlain gives the sum of the registers' ranks.
func sumRegistersPlain(regs []byte) (sum uint32) {
	for _, rank := range regs {
		sum += uint32(rank)
	}
	return sum
}

// risesPlain writes to dst what each of the ids does to a large sketch of k.
func risesPlain(dst []Rise, ids []uint64, k uint8) {
	dst = dst[:len(ids)]
	for i, id := range ids {
		dst[i] = riseOf(mix(id), k)
	}
}

// pairRisesPlain writes to dst what each pair of a pseudonym and the minute of its
// time does to a large sketch of k.
func pairRisesPlain(dst []Rise, vs []uint64, times []int64, k uint8) {
	dst, times = dst[:len(vs)], times[:len(vs)]
	for i, v := range vs {
		dst[i] = riseOf(mix(PairID(v, times[i]/minute)), k)
	}
}
