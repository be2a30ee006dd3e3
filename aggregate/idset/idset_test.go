package idset

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawn gives a set of up to n ids of a small range, so that sets meet.
func drawn(r *rand.Rand, n int) map[uint64]bool {
	set := make(map[uint64]bool)
	for range r.IntN(n + 1) {
		set[uint64(r.IntN(2*n))<<(r.IntN(2)*40)] = true
	}
	return set
}

func listOf(set map[uint64]bool) []byte { return Append(nil, slices.Collect(maps.Keys(set))) }

// TestAgainstMaps: unions and differences are those of maps, in any order.
func TestAgainstMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := drawn(r, 20), drawn(r, 20)
		both, less := maps.Clone(a), maps.Clone(a)
		maps.Copy(both, b)
		maps.DeleteFunc(less, func(id uint64, _ bool) bool { return b[id] })
		x, y := listOf(a), listOf(b)
		for _, got := range [][]byte{Merge(nil, x, y), Merge(nil, y, x), Merge(nil, Merge(nil, x, y), x)} {
			if !bytes.Equal(got, listOf(both)) || Check(got) != nil {
				t.Fatalf("%x and %x are %x", x, y, got)
			}
		}
		if got := Without(nil, x, y); !bytes.Equal(got, listOf(less)) {
			t.Fatalf("%x without %x is %x", x, y, got)
		}
		if got := Without(x[:0], x, y); !bytes.Equal(got, listOf(less)) {
			t.Fatalf("without %x, in place, it is %x", y, got)
		}
	}
}

// TestUnion: any lists, in any order, twice, are one union.
func TestUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		all := make(map[uint64]bool)
		var lists [][]byte
		for range r.IntN(30) {
			set := drawn(r, 1+r.IntN(60))
			maps.Copy(all, set)
			lists = append(lists, listOf(set), listOf(set))
		}
		r.Shuffle(len(lists), func(i, j int) { lists[i], lists[j] = lists[j], lists[i] })
		var u Union
		for i, list := range lists {
			u.Add(list)
			if i%7 == 0 {
				u.List()
			}
		}
		if !bytes.Equal(u.List(), listOf(all)) || u.Len() != len(all) {
			t.Fatalf("the union of %d lists has %d ids, not %d", len(lists), u.Len(), len(all))
		}
	}
}

func TestCheck(t *testing.T) {
	one, two := Append(nil, []uint64{7}), Append(nil, []uint64{7, 9, 7})
	for _, tt := range []struct {
		list []byte
		ok   bool
	}{
		{nil, true}, {one, true}, {two, true}, {one[:7], false},
		{slices.Concat(one, one), false}, {slices.Concat(two[8:], one), false},
	} {
		if err := Check(tt.list); (err == nil) != tt.ok {
			t.Errorf("%x: %v", tt.list, err)
		}
	}
	if got := slices.Collect(All(two)); !slices.Equal(got, []uint64{7, 9}) {
		t.Errorf("the ids are %v", got)
	}
}

// BenchmarkUnion unites a month of a service, 31 lists of 100,000 ids of one
// million.
func BenchmarkUnion(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	lists := make([][]byte, 31)
	n := 0
	for i := range lists {
		ids := make([]uint64, 100_000)
		for j := range ids {
			ids[j] = r.Uint64N(1_000_000) * 0x9e3779b97f4a7c15
		}
		lists[i] = Append(nil, ids)
		n += Len(lists[i])
	}
	for b.Loop() {
		var u Union
		for _, list := range lists {
			u.Add(list)
		}
		u.Len()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/id")
}
