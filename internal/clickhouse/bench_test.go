package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
)

// month draws a panel's month: each panelist uses some services, at home and
// at work, on most days.
func month(panelists, days int) rollcall.Deltas {
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
						Service: rollcall.ServiceID([]byte{'s', byte('a' + s)}), Location: rollcall.Home << ((p + day + s) % 2), Kind: rollcall.Presence, Key: 0x1234567890abcdef,
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
	s := openStore(b, (&names{}).dsn(engines.ClickHouse(b)), clickhouse.Options{K: 14})
	d := month(2000, 30)
	n := count(d)
	for b.Loop() {
		mergeDeltas(b, s, d)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "diaries/s")
}

func BenchmarkReadDiaries(b *testing.B) {
	s := openStore(b, (&names{}).dsn(engines.ClickHouse(b)), clickhouse.Options{K: 14})
	mergeDeltas(b, s, month(5000, 30))
	q := rollcall.DiaryQuery{Market: "FR", Panel: "demo", From: rollcall.DayOf(2002, 10, 1), To: rollcall.DayOf(2002, 10, 31)}
	n := 0
	for b.Loop() {
		for _, err := range s.Diaries(b.Context(), q) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "diaries/s")
}

// cells draws n cells of so many visitors each, all of one state.
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
			s := openStore(b, (&names{}).dsn(engines.ClickHouse(b)), clickhouse.Options{K: 14})
			for i := uint64(1); b.Loop(); i++ {
				mergeDeltas(b, s, cells(n, visitors, i))
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "cells/s")
		})
	}
}

func BenchmarkReadCells(b *testing.B) {
	s := openStore(b, (&names{}).dsn(engines.ClickHouse(b)), clickhouse.Options{K: 14})
	mergeDeltas(b, s, cells(2000, 100000, 1))
	mergeDeltas(b, s, cells(2000, 100000, 2))
	n := 0
	for b.Loop() {
		for _, err := range s.Cells(b.Context(), rollcall.CellQuery{Market: "FR", To: 20000}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cells/s")
}
