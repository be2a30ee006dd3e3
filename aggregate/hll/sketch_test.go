package hll

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// lengths are the sizes of id lists where a state changes its type, K by K,
// and a few between.
func lengths(k int) []int {
	limit := 1 << (k - 5)
	return []int{0, 1, 2, 15, 16, 17, 18, limit/4 - 1, limit / 2, limit - 1, limit, limit + 1, 3 * limit}
}

// drawIDs gives a list of ids whose length is often a boundary, with ids that
// come again, the id 0 among them.
func drawIDs(t *rapid.T, k int, name string) []uint64 {
	n := rapid.SampledFrom(lengths(k)).Draw(t, name+" length")
	from := rapid.Uint64Range(0, 600).Draw(t, name+" from")
	step := rapid.SampledFrom([]uint64{1, 1, 2, 7, 1 << 40}).Draw(t, name+" step")
	ids := make([]uint64, 0, n+n/8)
	for i := range uint64(n) {
		ids = append(ids, (from+i)*step)
		if i%8 == 0 {
			ids = append(ids, from*step)
		}
	}
	return ids
}

func drawK(t *rapid.T) int { return rapid.IntRange(MinK, 15).Draw(t, "K") }

func sketchOf(k int, ids ...[]uint64) *Sketch {
	s := New(k)
	for _, v := range ids {
		s.AddSlice(v)
	}
	return s
}

func requireSame(t interface {
	Helper()
	Fatalf(string, ...any)
}, law string, a, b *Sketch) {
	t.Helper()
	if x, y := a.Append(nil), b.Append(nil); !bytes.Equal(x, y) {
		t.Fatalf("%s: %d bytes of type %d and %d bytes of type %d differ", law, len(x), x[0], len(y), y[0])
	}
}

func merged(t *rapid.T, into *Sketch, others ...*Sketch) *Sketch {
	for _, o := range others {
		if err := into.Merge(o); err != nil {
			t.Fatal(err)
		}
	}
	return into
}

func TestAddIsIdempotentInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		ids := drawIDs(t, k, "ids")
		once := sketchOf(k, ids)
		requireSame(t, "twice", once, sketchOf(k, ids, ids))
		shuffled := rapid.Permutation(ids).Draw(t, "order")
		one := New(k)
		for _, v := range shuffled {
			one.Add(v)
		}
		requireSame(t, "order", once, one)
	})
}

func TestMergeIsUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		a, b, c := drawIDs(t, k, "a"), drawIDs(t, k, "b"), drawIDs(t, k, "c")
		all := sketchOf(k, a, b, c)
		requireSame(t, "A(BC)", all, merged(t, sketchOf(k, a), merged(t, sketchOf(k, b), sketchOf(k, c))))
		requireSame(t, "(CB)A", all, merged(t, sketchOf(k, c), sketchOf(k, b), sketchOf(k, a)))
		requireSame(t, "BAABC", all, merged(t, sketchOf(k, b), sketchOf(k, a), sketchOf(k, a), sketchOf(k, b, c)))
		self := sketchOf(k, a)
		requireSame(t, "AA", sketchOf(k, a), merged(t, self, self))
	})
}

func TestMergeLeavesTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		a, b := drawIDs(t, k, "a"), drawIDs(t, k, "b")
		other := sketchOf(k, b)
		other.MarkClean()
		merged(t, sketchOf(rapid.IntRange(MinK, k).Draw(t, "lower"), a), other)
		requireSame(t, "other", other, sketchOf(k, b))
		if other.Dirty() || other.K() != k {
			t.Fatal("merging marked or reduced the other")
		}
	})
}

func TestReduce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(MinK, 16).Draw(t, "K")
		lower := rapid.IntRange(MinK, k).Draw(t, "lower")
		a, b := drawIDs(t, k, "a"), drawIDs(t, lower, "b")
		want := sketchOf(lower, a, b)
		late := sketchOf(k, a, b)
		early := sketchOf(k, a)
		for _, s := range []*Sketch{late, early} {
			if err := s.Reduce(lower); err != nil {
				t.Fatal(err)
			}
		}
		requireSame(t, "merge then reduce", want, late)
		requireSame(t, "reduce then merge", want, merged(t, early, sketchOf(lower, b)))
		requireSame(t, "merge from above", want, merged(t, sketchOf(lower, b), sketchOf(k, a)))
		requireSame(t, "merge from below", want, merged(t, sketchOf(k, a), sketchOf(lower, b)))
	})
}

