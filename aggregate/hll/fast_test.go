package hll

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// FuzzFast holds what is done with all registers to the plain functions, on
// registers and packed ranks of any bytes: whatever comes out, and whatever is
// written, is the same.
func FuzzFast(f *testing.F) {
	for k := byte(MinK); k <= MaxK; k++ {
		f.Add(uint64(k), k, byte(20))
	}
	f.Add(uint64(1), byte(14), byte(63))
	f.Add(uint64(2), byte(12), byte(0))
	f.Fuzz(func(t *testing.T, seed uint64, k, top byte) {
		if k < MinK || k > MaxK {
			return
		}
		requireSameAsPlain(t, rand.New(rand.NewPCG(seed, 1)), k, top&63)
	})
}

func requireSameAsPlain(t *testing.T, r *rand.Rand, k, top byte) {
	t.Helper()
	regs, other := randomRegisters(r, k, top), randomRegisters(r, k, top)
	packed := packedOf(r, other)
	before := bytes.Clone(packed)

	want, got := bytes.Clone(regs), bytes.Clone(regs)
	requireSameAs(t, "raiseAll", raiseAll(got, other), raiseAllPlain(want, other), got, want)
	requireSameAs(t, "raiseAll again", raiseAll(got, other), raiseAllPlain(want, other), got, want)
	want, got = bytes.Clone(regs), bytes.Clone(regs)
	requireSameAs(t, "raisePacked", raisePacked(got, packed), raisePackedPlain(want, packed), got, want)
	requireSameAs(t, "raisePacked again", raisePacked(got, packed), raisePackedPlain(want, packed), got, want)
	requireSameAs(t, "unpack", unpack(got, packed), unpackPlain(want, packed), got, other)
	requireSameAs(t, "countPacked", countPacked(packed, k), countPackedPlain(packed, k), nil, nil)
	requireSameAs(t, "countRanks", countRanks(regs), countRanksPlain(regs), nil, nil)
	requireSameAs(t, "sumRegisters", sumRegisters(regs), sumRegistersPlain(regs), nil, nil)
	sum, highest := sumPacked(packed, k)
	wantSum, wantHighest := sumPackedPlain(packed, k)
	requireSameAs(t, "sumPacked", [2]uint64{sum, uint64(highest)}, [2]uint64{wantSum, uint64(wantHighest)}, packed, before)
	requireOneRises(t, r, randomRegisters(r, k, top))
}

// requireOneRises has one register alone rise, wherever it is among the 64 that are
// raised together.
func requireOneRises(t *testing.T, r *rand.Rand, regs []byte) {
	t.Helper()
	for i := range regs {
		regs[i] = max(regs[i], 1)
	}
	packed, got := packedOf(r, regs), bytes.Clone(regs)
	for i := range 64 {
		at := r.IntN(len(regs)/64)*64 + i
		got[at]--
		requireSameAs(t, "raiseAll of one", raiseAll(got, regs), true, got, regs)
		got[at]--
		requireSameAs(t, "raisePacked of one", raisePacked(got, packed), true, got, regs)
	}
}

// packedOf packs registers, and puts behind them what is another thing's.
func packedOf(r *rand.Rand, regs []byte) []byte {
	packed := make([]byte, 0, len(regs)*6/8+4)
	for i := 0; i < len(regs); i += 8 {
		pack := pack8(le64(regs[i:]))
		for j := range 6 {
			packed = append(packed, byte(pack>>(8*j)))
		}
	}
	return binary.LittleEndian.AppendUint32(packed, r.Uint32())
}

// randomRegisters are 2^k ranks up to top, most of them the same few.
func randomRegisters(r *rand.Rand, k, top byte) []byte {
	regs := make([]byte, 1<<k)
	for i := range regs {
		regs[i] = byte(r.UintN(uint(top) + 1))
		if r.UintN(3) > 0 {
			regs[i] = min(top, 5)
		}
	}
	return regs
}

func le64(b []byte) (w uint64) {
	for i := range 8 {
		w |= uint64(b[i]) << (8 * i)
	}
	return w
}

func requireSameAs[T comparable](t *testing.T, name string, got, want T, gotBytes, wantBytes []byte) {
	t.Helper()
	if got != want {
		t.Errorf("%s gives %v, and plainly %v", name, got, want)
	}
	if !bytes.Equal(gotBytes, wantBytes) {
		t.Errorf("%s leaves other bytes than it does plainly", name)
	}
}
