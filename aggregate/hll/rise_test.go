package hll

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// unmix gives the id whose hash is h.
func unmix(h uint64) uint64 {
	inverse := func(odd uint64) uint64 { // modulo 2^64, by Newton's method
		x := odd
		for range 6 {
			x *= 2 - odd*x
		}
		return x
	}
	h ^= h >> 33
	h *= inverse(0xc4ceb9fe1a85ec53)
	h ^= h >> 33
	h *= inverse(0xff51afd7ed558ccd)
	return h ^ h>>33
}

// idsOfAnyRank are ids at random, and some whose rank is high.
func idsOfAnyRank(r *rand.Rand, n int) []uint64 {
	ids := make([]uint64, n)
	for i := range ids {
		h := r.Uint64()
		if r.UintN(64) == 0 {
			h &^= (1<<r.UintN(65) - 1) << 12 // with this many zeros above the register, at most 52
		}
		ids[i] = unmix(h)
	}
	return ids
}

// FuzzRises holds what ids do by the processor's vectors to what they do plainly,
// and that to what adding them does.
func FuzzRises(f *testing.F) {
	for k := byte(MinK); k <= MaxK; k++ {
		f.Add(uint64(k), k, uint16(500), uint64(0))
	}
	f.Add(uint64(1), byte(14), uint16(7), uint64(0))
	f.Add(uint64(2), byte(14), uint16(0), uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64, k byte, n uint16, id uint64) {
		if k < MinK || k > MaxK {
			return
		}
		r := rand.New(rand.NewPCG(seed, 2))
		ids := idsOfAnyRank(r, int(n)+1)
		ids[r.IntN(len(ids))] = id
		requireSameRises(t, r, ids, k)
	})
}

func requireSameRises(t *testing.T, r *rand.Rand, ids []uint64, k byte) {
	t.Helper()
	times, pairs := make([]int64, len(ids)), make([]uint64, len(ids))
	for i, v := range ids {
		times[i] = r.Int64() >> r.UintN(63)
		if r.IntN(2) == 0 { // where a minute begins, or ends
			times[i] = max(0, times[i]/minute*minute-r.Int64N(2))
		}
		pairs[i] = PairID(v, times[i]/minute)
	}
	got, want := make([]Rise, len(ids)+1), make([]Rise, len(ids)+1)
	Rises(got, ids, int(k))
	risesPlain(want, ids, k)
	if !slices.Equal(got, want) {
		t.Fatal("Rises are not what they are plainly")
	}
	requireSameRegisters(t, ids, want[:len(ids)], k)

	PairRises(got, ids, times, int(k))
	pairRisesPlain(want, ids, times, k)
	if !slices.Equal(got, want) {
		t.Fatal("PairRises are not what they are plainly")
	}
	requireSameRegisters(t, pairs, want[:len(ids)], k)
	requireSameByWidth(t, ids, times, k)
}

// requireSameRegisters adds ids to a large sketch one by one, and their rises to
// another, in another order and twice.
func requireSameRegisters(t *testing.T, ids []uint64, rises []Rise, k byte) {
	t.Helper()
	one := sketchOf(int(k), upTo(uint64(limit(k))))
	two := sketchOf(int(k), upTo(uint64(limit(k))))
	one.MarkClean()
	two.MarkClean()
	for i, id := range ids {
		one.Add(id)
		if want := Rise(mix(id)&(1<<k-1))<<8 | Rise(rankOf(mix(id), k)); rises[i] != want {
			t.Fatalf("id %#x does %#x, not %#x", id, rises[i], want)
		}
	}
	slices.Reverse(rises)
	two.Raise(rises)
	if one.Dirty() != two.Dirty() {
		t.Fatalf("dirty %v by rises, and %v id by id", two.Dirty(), one.Dirty())
	}
	two.MarkClean()
	if two.Raise(rises); two.Dirty() {
		t.Fatal("the same rises changed it again")
	}
	requireSame(t, "rises", one, two)
}