func TestEncodeIsIdentity(t *testing.T) {
	scratch := New(DefaultK)
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		s := sketchOf(k, drawIDs(t, k, "ids"))
		b := s.Append(nil)
		back, err := Decode(k, b)
		if err != nil {
			t.Fatal(err)
		}
		requireSame(t, "decoded", s, back)
		if back.Dirty() || back.Estimate() != s.Estimate() {
			t.Fatal("a decoded sketch is dirty or counts otherwise")
		}
		if k == DefaultK {
			if err := scratch.Decode(b); err != nil {
				t.Fatal(err)
			}
			requireSame(t, "decoded in used memory", s, scratch)
		}
	})
}

func TestMergeState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		a, b := drawIDs(t, k, "a"), drawIDs(t, k, "b")
		s := sketchOf(k, a)
		state := sketchOf(k, b).Append(nil)
		if err := s.MergeState(state); err != nil {
			t.Fatal(err)
		}
		requireSame(t, "merged state", sketchOf(k, a, b), s)
		s.MarkClean()
		if err := s.MergeState(state); err != nil || s.Dirty() {
			t.Fatalf("merged again: dirty %v, error %v", s.Dirty(), err)
		}
	})
}

func TestDirtyTellsOfEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawK(t)
		s := sketchOf(k, drawIDs(t, k, "a"))
		before := s.Append(nil)
		s.MarkClean()
		switch rapid.IntRange(0, 3).Draw(t, "act") {
		case 0:
			s.AddSlice(drawIDs(t, k, "b"))
		case 1:
			merged(t, s, sketchOf(k, drawIDs(t, k, "b")))
		case 2:
			s.Add(rapid.Uint64Range(0, 1000).Draw(t, "v"))
		case 3:
			s.AddPairs(rapid.Uint64Range(0, 9).Draw(t, "v"), 0, 20)
		}
		if changed := !bytes.Equal(before, s.Append(nil)); changed != s.Dirty() {
			t.Fatalf("changed %v, dirty %v", changed, s.Dirty())
		}
	})
}

func TestAddPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Int64Range(-5, 30_000_000).Draw(t, "from")
		n := rapid.Int64Range(-1, 700).Draw(t, "minutes")
		v := rapid.Uint64().Draw(t, "v")
		got, want := New(DefaultK), New(DefaultK)
		got.AddPairs(v, from, from+n)
		for minute := from; minute < from+n; minute++ {
			want.Add(PairID(v, minute))
		}
		requireSame(t, "pairs", want, got)
	})
}

func TestCountIsExactWhileASet(t *testing.T) {
	for k := MinK; k <= MaxK; k++ {
		s := New(k)
		limit := 1 << (k - 5)
		for v := range uint64(limit - 1) {
			s.Add(v)
			s.Add(v)
			if got := s.Estimate(); got != (Estimate{Count: float64(v + 1), Exact: true}) {
				t.Fatalf("K %d: %d ids counted as %v", k, v+1, got)
			}
		}
		s.Add(1 << 60)
		got := s.Estimate()
		if got.Exact || math.Abs(got.Count-float64(limit)) > 6*got.StdErr*float64(limit) {
			t.Errorf("K %d: %d ids counted as %v", k, limit, got)
		}
	}
}

func TestPrecisionOutOfRange(t *testing.T) {
	for _, k := range []int{-1, 0, 11, 19, 1 << 20} {
		if CheckK(k) == nil {
			t.Errorf("K %d passes", k)
		}
		if _, err := Decode(k, []byte{1, 0}); err == nil {
			t.Errorf("K %d decodes", k)
		}
		if err := New(MaxK).Reduce(k); err == nil {
			t.Errorf("reduced to %d", k)
		}
	}
	if err := New(MinK).Reduce(MinK + 1); err == nil {
		t.Error("reduced upwards")
	}
	if err := New(MinK).Merge(&Sketch{}); err == nil {
		t.Error("merged a sketch of no K")
	}
}
