package hll

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzBank holds what a bank's sketches get by assembly to what they get plainly, and
// both to what the rises do to each by themselves. Each knows whether it has changed.
func FuzzBank(f *testing.F) {
	f.Add(uint64(1), uint16(0), byte(1))
	f.Add(uint64(2), uint16(3000), byte(1))
	f.Add(uint64(3), uint16(3000), byte(200))
	f.Add(uint64(4), uint16(63), byte(4)) // before others are fetched ahead
	f.Add(uint64(5), uint16(65), byte(4))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, sketches byte) {
		r := rand.New(rand.NewPCG(seed, 4))
		k := MinK + r.IntN(3)
		fast, plain, alone := anyBank(r, k, int(sketches)+1)
		numbers, rises := make([]int32, n), make([]Rise, int(n)+r.IntN(3))
		for i := range rises {
			rises[i] = riseOf(r.Uint64()<<r.UintN(50), uint8(k))
		}
		for range 2 {
			for i := range numbers {
				to := r.IntN(fast.Len())
				numbers[i] = int32(to)
				if alone[to] != nil {
					alone[to].Raise(rises[i : i+1])
				}
			}
			fast.Raise(numbers, rises)
			raiseEachPlain(plain, numbers, rises)
			fast.Mark()
			plain.Mark()
			for i, want := range alone {
				if want == nil {
					continue
				}
				requireSameMark(t, fmt.Sprint("sketch ", i), want, fast.sketches[i])
				requireSameMark(t, fmt.Sprint("sketch, plainly, ", i), want, plain.sketches[i])
				want.MarkClean()
			}
			r.Shuffle(len(rises), func(i, j int) { rises[i], rises[j] = rises[j], rises[i] })
		}
	})
}

// anyBank makes two banks of the same sketches, some of them idle, and the sketches
// once more.
func anyBank(r *rand.Rand, k, n int) (one, two *Bank, alone []*Sketch) {
	one, two = NewBank(k), NewBank(k)
	for range n {
		if r.UintN(8) == 0 {
			one.Add(nil)
			two.Add(nil)
			alone = append(alone, nil)
			continue
		}
		ids := r.IntN(1 << r.UintN(12))
		made := func() *Sketch {
			s := sketchOf(k, upTo(uint64(limit(uint8(k))+ids)))
			s.MarkClean()
			return s
		}
		one.Add(made())
		two.Add(made())
		alone = append(alone, made())
	}
	return one, two, alone
}

// requireSameMark requires the same registers and the same mark, and takes got's away.
func requireSameMark(t *testing.T, what string, want, got *Sketch) {
	t.Helper()
	if want.Dirty() != got.Dirty() {
		t.Fatalf("%s is dirty: %v, and should be %v", what, got.Dirty(), want.Dirty())
	}
	if !bytes.Equal(want.regs, got.regs) {
		t.Fatalf("%s has other registers", what)
	}
	got.MarkClean()
}

// TestRaiseNobody: a number that no sketch has, and a register that it has not, are
// mistakes that show, and write nowhere else.
func TestRaiseNobody(t *testing.T) {
	const register = 1 << DefaultK
	for name, raise := range map[string]func(*Bank, []int32, []Rise){"Raise": (*Bank).Raise, "plainly": raiseEachPlain} {
		for _, at := range []int{0, 3, ahead - 1, ahead, 2*ahead + 1, 3*ahead - 1} {
			for _, nobody := range []int32{2, -1, math.MaxInt32, math.MinInt32} {
				t.Run(fmt.Sprint(name, nobody, at), func(t *testing.T) { requireNobody(t, raise, nobody, 0, at) })
			}
			for _, none := range []Rise{register, 1<<24 - 1} {
				t.Run(fmt.Sprint(name, "register", none, at), func(t *testing.T) { requireNobody(t, raise, 1, none, at) })
			}
		}
	}
}

// requireNobody has a bank of two sketches, the first of three, raised by many rises of
// which one is for another number, or another register.
func requireNobody(t *testing.T, raise func(*Bank, []int32, []Rise), number int32, register Rise, at int) {
	all := NewBank(DefaultK)
	made := func() *Sketch { return sketchOf(DefaultK, upTo(uint64(limit(DefaultK)))) }
	beyond := made()
	all.Add(made())
	all.Add(nil)
	all.Add(beyond)
	beyond.MarkClean()
	two := &Bank{sketches: all.sketches[:2], first: all.first[:2], sums: all.sums[:2], idle: all.idle}
	defer func() {
		if recover() == nil {
			t.Error("a rise was brought to nobody")
		}
		if all.Mark(); beyond.Dirty() {
			t.Error("a sketch beyond the end got it")
		}
	}()
	numbers, rises := make([]int32, 3*ahead), make([]Rise, 3*ahead)
	for i := range rises {
		numbers[i], rises[i] = int32(i%2), Rise(i<<8|60)
	}
	numbers[at], rises[at] = number, register<<8|60
	raise(two, numbers, rises)
}

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
