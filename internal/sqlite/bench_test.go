package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
)

// month draws a panel's month: each panelist uses some services, at home and
// at work, on most days.
func month(panelists, days int) rollcall.Deltas {
	services := make([]rollcall.ServiceID, 12)
	for i := range services {
		services[i] = rollcall.ServiceID(fmt.Sprintf("svc%02d", i))
	}
	first := rollcall.DayOf(2002, time.October, 1)
	return rollcall.Deltas{Diaries: func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
		rng := rand.New(rand.NewPCG(1, 1))
		for day := range days {
			for p := range panelists {
				for s := range 12 {
					if (p+s*s+day)%6 != 0 && s > 1 {
						continue
					}
					d := rollcall.Diary{
						Market: "FR", Panel: "demo", Day: first + rollcall.Day(day), Panelist: rollcall.Visitor(uint64(p) * 0x9e3779b97f4a7c15),
						Service: services[s], Location: rollcall.Home << ((p + day + s) % 2), Kind: rollcall.Presence, Key: 0x1234567890abcdef,
					}
					var m rollcall.Minutes
					from := rng.IntN(1400)
					m.AddRange(from, from+20)
					m.AddRange(from+40, from+45)
					if !yield(d, &m) {
						return
					}
				}
			}
		}
	}}
}

func count(d rollcall.Deltas) (n int) {
	for range d.Diaries {
		n++
	}
	return n
}

func BenchmarkMergeDiaries(b *testing.B) {
	for _, again := range []bool{false, true} {
		b.Run(fmt.Sprintf("again=%v", again), func(b *testing.B) {
			d := month(2000, 30)
			n := count(d)
			s := openStore(b, newPath(b), 14)
			if again {
				mergeDeltas(b, s, d)
			}
			for i := 0; b.Loop(); i++ {
				if !again {
					b.StopTimer()
					s = openStore(b, newPath(b), 14)
					b.StartTimer()
				}
				mergeDeltas(b, s, d)
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "diaries/s")
			b.ReportMetric(float64(2000*30*b.N)/b.Elapsed().Seconds(), "person-days/s")
		})
	}
}

func mergeDeltas(tb testing.TB, s *sqlite.Store, d rollcall.Deltas) {
	tb.Helper()
	if err := s.Merge(tb.Context(), d); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkReadDiaries(b *testing.B) {
	const panelists, days = 5000, 30
	s := openStore(b, newPath(b), 14)
	mergeDeltas(b, s, month(panelists, days))
	q := rollcall.DiaryQuery{Market: "FR", Panel: "demo", From: rollcall.DayOf(2002, 10, 1), To: rollcall.DayOf(2002, 10, 31)}
	n := 0
	for b.Loop() {
		n = 0
		for _, err := range s.Diaries(b.Context(), q) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "diaries/s")
	b.ReportMetric(panelists*days*float64(b.N)/b.Elapsed().Seconds(), "person-days/s")
}

func cells(n, visitors int, seed uint64) rollcall.Deltas {
	return rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		rng := rand.New(rand.NewPCG(seed, seed))
		s := hll.New(14)
		for range visitors {
			s.Add(rng.Uint64())
		}
		state := s.Append(nil)
		for i := range n {
			c := rollcall.Cell{
				Market: "FR", Day: rollcall.DayOf(2002, 10, 1) + rollcall.Day(i%365), Service: rollcall.ServiceID(fmt.Sprint("s", i/365)),
				Location: rollcall.Home, Kind: rollcall.Use, Key: 1,
			}
			if !yield(c, rollcall.CellState{Visitors: state, Minutes: state}) {
				return
			}
		}
	}}
}

func BenchmarkMergeCells(b *testing.B) {
	for _, visitors := range []int{10, 100, 100000} {
		b.Run(fmt.Sprint(visitors), func(b *testing.B) {
			const n = 2000
			s := openStore(b, newPath(b), 14)
			mergeDeltas(b, s, cells(n, visitors, 1))
			for i := uint64(2); b.Loop(); i++ {
				mergeDeltas(b, s, cells(n, visitors, i))
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "cells/s")
		})
	}
}

// BenchmarkCorrections reads what a flush asks of 100,000 accounts that were erased:
// how many there are, the removals among them, and all of them.
func BenchmarkCorrections(b *testing.B) {
	s := openStore(b, newPath(b), 14)
	all := make([]rollcall.Correction, 100_000)
	for i := range all {
		all[i] = rollcall.Correction{Action: rollcall.Erasing, Service: "msn", To: rollcall.DayOf(2002, 10, 1), Key: 1, Visitor: rollcall.Visitor(i), Time: time.Unix(int64(i), 0)}
	}
	if _, err := s.AddCorrections(b.Context(), all...); err != nil {
		b.Fatal(err)
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if n, err := s.CountCorrections(b.Context()); err != nil || n != len(all) {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("flush", func(b *testing.B) {
		for b.Loop() {
			mergeDeltas(b, s, cells(1, 10, 1))
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Corrections(b.Context()); err != nil || len(got) != len(all) {
				b.Fatal(len(got), err)
			}
		}
	})
}
