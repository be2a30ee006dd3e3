package census

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
)

// TestAgedOut: a range that begins before what is there is refused; the rest is
// as it was.
func TestAgedOut(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	september := rollcall.MonthOf(2002, time.September)
	first := september.First()
	sketch := hll.New(store.K())
	sketch.Add(7)
	state := rollcall.CellState{Visitors: sketch.Append(nil), Minutes: sketch.Append(nil)}
	cells := rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for _, day := range []rollcall.Day{first - 1, first} {
			if !yield(rollcall.Cell{Market: "FR", Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}, state) {
				return
			}
		}
	}}
	from := func(day rollcall.Day) (*rollcall.Table, error) {
		return Table(t.Context(), store, rollcall.CensusQuery{Market: "FR", From: day, To: first, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence})
	}
	for range 2 { // a replay brings nothing back
		if err := store.Merge(t.Context(), cells); err != nil {
			t.Fatal(err)
		}
		ageing := rollcall.Ageing{Before: september, Time: time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC)}
		if err := store.AddAgeing(t.Context(), ageing); err != nil {
			t.Fatal(err)
		}
		if _, err := store.RemoveFacts(t.Context(), september); err != nil {
			t.Fatal(err)
		}
		_, err := from(first - 1)
		if want := "the census of FR from 2002-08-31 has aged out: what is before 2002-09-01 was removed on 2002-11-04"; err == nil || err.Error() != want || !errors.Is(err, rollcall.ErrAgedOut) {
			t.Errorf("from 31 August: %v", err)
		}
		got, err := from(first)
		if err != nil || len(got.Rows) != 1 || got.Cell(0, "unique_accounts").(rollcall.Measure).Value != 1 {
			t.Errorf("from 1 September: %v, %v", got, err)
		}
	}
}

// TestDamageIsNoted: a census of months of which a cell is set aside says so, and
// no other does.
func TestDamageIsNoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	first := rollcall.MonthOf(2002, time.September).First()
	sketch := hll.New(store.K())
	sketch.Add(7)
	state := rollcall.CellState{Visitors: sketch.Append(nil), Minutes: sketch.Append(nil)}
	for _, market := range []rollcall.MarketID{"FR", "GB"} {
		cells := rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
			for day := first - 1; day <= first; day++ {
				if !yield(rollcall.Cell{Market: market, Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}, state) {
					return
				}
			}
		}}
		if err := store.Merge(t.Context(), cells); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE cells SET visitors = x'ff' WHERE market = 'FR' AND day = ?`, first.String()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		market   rollcall.MarketID
		from, to rollcall.Day
		noted    bool
	}{
		{"FR", first - 1, first - 1, false},
		{"FR", first - 1, first, true},
		{"FR", first, first, true},
		{"FR", first - 1, first - 1, false}, // the month before
		{"GB", first, first, false},
	} {
		got, err := Table(t.Context(), store, rollcall.CensusQuery{Market: tt.market, From: tt.from, To: tt.to, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence})
		if err != nil {
			t.Fatal(err)
		}
		if noted := strings.HasPrefix(got.Meta.Notes[len(got.Meta.Notes)-1], "Damaged rows of cells of this market and of these months are set aside: 1. "); noted != tt.noted {
			t.Errorf("%v: %q", tt, got.Meta.Notes)
		}
	}
}

// TestTwoKeys: a range whose days lie under two keys is refused, whether it has
// facts or none, and names the day; one that ends or begins there is not.
func TestTwoKeys(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rotated := rollcall.DayOf(2026, time.June, 10)
	for i, m := range []rollcall.Master{{ID: 1}, {ID: 2, From: rotated}} {
		m.Time = time.Unix(int64(i), 0)
		if err := store.AddMaster(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	newYear := rollcall.DayOf(2027, time.January, 1)
	for _, tt := range []struct {
		from, to rollcall.Day
		want     string
	}{
		{rotated - 9, rotated - 1, ""},
		{rotated, newYear - 1, ""},
		{rotated - 1, rotated, `from "2026-06-09 to 2026-06-10": crosses the change of the pseudonyms' key on 2026-06-10 (a new master key): accounts can't be matched over it; ask for each side apart: 2026-06-09 to 2026-06-09, 2026-06-10 to 2026-06-10`},
		{newYear - 1, newYear, `from "2026-12-31 to 2027-01-01": crosses the change of the pseudonyms' key on 2027-01-01 (a new year): accounts can't be matched over it; ask for each side apart: 2026-12-31 to 2026-12-31, 2027-01-01 to 2027-01-01`},
		{rotated - 1, newYear + 400, `from "2026-06-09 to 2028-02-05": crosses the change of the pseudonyms' key on 2026-06-10 (a new master key) and on 2 more days: accounts can't be matched over it; ask for each side apart: 2026-06-09 to 2026-06-09, 2026-06-10 to 2026-12-31, 2027-01-01 to 2027-12-31, ...`},
	} {
		_, err := Table(t.Context(), store, rollcall.CensusQuery{Market: "FR", From: tt.from, To: tt.to, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence})
		if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && (got != tt.want || !errors.Is(err, rollcall.ErrInvalid)) {
			t.Errorf("%s to %s: %v; want %s", tt.from, tt.to, err, tt.want)
		}
	}
}
