package clickhouse

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/test/engines"
)

// TestUpgradeCells opens a filled store of before platforms and segments, on
// one server and on shards: its cells are those of none, what comes for them is
// united with them, and each migration of the cells may run again where its
// record was lost.
func TestUpgradeCells(t *testing.T) {
	t.Run("one server", func(t *testing.T) {
		testUpgradeCells(t, Options{K: 12}, engines.ClickHouse(t))
	})
	t.Run("shards", func(t *testing.T) {
		testUpgradeCells(t, Options{K: 12, Cluster: engines.Cluster}, engines.ClickHouseCluster(t, 2)...)
	})
}

func testUpgradeCells(t *testing.T, opt Options, servers ...*engines.ClickHouseServer) {
	before, dsn := storeOfBefore(t, opt, servers, "before_segments", "segments.sql")
	state := func(visitors ...uint64) string {
		s := hll.New(12)
		s.AddSlice(visitors)
		return string(s.Append(nil))
	}
	for day := range 40 {
		if err := insert(t.Context(), before.db, `INSERT INTO cells (market, service, location, kind, day, key, raw_visitors, raw_minutes)`,
			[]any{"FR", "msn", int8(1), int8(2), dayTime(rollcall.DayOf(2002, 10, 1) + rollcall.Day(day)), uint64(7), state(1, 2), state(3)}); err != nil {
			t.Fatal(err)
		}
	}
	segments := number(t, before.form, "segments.sql")
	if _, _, err := before.apply(t.Context(), segments, segments+1); err != nil {
		t.Fatal(err)
	}
	loseMigrations(t, before, segments)
	for range 2 {
		s, err := Open(t.Context(), dsn, opt)
		if err != nil {
			t.Fatal(err)
		}
		requireOctober(t, s, state)
		loseMigrations(t, s, number(t, s.form, "corrections.sql"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// loseMigrations takes away the record of the migrations after the first n.
func loseMigrations(t *testing.T, s *Store, n int) {
	t.Helper()
	for _, node := range s.nodes {
		if err := node.Exec(t.Context(), "ALTER TABLE "+identifier(s.form.Database)+"."+identifier("migrations")+fmt.Sprintf(" DELETE WHERE number > %d SETTINGS mutations_sync = 2", n)); err != nil {
			t.Fatal(err)
		}
	}
}

// requireOctober merges a visitor into a cell of none, and one of a segment
// beside it, and reads both.
func requireOctober(t *testing.T, s *Store, state func(...uint64) string) {
	t.Helper()
	first := rollcall.DayOf(2002, 10, 1)
	none := rollcall.Cell{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Presence, Day: first, Key: 7}
	lyon := none
	lyon.Segment, lyon.Platform = "lyon", rollcall.Phone
	err := s.Merge(t.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		if yield(none, rollcall.CellState{Visitors: []byte(state(9)), Minutes: []byte(state(4))}) {
			yield(lyon, rollcall.CellState{Visitors: []byte(state(2)), Minutes: []byte(state(4)), Coarse: true})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[rollcall.Cell]rollcall.CellState{
		none: {Visitors: []byte(state(1, 2, 9)), Minutes: []byte(state(3, 4))},
		lyon: {Visitors: []byte(state(2)), Minutes: []byte(state(4)), Coarse: true},
	}
	days := 0
	for r, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "FR", From: first, To: first + 50}) {
		if err != nil {
			t.Fatal(err)
		}
		if days++; r.Day > first {
			continue
		}
		w := want[r.Cell]
		if !bytes.Equal(r.Visitors, w.Visitors) || !bytes.Equal(r.CellState.Minutes, w.Minutes) || r.Coarse != w.Coarse || r.Exact || len(r.Accounts) > 0 {
			t.Errorf("the cell %v is %v", r.Cell, r.CellState)
		}
	}
	if days != 41 {
		t.Errorf("there are %d cells, not 41", days)
	}
}

// TestUpgradeSegments opens a filled store of before the catalogue of segments,
// on one server and on shards.
func TestUpgradeSegments(t *testing.T) {
	t.Run("one server", func(t *testing.T) {
		testUpgradeSegments(t, Options{K: 12}, engines.ClickHouse(t))
	})
	t.Run("shards", func(t *testing.T) {
		testUpgradeSegments(t, Options{K: 12, Cluster: engines.Cluster}, engines.ClickHouseCluster(t, 2)...)
	})
}

func testUpgradeSegments(t *testing.T, opt Options, servers ...*engines.ClickHouseServer) {
	before, dsn := storeOfBefore(t, opt, servers, "before_names", "segment_catalogue.sql")
	first := rollcall.DayOf(2002, 10, 1)
	for i, id := range []string{"paris", "", "lyon", "paris"} {
		if err := insert(t.Context(), before.db, `INSERT INTO cells (market, service, location, kind, day, segment)`,
			[]any{"FR", "msn", int8(1), int8(3), dayTime(first + rollcall.Day(i)), id}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	paris := rollcall.Segment{ID: "paris", Name: "Paris", Into: "new"}
	if err := s.PutSegment(t.Context(), paris); err != nil {
		t.Fatal(err)
	}
	for market, want := range map[rollcall.MarketID][]rollcall.Segment{"FR": {{ID: "lyon"}, paris}, "DE": {paris}} {
		if got, err := s.Segments(t.Context(), market); err != nil || !slices.Equal(got, want) {
			t.Errorf("segments in %s are %v, %v", market, got, err)
		}
	}
}

// storeOfBefore makes a store as it was before a migration, and gives how it is
// opened.
func storeOfBefore(t *testing.T, opt Options, servers []*engines.ClickHouseServer, name, migration string) (s *Store, dsn string) {
	t.Helper()
	addrs := make([]string, len(servers))
	for i, server := range servers {
		addrs[i] = server.Addr()
	}
	dsn = "clickhouse://" + strings.Join(addrs, ",") + "/" + name
	o, err := options(dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	f := form{Database: o.Auth.Database, Cluster: opt.Cluster}
	s = newStore(&database{name: o.Addr[0], log: slog.New(slog.DiscardHandler), form: f})
	if err := s.makeDatabase(t.Context(), *o, false); err != nil {
		t.Fatal(err)
	}
	if err := s.connect(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.form.K = hll.DefaultK
	if _, _, err := s.apply(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.settle(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.apply(t.Context(), 1, number(t, f, migration)); err != nil {
		t.Fatal(err)
	}
	return s, dsn
}

// number gives how many migrations come before the one of a name.
func number(t *testing.T, f form, name string) int {
	t.Helper()
	all, err := f.migrations()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if strings.HasSuffix(m.name, name) {
			return i
		}
	}
	t.Fatalf("no migration is called %s", name)
	return 0
}
