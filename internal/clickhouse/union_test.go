package clickhouse_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

// TestSQLAgrees: what the engine's SQL makes of our cells is what it makes of
// the raw pseudonyms, as figures and as bytes.
func TestSQLAgrees(t *testing.T) {
	server := engines.ClickHouse(t)
	for _, k := range []int{12, 14} {
		s := openStore(t, fmt.Sprintf("clickhouse://%s/sql%d", server.Addr(), k), clickhouse.Options{K: k})
		table := fmt.Sprintf("sql%d.raw", k)
		server.Query("CREATE TABLE " + table + " (day Date, v UInt64, minute Int64) ENGINE = MergeTree ORDER BY v")
		raw := drawRaw(rand.New(rand.NewPCG(5, uint64(k))))
		server.Query("INSERT INTO " + table + " VALUES " + raw.values())
		for _, part := range [][]visit{raw[:len(raw)/3], raw[len(raw)/4:], raw} { // again and again
			mergeDeltas(t, s, visits(part).deltas(k))
		}
		for _, c := range []struct{ cells, raw string }{
			{"visitors", "v"},
			{"minutes", "intHash64(v) + toUInt64(minute) * 11400714819323198485"},
		} {
			const of, bytesOf = "SELECT uniqCombined64%s(%d)(%s) FROM %s", "SELECT hex(uniqCombined64%sState(%d)(%s)) FROM %s"
			for _, format := range []string{of, bytesOf} {
				got := server.Query(fmt.Sprintf(format, "Merge", k, c.cells, fmt.Sprintf("sql%d.cells", k)))
				if want := server.Query(fmt.Sprintf(format, "", k, c.raw, table)); got != want {
					t.Errorf("K %d, %s: %.100s of the cells, %.100s of the raw", k, c.cells, got, want)
				}
			}
		}
	}
}

// visit is a visitor seen in a minute.
type visit struct {
	day    rollcall.Day
	v      uint64
	minute int64
}

type visits []visit

func drawRaw(rng *rand.Rand) (raw visits) {
	first := rollcall.DayOf(2002, time.October, 28)
	for range 20000 {
		day := first + rollcall.Day(rng.IntN(8))
		raw = append(raw, visit{day, rng.Uint64N(9000) * 0x9e3779b97f4a7c15, int64(day)*1440 + rng.Int64N(1440)})
	}
	return raw
}

func (raw visits) values() string {
	rows := make([]string, len(raw))
	for i, r := range raw {
		rows[i] = fmt.Sprintf("('%v', %d, %d)", r.day, r.v, r.minute)
	}
	return strings.Join(rows, ",")
}

// deltas folds the visits into a cell a day.
func (raw visits) deltas(k int) rollcall.Deltas {
	type pair struct{ visitors, minutes *hll.Sketch }
	cells := map[rollcall.Day]pair{}
	for _, r := range raw {
		c, ok := cells[r.day]
		if !ok {
			c = pair{hll.New(k), hll.New(k)}
			cells[r.day] = c
		}
		c.visitors.Add(r.v)
		c.minutes.Add(hll.PairID(r.v, r.minute))
	}
	return rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for day, c := range cells {
			cell := rollcall.Cell{Market: "FR", Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}
			if !yield(cell, rollcall.CellState{Visitors: c.visitors.Append(nil), Minutes: c.minutes.Append(nil)}) {
				return
			}
		}
	}}
}

