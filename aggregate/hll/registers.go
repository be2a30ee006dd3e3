package hll

import (
	"encoding/binary"
	"math/bits"
)

// Registers are one byte each, and no rank has its top bit set, so eight of
// them are compared in one 64-bit word.
const topBits = 0x8080808080808080

// max8 is the greater of x and y in each of their eight bytes; no byte of
// either may be over 127.
func max8(x, y uint64) uint64 {
	atLeast := ((x | topBits) - y) & topBits // the top bit of each byte where x >= y
	keep := atLeast - atLeast>>7             // 0x7f there, 0 elsewhere
	return y ^ (x^y)&keep
}

// raiseAll raises each register of dst to that of src and reports whether any
// rose. Both have the same length, a multiple of 32.
func raiseAll(dst, src []byte) bool {
	var rose uint64
	for len(dst) >= 32 && len(src) >= 32 {
		rose |= raise8(dst[0:8], src[0:8])
		rose |= raise8(dst[8:16], src[8:16])
		rose |= raise8(dst[16:24], src[16:24])
		rose |= raise8(dst[24:32], src[24:32])
		dst, src = dst[32:], src[32:]
	}
	return rose != 0
}

// raise8 raises eight registers; its result is 0 if none rose.
func raise8(dst, src []byte) uint64 {
	was := binary.LittleEndian.Uint64(dst)
	now := max8(was, binary.LittleEndian.Uint64(src))
	binary.LittleEndian.PutUint64(dst, now)
	return now ^ was
}

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

// countRanks counts the registers by rank, in four tables so that equal
// neighbours don't wait for each other.
func countRanks(regs []byte) ranks {
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
