package hll

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
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
				to := r.IntN(len(alone))
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