// TestSameAsSQLite: the same deltas give the same bytes of every sketch and the
// same minutes in either engine.
func TestSameAsSQLite(t *testing.T) {
	server := engines.ClickHouse(t)
	ours := openStore(t, (&names{}).dsn(server), clickhouse.Options{K: 12})
	other, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{K: 12})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	facts := storetest.Draw(rand.New(rand.NewPCG(4, 4)), 12, 300, 3000)
	a, b := facts.Halves()
	for _, f := range []storetest.Facts{b, a, facts} {
		mergeDeltas(t, ours, f.Deltas())
		if err := other.Merge(t.Context(), f.Deltas()); err != nil {
			t.Fatal(err)
		}
	}
	for _, market := range []rollcall.MarketID{"FR", "F.R", "DE"} {
		q := rollcall.CellQuery{Market: market, To: 100000}
		got, want := readCells(t, ours, q), readCells(t, other, q)
		if !slices.EqualFunc(got, want, sameCell) || len(got) == 0 {
			t.Errorf("%s: %d cells that aren't SQLite's %d", market, len(got), len(want))
		}
		for _, panel := range []rollcall.PanelID{"nn", "n"} {
			q := rollcall.DiaryQuery{Market: market, Panel: panel, To: 100000}
			if got, want := readDiaries(t, ours, q), readDiaries(t, other, q); !slices.Equal(got, want) {
				t.Errorf("%s %s: %d diaries that aren't SQLite's %d", market, panel, len(got), len(want))
			}
		}
	}
}

func readCells(t *testing.T, s storetest.Store, q rollcall.CellQuery) (rows []rollcall.CellRow) {
	t.Helper()
	for r, err := range s.Cells(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		r.Visitors, r.CellState.Minutes, r.Accounts = bytes.Clone(r.Visitors), bytes.Clone(r.CellState.Minutes), bytes.Clone(r.Accounts)
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b rollcall.CellRow) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Location, b.Location),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Segment, b.Segment))
	})
	return rows
}

func sameCell(a, b rollcall.CellRow) bool {
	return a.Cell == b.Cell && bytes.Equal(a.Visitors, b.Visitors) && bytes.Equal(a.CellState.Minutes, b.CellState.Minutes) &&
		a.Coarse == b.Coarse && bytes.Equal(a.Accounts, b.Accounts) && a.Exact == b.Exact
}

func readDiaries(t *testing.T, s storetest.Store, q rollcall.DiaryQuery) (rows []rollcall.DiaryRow) {
	t.Helper()
	for r, err := range s.Diaries(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

// TestManyMonths: a flush of more months than a server takes in one insert,
// and the first and last days of the types.
func TestManyMonths(t *testing.T) {
	server := engines.ClickHouse(t)
	s := openStore(t, (&names{}).dsn(server), clickhouse.Options{K: 12})
	var f storetest.Facts
	state := hll.New(12).Append(nil)
	add := func(day rollcall.Day) {
		c := rollcall.Cell{Market: "FR", Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}
		f.Cells = append(f.Cells, rollcall.CellRow{Cell: c, CellState: rollcall.CellState{Visitors: state, Minutes: state}})
		d := rollcall.DiaryRow{Diary: rollcall.Diary{Market: "FR", Panel: "nn", Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}}
		d.Minutes.AddRange(1499, 1500)
		f.Diaries = append(f.Diaries, d)
	}
	for year := 1990; year < 2010; year++ {
		for month := range 12 {
			add(rollcall.DayOf(year, time.Month(month+1), 9))
		}
	}
	add(rollcall.DayOf(1900, 1, 1))
	add(rollcall.DayOf(2199, 12, 31))
	add(rollcall.DayOf(2299, 12, 31))
	mergeDeltas(t, s, f.Shuffled(rand.New(rand.NewPCG(6, 6))).Deltas())
	const all = 1 << 20
	if n := len(readCells(t, s, rollcall.CellQuery{Market: "FR", From: -all, To: all})); n != len(f.Cells) {
		t.Errorf("%d cells of %d", n, len(f.Cells))
	}
	if n := len(readDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: -all, To: all})); n != len(f.Diaries) {
		t.Errorf("%d diaries of %d", n, len(f.Diaries))
	}
	if got := readDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: f.Diaries[len(f.Diaries)-1].Day, To: all}); len(got) != 1 || got[0] != f.Diaries[len(f.Diaries)-1] {
		t.Errorf("the last day's diary is %v", got)
	}
}
