package hll

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzDeal holds what is dealt to hands by assembly to what is plainly, and both to
// what each hand must hold.
func FuzzDeal(f *testing.F) {
	f.Add(uint64(1), uint16(0), byte(1))
	f.Add(uint64(2), uint16(3000), byte(1))
	f.Add(uint64(3), uint16(3000), byte(200))
	f.Add(uint64(4), uint16(6000), byte(4)) // several that are full
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, hands byte) {
		r := rand.New(rand.NewPCG(seed, 4))
		one, two := new(Hands), new(Hands)
		for i := range int(hands) + 1 {
			one.Add()
			two.Add()
			if floor := Rise(r.UintN(5)); i > 0 {
				one.Empty(i, floor)
				two.Empty(i, floor)
			}
			if one.Full(i) || len(one.Rises(i)) > 0 {
				t.Fatal("a hand that nothing was dealt to is not empty")
			}
		}
		numbers, rises := make([]int32, n), make([]Rise, n)
		held := make([][]Rise, one.Len())
		for i := range numbers {
			numbers[i], rises[i] = r.Int32N(int32(one.Len())), riseOf(r.Uint64(), 14)
			if n := numbers[i]; rises[i].Rank() > one.hands[n].floor {
				held[n] = append(held[n], rises[i])
			}
		}
		a := dealt(one, numbers, rises, (*Hands).Deal)
		b := dealt(two, numbers, rises, dealPlain)
		for i := range held {
			if !slices.Equal(a[i], held[i]) || !slices.Equal(b[i], held[i]) {
				t.Fatalf("hand %d got %v, plainly %v, and should have got %v", i, a[i], b[i], held[i])
			}
		}
	})
}

// dealt gives what each hand got in the end.
func dealt(h *Hands, numbers []int32, rises []Rise, deal func(*Hands, []int32, []Rise) int) [][]Rise {
	all := make([][]Rise, h.Len())
	take := func(i int) {
		all[i] = append(all[i], h.Rises(i)...)
		h.Empty(i, h.hands[i].floor)
	}
	for done := 0; done < len(numbers); {
		done += deal(h, numbers[done:], rises[done:])
		if last := int(numbers[done-1]); h.Full(last) {
			take(last)
		}
	}
	for i := range h.Len() {
		take(i)
	}
	return all
}

// TestDealToNobody: a number that no hand has is a mistake that shows, and writes
// nowhere else.
func TestDealToNobody(t *testing.T) {
	for name, deal := range map[string]func(*Hands, []int32, []Rise) int{"Deal": (*Hands).Deal, "dealPlain": dealPlain} {
		for _, nobody := range []int32{2, -1, math.MaxInt32, math.MinInt32} {
			t.Run(fmt.Sprint(name, nobody), func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("a rise was dealt to a hand that is none")
					}
				}()
				all := new(Hands)
				for i := range 3 {
					all.Add()
					all.Empty(i, 0)
				}
				defer func() {
					if len(all.Rises(2)) > 0 {
						t.Error("a hand beyond the end got it")
					}
				}()
				two := &Hands{hands: all.hands[:2], rises: all.rises[:2*spread]}
				numbers, rises := []int32{1, 1, 0, nobody, 1}, make([]Rise, 5)
				for i := range rises {
					rises[i] = riseOf(uint64(i), 14)
				}
				for done := 0; done < len(numbers); {
					done += deal(two, numbers[done:], rises[done:])
				}
			})
		}
	}
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
