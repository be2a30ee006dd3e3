package census

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// TestBounds: a census that would have too many rows is refused, and none is cut
// short without a word; days of nothing have no key.
func TestBounds(t *testing.T) {
	seen := visit{account: 7, Cell: rollcall.Cell{Market: "FR", Day: rollcall.DayOf(2002, time.October, 3), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 5}}
	store := storeOf(t, []visit{seen})
	ask := func(from, to string, by rollcall.CensusBy, window rollcall.Window) (*rollcall.Table, error) {
		q := rollcall.CensusQuery{Market: "FR", Services: []rollcall.ServiceID{"msn"}, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence, Window: window}
		if by != "" {
			q.By = []rollcall.CensusBy{by}
		}
		q.From, q.To = dayOf(t, from), dayOf(t, to)
		return Table(t.Context(), store, q)
	}
	week := rollcall.Window{Days: 7}
	for _, tt := range []struct {
		name, from, to string
		by             rollcall.CensusBy
		window         rollcall.Window
	}{
		{"every day there is", "0001-01-01", "9999-12-31", rollcall.ByDay, rollcall.Window{}},
		{"a window on every day there is", "0001-01-01", "9999-12-31", "", week},
		{"a row too many", "2002-01-01", "2138-11-24", "", week},
	} {
		if _, err := ask(tt.from, tt.to, tt.by, tt.window); !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "more than 50000 rows") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	got, err := ask("2002-01-01", "2138-11-23", "", week)
	if err != nil || len(got.Rows) != maxRows {
		t.Fatalf("as many rows as there may be: %v", err)
	}
	if got.Meta.Sketch.Key != "0000000000000005" {
		t.Errorf("the keys are %q", got.Meta.Sketch.Key)
	}
}

func dayOf(t *testing.T, s string) rollcall.Day {
	t.Helper()
	d, err := rollcall.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestMemory: what unions take is counted as they grow, by sketches and by sets.
func TestMemory(t *testing.T) {
	visits := make([]visit, 5000)
	for i := range visits {
		visits[i] = visit{account: uint64(i) * 0x9e3779b97f4a7c15, Cell: rollcall.Cell{
			Market: "FR", Day: rollcall.DayOf(2002, time.October, 3), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use,
		}}
	}
	q := rollcall.CensusQuery{Market: "FR", From: visits[0].Day, To: visits[0].Day, At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence}
	taken := func(store rollcall.Store) int {
		free := memory{maxBytes}
		if _, err := (reading{store: store, free: &free}).unite(t.Context(), &q); err != nil {
			t.Fatal(err)
		}
		return maxBytes - free.left
	}
	sketches, sets := taken(storeOf(t, visits)), taken(storeOf(t, visits, "msn"))
	if sketches < 2<<14 || sets < sketches+8*len(visits) {
		t.Errorf("the sketches take %d bytes, and the set beside them %d", sketches, sets-sketches)
	}
	if _, err := (reading{store: storeOf(t, visits), free: &memory{sketches - 1}}).unite(t.Context(), &q); !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "256 MiB") {
		t.Errorf("a byte less than they take: %v", err)
	}
}
