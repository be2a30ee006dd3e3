package census

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
)

// BenchmarkMonth answers 93 cells, 31 days at 3 places of 100,000 accounts each:
// from the store, from a cache that is warm, and from one whose store was written
// to since the last question. What it costs to ask for the revision is beside.
func BenchmarkMonth(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) rollcall.Store
	}{{"SQLite", openSQLite}, {"ClickHouse", openClickHouse}} {
		b.Run(engine.name, func(b *testing.B) { benchmarkMonth(b, engine.open(b)) })
	}
}

func benchmarkMonth(b *testing.B, store rollcall.Store) {
	mergeMonth(b, store)
	first := rollcall.DayOf(2002, 10, 1)
	q := rollcall.CensusQuery{
		Market: "FR", Services: []rollcall.ServiceID{"msn"}, From: first, To: first + 30,
		At: rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work | rollcall.Elsewhere}, Credit: rollcall.ByPresence,
	}
	cache := NewCache(store, CacheBytes, time.Now)
	answers := func(table func() (*rollcall.Table, error)) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if t, err := table(); err != nil || len(t.Rows) == 0 {
					b.Fatal(t, err)
				}
			}
		}
	}
	byDay := q
	byDay.By = []rollcall.CensusBy{rollcall.ByDay}
	b.Run("read", answers(func() (*rollcall.Table, error) { return Table(b.Context(), store, q) }))
	b.Run("warm", answers(func() (*rollcall.Table, error) { return cache.Table(b.Context(), q) }))
	b.Run("by day, read", answers(func() (*rollcall.Table, error) { return Table(b.Context(), store, byDay) }))
	b.Run("by day, warm", answers(func() (*rollcall.Table, error) { return cache.Table(b.Context(), byDay) }))
	b.Run("revision", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.Revision(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func mergeMonth(b *testing.B, store rollcall.Store) {
	b.Helper()
	r := rand.New(rand.NewPCG(7, 8))
	err := store.Merge(b.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for i := range 93 {
			s := hll.New(store.K())
			for range 100_000 {
				s.Add(r.Uint64N(1_000_000))
			}
			c := rollcall.Cell{Market: "FR", Service: "msn", Day: rollcall.DayOf(2002, 10, 1) + rollcall.Day(i/3), Location: rollcall.Home << (i % 3), Kind: rollcall.Use, Key: 1}
			if !yield(c, rollcall.CellState{Visitors: s.Append(nil), Minutes: s.Append(nil)}) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
}

func openSQLite(tb testing.TB) rollcall.Store {
	tb.Helper()
	store, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	return store
}

func openClickHouse(tb testing.TB) rollcall.Store {
	tb.Helper()
	store, err := clickhouse.Open(tb.Context(), engines.ClickHouse(tb).DSN()+"_census", clickhouse.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	return store
}
