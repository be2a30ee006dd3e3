package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/storetest"
)

func openInside(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), Options{K: 12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Store) pragma(t *testing.T, query string) (value string) {
	t.Helper()
	if err := s.writer.QueryRow(`PRAGMA ` + query).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSettings(t *testing.T) {
	s := openInside(t)
	for query, want := range map[string]string{
		"page_size": "16384", "journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "2000", "journal_size_limit": "67108864",
	} {
		if got := s.pragma(t, query); got != want {
			t.Errorf("%s is %s, want %s", query, got, want)
		}
	}
	if _, err := s.readers.Exec(`DELETE FROM settings`); err == nil {
		t.Error("a reader writes")
	}
}

// TestFullDisk: what doesn't fit is not written, what was stays, and the store
// goes on when there is space.
func TestFullDisk(t *testing.T) {
	s, alone := openInside(t), openInside(t)
	first := storetest.Draw(rand.New(rand.NewPCG(1, 1)), 12, 50, 500)
	second := storetest.Draw(rand.New(rand.NewPCG(2, 2)), 12, 400, 4000)
	for _, f := range []storetest.Facts{first, second} {
		if err := alone.Merge(t.Context(), f.Deltas()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Merge(t.Context(), first.Deltas()); err != nil {
		t.Fatal(err)
	}
	before := storetest.Dump(t, s)
	s.pragma(t, "max_page_count = "+s.pragma(t, "page_count"))
	_, err := s.PutObject(t.Context(), make([]byte, 1<<20))
	for _, err := range []error{s.Merge(t.Context(), second.Deltas()), err} {
		if !errors.Is(err, rollcall.ErrFull) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("on a full disk: %v", err)
		}
	}
	storetest.RequireSame(t, storetest.Dump(t, s), before)
	s.pragma(t, "max_page_count = 1000000")
	if err := s.Merge(t.Context(), second.Deltas()); err != nil {
		t.Fatal(err)
	}
	storetest.RequireSame(t, storetest.Dump(t, s), storetest.Dump(t, alone))
	if got := s.pragma(t, "integrity_check"); got != "ok" {
		t.Error(got)
	}
}

// TestMergeIsWhole: an error after thousands of good deltas leaves none.
func TestMergeIsWhole(t *testing.T) {
	s := openInside(t)
	before := storetest.Dump(t, s)
	facts := storetest.Draw(rand.New(rand.NewPCG(4, 4)), 12, 20, 20000)
	bad := facts.Diaries[0]
	bad.Kind = rollcall.Logout
	facts.Diaries = append(facts.Diaries, bad)
	if err := s.Merge(t.Context(), facts.Deltas()); !errors.Is(err, rollcall.ErrInvalid) {
		t.Fatal(err)
	}
	storetest.RequireSame(t, storetest.Dump(t, s), before)
	facts.Diaries = facts.Diaries[:20000]
	ctx, end := context.WithCancel(t.Context())
	d := facts.Deltas()
	cells := d.Cells
	d.Cells = func(yield func(rollcall.Cell, rollcall.CellState) bool) { end(); cells(yield) }
	if err := s.Merge(ctx, d); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	storetest.RequireSame(t, storetest.Dump(t, s), before)
}

// TestUnchangedRowsAreNotWritten: the same deltas again add nothing to the log.
func TestUnchangedRowsAreNotWritten(t *testing.T) {
	s := openInside(t)
	facts := storetest.Draw(rand.New(rand.NewPCG(5, 5)), 12, 100, 3000)
	for i := range 2 {
		if err := s.Merge(t.Context(), facts.Deltas()); err != nil {
			t.Fatal(err)
		}
		var busy, log, moved int
		if err := s.writer.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &log, &moved); err != nil {
			t.Fatal(err)
		}
		var frames int
		if err := s.writer.QueryRow(`PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
			t.Fatal(err)
		}
		if i == 0 == (log == 0) {
			t.Errorf("merge %d left %d pages in the log", i+1, log)
		}
	}
}

// TestReadersAreSnapshots: what is merged while diaries are read is not seen.
func TestReadersAreSnapshots(t *testing.T) {
	s := openInside(t)
	rng := rand.New(rand.NewPCG(6, 6))
	if err := s.Merge(t.Context(), storetest.Draw(rng, 12, 0, 1000).Deltas()); err != nil {
		t.Fatal(err)
	}
	q := rollcall.DiaryQuery{Market: "FR", Panel: "nn", To: 100000}
	read := func(between func()) (rows []rollcall.DiaryRow) {
		for r, err := range s.Diaries(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if rows = append(rows, r); len(rows) == 1 {
				between()
			}
		}
		return rows
	}
	before := read(func() {})
	during := read(func() {
		if err := s.Merge(t.Context(), storetest.Draw(rng, 12, 0, 2000).Deltas()); err != nil {
			t.Fatal(err)
		}
	})
	after := read(func() {})
	if len(during) != len(before) || len(after) <= len(before) {
		t.Errorf("%d diaries before, %d during, %d after", len(before), len(during), len(after))
	}
}

// TestDiariesAreReadInOrder: SQLite sorts nothing, whatever the months.
func TestDiariesAreReadInOrder(t *testing.T) {
	s := openInside(t)
	for _, months := range [][]string{{"2002-10"}, {"2002-10", "2002-11"}, {"2002-10", "2002-11", "2002-12", "2003-01"}} {
		query, args := diaryQuery(rollcall.DiaryQuery{Market: "FR", Panel: "nn"}, months)
		plan, err := list(t.Context(), s.database, func(r *sql.Rows) (step string, err error) {
			var a, b, c int
			return step, r.Scan(&a, &b, &c, &step)
		}, `EXPLAIN QUERY PLAN `+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); strings.Contains(text, "TEMP") || strings.Contains(text, "SCAN") || !strings.Contains(text, "month=?") {
			t.Errorf("%d months are read by\n%s", len(months), text)
		}
	}
}

// TestDamagedKeys: a row whose key was changed behind the store's back is set
// aside as it is, and an object that is not what its hash says is an error.
func TestDamagedKeys(t *testing.T) {
	s := openInside(t)
	if err := s.Merge(t.Context(), storetest.Draw(rand.New(rand.NewPCG(9, 9)), 12, 50, 100).Deltas()); err != nil {
		t.Fatal(err)
	}
	h, err := s.PutObject(t.Context(), []byte("a roster"))
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`UPDATE objects SET body = x'00'`,
		`UPDATE diaries SET key = 'x' WHERE (panelist, day) IN (SELECT panelist, day FROM diaries WHERE panel = 'nn' AND market = 'FR' LIMIT 1)`,
		`UPDATE cells SET key = 'zz' WHERE rowid = (SELECT min(rowid) FROM cells WHERE market = 'FR')`,
	} {
		if err := s.exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Object(t.Context(), h); err == nil || errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("a damaged object: %v", err)
	}
	for _, err := range s.Diaries(t.Context(), rollcall.DiaryQuery{Market: "FR", Panel: "nn", To: 100000}) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "FR", To: 100000}) {
		if err != nil {
			t.Error(err)
		}
	}
	aside, err := s.SetAside(t.Context())
	var rows []string
	for _, d := range aside {
		rows = append(rows, d.Table+" "+lastOfKey(d))
	}
	if got := strings.Join(rows, ", "); err != nil || got != "diaries x, cells zz" {
		t.Errorf("set aside %q, %v", got, err)
	}
	found, err := s.Check(t.Context(), false)
	if err != nil || len(found.Damaged) != 1 || found.Damaged[0].Table != "objects" {
		t.Errorf("checked: %+v, %v", found.Damaged, err)
	}
}

// lastOfKey gives the key that made a damaged row's pseudonyms, which stands
// before a cell's platform and segment.
func lastOfKey(d rollcall.Damage) string {
	parts := strings.Split(d.Row, " ")
	if d.Table == "cells" {
		return parts[5]
	}
	return parts[len(parts)-1]
}
