package hll

import "testing"

// requireNoAllocs runs act, which must allocate nothing once it has run before.
func requireNoAllocs(t *testing.T, name string, act func()) {
	t.Helper()
	if n := testing.AllocsPerRun(20, act); n != 0 {
		t.Errorf("%s allocates %v times", name, n)
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	ids := upTo(100_000)
	for name, held := range map[string][]uint64{"small": ids[:9], "medium": ids[:400], "large": ids} {
		s, o := sketchOf(DefaultK, held), sketchOf(DefaultK, held[:len(held)/2])
		half, whole := o.Append(nil), s.Append(nil)
		scratch, buf := sketchOf(DefaultK, held), make([]byte, 0, len(whole))
		requireNoAllocs(t, name+": add", func() { s.Add(held[3]) })
		requireNoAllocs(t, name+": add slice", func() { s.AddSlice(held) })
		requireNoAllocs(t, name+": merge", func() { mustNot(t, s.Merge(o)) })
		requireNoAllocs(t, name+": merge state", func() { mustNot(t, s.MergeState(half)) })
		requireNoAllocs(t, name+": estimate", func() { s.Estimate() })
		requireNoAllocs(t, name+": append", func() { buf = s.Append(buf[:0]) })
		requireNoAllocs(t, name+": decode", func() { mustNot(t, scratch.Decode(whole)) })
		requireNoAllocs(t, name+": size", func() { s.Size() })
	}
}

func TestPairsAllocateNothing(t *testing.T) {
	s := New(DefaultK)
	add := func() { s.AddPairs(7, 29_000_000, 29_001_440) }
	add()
	requireNoAllocs(t, "add pairs", add)
}

func TestSmallKeysUseKeptMemory(t *testing.T) {
	s := sketchOf(DefaultK, upTo(12))
	requireNoAllocs(t, "reset and add", func() {
		s.Reset()
		s.AddSlice([]uint64{5, 6, 7, 8, 9, 10, 11})
	})
}

func TestSizeFollowsMemory(t *testing.T) {
	s := New(DefaultK)
	empty := s.Size()
	if empty > 64 {
		t.Errorf("an empty sketch holds %d bytes", empty)
	}
	s.AddSlice(upTo(511))
	if got := s.Size(); got != empty+8*1024 {
		t.Errorf("511 keys hold %d bytes", got)
	}
	s.Add(1 << 40)
	if got := s.Size(); got != empty+1<<14 {
		t.Errorf("registers hold %d bytes", got)
	}
	s.Reset()
	if got := s.Size(); got != empty {
		t.Errorf("a reset sketch holds %d bytes", got)
	}
	requireSame(t, "reset", New(DefaultK), s)
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
