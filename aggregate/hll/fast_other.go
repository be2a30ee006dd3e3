//go:build !amd64 || purego

package hll

// Where there is no assembly, or none is wanted, the plain functions do the
// work.

func raiseAll(dst, src []byte) bool            { return raiseAllPlain(dst, src) }
func raisePacked(regs, packed []byte) bool     { return raisePackedPlain(regs, packed) }
func unpack(regs, packed []byte) ranks         { return unpackPlain(regs, packed) }
func countPacked(packed []byte, k uint8) ranks { return countPackedPlain(packed, k) }
func countRanks(regs []byte) ranks             { return countRanksPlain(regs) }

func sumPacked(packed []byte, k uint8) (uint64, byte) { return sumPackedPlain(packed, k) }

func sumRegisters(regs []byte) uint32 { return sumRegistersPlain(regs) }

func raiseEach(*Bank, []int32, []Rise) (done int) { return 0 }

func rises(dst []Rise, ids []uint64, k uint8) { risesPlain(dst, ids, k) }

func pairRises(dst []Rise, vs []uint64, times []int64, k uint8) {
	pairRisesPlain(dst, vs, times, k)
}
