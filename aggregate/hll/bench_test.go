package hll

import "testing"

// The benchmarks beside other implementations are in the module peers.

func benchmarkSketch(n int) *Sketch { return sketchOf(DefaultK, upTo(uint64(n))) }

func BenchmarkMergeAgain(b *testing.B) {
	s, o := benchmarkSketch(1_000_000), benchmarkSketch(500_000)
	for b.Loop() {
		_ = s.Merge(o)
	}
}

func BenchmarkMergeRises(b *testing.B) {
	start, o := benchmarkSketch(1_000_000), New(DefaultK)
	o.AddPairs(1, 0, 1_000_000)
	regs := make([]byte, len(start.regs))
	for b.Loop() {
		copy(regs, start.regs) // 80 ns of it
		raiseAll(regs, o.regs)
	}
}

func BenchmarkMergeState(b *testing.B) {
	s, state := benchmarkSketch(1_000_000), benchmarkSketch(500_000).Append(nil)
	for b.Loop() {
		_ = s.MergeState(state)
	}
}

func BenchmarkMergeStored(b *testing.B) {
	s, state := benchmarkSketch(1_000_000), benchmarkSketch(500_000).Append(nil)
	for b.Loop() {
		_ = s.MergeStored(state)
	}
}

func BenchmarkEstimate(b *testing.B) {
	s := benchmarkSketch(1_000_000)
	for b.Loop() {
		s.Estimate()
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, n := range map[string]int{"set": 400, "registers": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			s := benchmarkSketch(n)
			var buf []byte
			for b.Loop() {
				buf = s.Append(buf[:0])
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, n := range map[string]int{"set": 400, "registers": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			s := benchmarkSketch(n)
			state := s.Append(nil)
			for b.Loop() {
				_ = s.Decode(state)
			}
		})
	}
}

func BenchmarkAddPairs(b *testing.B) {
	s := benchmarkSketch(1_000_000)
	for b.Loop() {
		s.AddPairs(1, 29_000_000, 29_001_440)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1440, "ns/pair")
}
