package clickhouse_test

import (
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
)

// fill merges one cell of a service on a month's first day.
func fill(t *testing.T, s *clickhouse.Store, of rollcall.Month, service rollcall.ServiceID, accounts uint64) {
	t.Helper()
	state := hll.New(12)
	for v := range accounts {
		state.Add(v)
	}
	mergeDeltas(t, s, rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		yield(rollcall.Cell{Market: "FR", Service: service, Day: of.First(), Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
			rollcall.CellState{Visitors: state.Append(nil), Minutes: state.Append(nil)})
	}})
}

// TestRevisionTellsOfEveryPart: whatever is done to a month's parts changes its
// revision, and no other month's, also where a new part has the old one's name. A
// server that starts again tells of its parts what it did before.
func TestRevisionTellsOfEveryPart(t *testing.T) {
	server := engines.ClickHouse(t)
	dsn := (&names{}).dsn(server)
	s := openStore(t, dsn, clickhouse.Options{K: 12})
	cells := dsn[strings.LastIndex(dsn, "/")+1:] + ".cells"
	month, other := rollcall.MonthOf(2002, time.October), rollcall.MonthOf(2002, time.November)
	alter := func(statement string) func() {
		return func() { server.Query(strings.ReplaceAll(statement, "CELLS", cells)) }
	}
	ask := func() rollcall.Revision {
		t.Helper()
		r, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	fill(t, s, other, "msn", 3)
	fill(t, s, month, "msn", 1)
	last := ask()
	for _, change := range []struct {
		name  string
		whole bool // all months are written anew
		make  func()
	}{
		{"another flush", false, func() { fill(t, s, month, "aim", 2) }},
		{"parts that are made one", false, alter("OPTIMIZE TABLE CELLS PARTITION 200210 FINAL")},
		{"a mutation", true, alter("ALTER TABLE CELLS DELETE WHERE service = 'aim' SETTINGS mutations_sync = 2")},
		{"a partition that is detached", false, alter("ALTER TABLE CELLS DETACH PARTITION 200210")},
		{"and attached", false, alter("ALTER TABLE CELLS ATTACH PARTITION 200210")},
		{"a partition that is dropped", false, alter("ALTER TABLE CELLS DROP PARTITION 200210")},
		{"and filled again", false, func() { fill(t, s, month, "msn", 1) }},
		{"a flush after a restart", false, func() {
			before := ask()
			server.Kill()
			server.Restart()
			if now := ask(); now.Of(month) != before.Of(month) {
				t.Errorf("a restart: %q, and %q before", now.Of(month), before.Of(month))
			}
			fill(t, s, month, "aim", 2)
		}},
	} {
		change.make()
		now := ask()
		if now.Of(month) == last.Of(month) {
			t.Errorf("%s: the revision is %q as before", change.name, now.Of(month))
		}
		if !change.whole && now.Of(other) != last.Of(other) {
			t.Errorf("%s: another month's revision is %q, not %q", change.name, now.Of(other), last.Of(other))
		}
		last = now
	}
}

// TestRevisionOfATableMadeAnew: a table that was put in another's place counts its
// parts from the first again, so that they have the old names.
func TestRevisionOfATableMadeAnew(t *testing.T) {
	server := engines.ClickHouse(t)
	dsn := (&names{}).dsn(server)
	s := openStore(t, dsn, clickhouse.Options{K: 12})
	cells := dsn[strings.LastIndex(dsn, "/")+1:] + ".cells"
	month := rollcall.MonthOf(2002, time.October)
	made := func(accounts uint64) (part, revision string) {
		t.Helper()
		fill(t, s, month, "msn", accounts)
		r, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return server.Query("SELECT DISTINCT _part FROM " + cells), r.Of(month)
	}
	part, before := made(1)
	server.Query("CREATE TABLE " + cells + "2 AS " + cells)
	server.Query("EXCHANGE TABLES " + cells + " AND " + cells + "2")
	again, after := made(9)
	if again != part {
		t.Fatalf("the part is %s, and not %s again", again, part)
	}
	if after == before {
		t.Errorf("%s has other facts, and the revision is %q as before", part, after)
	}
}
