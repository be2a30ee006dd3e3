//go:build !purego

package hll

import "golang.org/x/sys/cpu"

// What is done with all registers, by the processor's vectors of 32 bytes; what is done
// with many ids, by those of 64 too. A processor without them does as plain.go says.
// Each function does what its namesake there does, and a fuzz target holds it to that.
// The tag purego builds without.

var (
	avx2   = cpu.X86.HasAVX2
	avx512 = avx2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512CD
)

// countedBlock is how many registers are unpacked and counted at a time: they
// stay in the nearest cache, and a byte counts them.
const countedBlock = 4096

// raiseAll raises each register of dst to that of src and reports whether any
// rose. Both have the same length, a multiple of 64.
func raiseAll(dst, src []byte) bool {
	if !avx2 {
		return raiseAllPlain(dst, src)
	}
	return raise64s(&dst[0], &src[:len(dst)][0], len(dst)/64)
}

// raisePacked raises the registers by packed ranks and reports whether any
// rose. At least four bytes follow the ranks in packed.
func raisePacked(regs, packed []byte) bool {
	if !avx2 {
		return raisePackedPlain(regs, packed)
	}
	return raisePacked32s(&regs[0], &packed[:packedSize(log2(len(regs)))+4][0], len(regs)/32)
}

// unpack writes packed ranks into the registers and counts them by rank. At
// least four bytes follow the ranks in packed.
func unpack(regs, packed []byte) ranks {
	if !avx2 {
		return unpackPlain(regs, packed)
	}
	unpack32s(&regs[0], &packed[:packedSize(log2(len(regs)))+4][0], len(regs)/32)
	return countRanks(regs)
}

// countPacked counts packed ranks of a sketch of k. At least four bytes follow
// them in packed.
func countPacked(packed []byte, k uint8) (c ranks) {
	if !avx2 {
		return countPackedPlain(packed, k)
	}
	var block [countedBlock]byte
	size := packedSize(log2(countedBlock))
	for range 1 << k / countedBlock {
		unpack32s(&block[0], &packed[:size+4][0], countedBlock/32)
		countBlock(&c, &block)
		packed = packed[size:]
	}
	return c
}

// sumPacked gives the sum of packed ranks of a sketch of k, and the highest. At
// least four bytes follow them in packed.
func sumPacked(packed []byte, k uint8) (sum uint64, top byte) {
	if !avx2 {
		return sumPackedPlain(packed, k)
	}
	return sumPacked32s(&packed[:packedSize(k)+4][0], 1<<k/32)
}

// countRanks counts the registers by rank.
func countRanks(regs []byte) (c ranks) {
	if !avx2 {
		return countRanksPlain(regs)
	}
	for ; len(regs) >= countedBlock; regs = regs[countedBlock:] {
		countBlock(&c, (*[countedBlock]byte)(regs))
	}
	return c
}

// countBlock adds a block's registers to the counts, four ranks at a time up to
// the highest that is there.
func countBlock(c *ranks, block *[countedBlock]byte) {
	top := top32s(&block[0], countedBlock/32)
	for first := byte(0); first <= top; first += 4 {
		count32s((*[4]uint32)(c[first:]), &block[0], countedBlock/32, first)
	}
}

// raiseEach brings rises to the sketches of the bank, up to one that is for no sketch or
// no register, and says how many it brought.
func raiseEach(b *Bank, numbers []int32, rises []Rise) (done int) {
	if len(b.first) == 0 || len(numbers) == 0 {
		return 0
	}
	return raiseBanked(&b.first[0], len(b.first), &numbers[0], &rises[0], len(numbers), len(b.idle.regs)-1)
}

// sumRegisters gives the sum of the registers' ranks.
func sumRegisters(regs []byte) uint32 {
	if !avx2 {
		return sumRegistersPlain(regs)
	}
	return sum64s(&regs[0], len(regs)/64)
}

// rises writes to dst what each of the ids does to a large sketch of k.
func rises(dst []Rise, ids []uint64, k uint8) {
	done := len(ids) &^ 7
	switch {
	case done == 0:
	case avx512:
		rises8w(&dst[:done][0], &ids[0], done/8, uint64(k))
	case !avx2 || !rises8s(&dst[:done][0], &ids[0], done/8, uint64(k)):
		done = 0
	}
	risesPlain(dst[done:], ids[done:], k)
}

// pairRises writes to dst what each pair of a pseudonym and the minute of its time
// does to a large sketch of k.
func pairRises(dst []Rise, vs []uint64, times []int64, k uint8) {
	done := len(vs) &^ 7
	switch {
	case done == 0:
	case avx512:
		pairRises8w(&dst[:done][0], &vs[0], &times[:done][0], done/8, uint64(k))
	case !avx2 || !pairRises8s(&dst[:done][0], &vs[0], &times[:done][0], done/8, uint64(k)):
		done = 0
	}
	pairRisesPlain(dst[done:], vs[done:], times[done:], k)
}

//go:noescape
func raise64s(dst, src *byte, blocks int) (rose bool)

//go:noescape
func raisePacked32s(regs, packed *byte, blocks int) (rose bool)

//go:noescape
func unpack32s(regs, packed *byte, blocks int)

//go:noescape
func sumPacked32s(packed *byte, blocks int) (sum uint64, top byte)

//go:noescape
func top32s(regs *byte, blocks int) (top byte)

//go:noescape
func count32s(counts *[4]uint32, regs *byte, blocks int, first byte)

//go:noescape
func raiseBanked(first **byte, n int, numbers *int32, rises *Rise, many, last int) (done int)

//go:noescape
func sum64s(regs *byte, blocks int) (sum uint32)

// rises8s reports whether it could: eight ids a block, none of which has a rank of
// over 32.
//
//go:noescape
func rises8s(dst *Rise, ids *uint64, blocks int, k uint64) (ok bool)

//go:noescape
func pairRises8s(dst *Rise, vs *uint64, times *int64, blocks int, k uint64) (ok bool)

// rises8w takes eight ids a block, of any rank.
//
//go:noescape
func rises8w(dst *Rise, ids *uint64, blocks int, k uint64)

//go:noescape
func pairRises8w(dst *Rise, vs *uint64, times *int64, blocks int, k uint64)
