package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/storetest"
)

func TestDamage(t *testing.T) {
	var path string
	storetest.Damage(t, func(t *testing.T, k int) storetest.Store {
		path = newPath(t)
		return openStore(t, path, k)
	}, func(t *testing.T, _ storetest.Store, service rollcall.ServiceID) (cells, diaries int) {
		return run(t, path, `UPDATE cells SET minutes = CAST(substr(minutes, 1, length(minutes) - 1) AS BLOB) WHERE service = ?`, string(service)),
			run(t, path, `UPDATE diaries SET diary = CAST(diary || x'00' AS BLOB) WHERE panelist > ?`, "4")
	})
}

// run runs a statement on a store's file, and gives how many rows it changed.
func run(t *testing.T, path, query string, args ...any) int {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done, err := db.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	return int(n)
}

// TestDamagedBytes writes 100 bytes over a cell in the store's file, as a disk
// might: whatever they hit, what comes next is merged and read, and a check
// names the row.
func TestDamagedBytes(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			path := newPath(t)
			cell := rollcall.CellRow{Cell: rollcall.Cell{Market: "FR", Service: "msn", Day: rollcall.DayOf(2002, 10, 3), Location: rollcall.Home, Kind: rollcall.Use, Key: 1}}
			sketch := hll.New(14)
			for i := range uint64(100_000) {
				sketch.Add(i)
			}
			cell.Visitors, cell.CellState.Minutes = sketch.Append(nil), sketch.Append(nil)
			facts := storetest.Facts{Cells: []rollcall.CellRow{cell}}
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{K: 14})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Merge(t.Context(), facts.Deltas()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			scribble(t, path, cell.Visitors[:64], rand.New(rand.NewPCG(seed, 1)))

			s = openStore(t, path, 14)
			if found, err := s.Check(t.Context(), false); err != nil || len(found.Damaged)+len(found.Faults) == 0 {
				t.Errorf("checked: %+v, %v", found, err)
			}
			if err := s.Merge(t.Context(), facts.Deltas()); err != nil {
				t.Errorf("the next flush: %v", err)
			}
			cells := 0
			for _, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "FR", From: cell.Day, To: cell.Day}) {
				cells++
				if err != nil {
					t.Errorf("read: %v", err)
				}
			}
			aside, err := s.SetAside(t.Context())
			if err != nil || len(aside) != 1 || cells != 1 {
				t.Errorf("%d cells; set aside %v, %v", cells, aside, err)
			}
		})
	}
}

// scribble writes 100 bytes into a state that begins with the given ones.
func scribble(t *testing.T, path string, begin []byte, rng *rand.Rand) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, begin)
	if at < 0 {
		t.Fatal("no cell in the file")
	}
	at += rng.IntN(8000) // of a state of 12,499, on its first page
	for i := range 100 {
		content[at+i] = byte(rng.Uint32())
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedPages: where the file itself is broken, a check says so.
func TestDamagedPages(t *testing.T) {
	path := newPath(t)
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{K: 12})
	if err != nil {
		t.Fatal(err)
	}
	facts := storetest.Draw(rand.New(rand.NewPCG(5, 6)), 12, 100, 500)
	if err := s.Merge(t.Context(), facts.Deltas()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := run(t, path, `DELETE FROM cells WHERE rowid IN (SELECT rowid FROM cells LIMIT 1)`); n != 1 {
		t.Fatal(n)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 { // the count of free pages, and the schema's cookie
		content[32+i%8] ^= 0x5a
	}
	content[len(content)-16384] ^= 0xff // the kind of the last page
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, 12)
	if found, err := s.Check(t.Context(), false); err != nil || len(found.Faults) == 0 {
		t.Errorf("%+v, %v", found, err)
	}
}
