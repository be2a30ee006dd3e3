package census

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// TestUndoneOfSegments: who asks for a segment, or may see it alone, is told of the
// removals that its figures lack, and of no other segment's; and no mark of a
// service of which no row is shown.
func TestUndoneOfSegments(t *testing.T) {
	day := rollcall.DayOf(2002, 10, 3)
	var visits []visit
	for i, c := range []rollcall.Cell{{Service: "msn", Segment: "lyon"}, {Service: "msn", Segment: "paris"}, {Service: "aim", Segment: "paris"}, {Service: "msn"}} {
		c.Market, c.Day, c.Location, c.Kind, c.Key = "FR", day, rollcall.Elsewhere, rollcall.Use, 1
		visits = append(visits, visit{account: uint64(i + 1), Cell: c})
	}
	store := storeOf(t, visits)
	if err := store.PutSegment(t.Context(), rollcall.Segment{ID: "old", Name: "Old", Into: "lyon"}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC)
	correct := func(action rollcall.Action, service rollcall.ServiceID, segment string) rollcall.Correction {
		of := day + 1 // on which nothing was seen
		if action == rollcall.Outage {
			of = day
		}
		return rollcall.Correction{Action: action, Market: "FR", Service: service, Segment: segment, From: of, To: of, Reason: "why " + string(service) + " " + segment, Time: at}
	}
	if _, err := store.AddCorrections(t.Context(),
		correct(rollcall.Removal, "msn", ""), correct(rollcall.Removal, "msn", "lyon"), correct(rollcall.Removal, "msn", "old"), correct(rollcall.Removal, "msn", "paris"), correct(rollcall.Removal, "msn", rollcall.None),
		correct(rollcall.Outage, "msn", ""), correct(rollcall.Outage, "aim", "")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ asked, readable, removed, down string }{
		{"", "", "msn; msn lyon; msn none; msn old; msn paris", "msn; aim"},
		{"paris", "", "msn; msn paris", "msn; aim"},
		{"none", "", "msn; msn none", "msn"},
		{"", "lyon", "msn; msn lyon; msn old", "msn"},
		{"lyon", "old", "msn; msn lyon; msn old", "msn"},
		{"", "none", "msn; msn none", "msn"},
		{"lyon", "lyon,paris", "msn; msn lyon; msn old", "msn"},
	} {
		q := rollcall.CensusQuery{Market: "FR", From: day, To: day + 1, At: rollcall.CensusPlace{Any: 7}, Credit: rollcall.ByPresence}
		var errs [2]error
		q.Segments, errs[0] = rollcall.ParseSegments(c.asked)
		q.Readable, errs[1] = rollcall.ParseSegments(c.readable)
		table, err := Table(t.Context(), store, q)
		if errs[0] != nil || errs[1] != nil || err != nil {
			t.Fatal(errs, err)
		}
		removed, down := told(table)
		if got := strings.Join(removed, "; "); got != c.removed {
			t.Errorf("%+v: told of removals of %q", c, got)
		}
		if got := strings.Join(down, "; "); got != c.down {
			t.Errorf("%+v: told of marks of %q", c, got)
		}
	}
}

// told gives the reasons of the removals, and the services of the marks, that a
// census tells of.
func told(table *rollcall.Table) (removed, down []string) {
	for _, note := range table.Meta.Notes {
		if _, why, found := strings.Cut(note, ": why "); found && strings.Contains(note, "was removed") {
			removed = append(removed, strings.TrimSpace(strings.TrimSuffix(why, ". What was loaded since counts.")))
		}
	}
	for _, b := range table.Meta.Breaks {
		down = append(down, string(b.Service))
	}
	slices.Sort(removed) // all were recorded at one time
	slices.SortFunc(down, func(a, b string) int { return strings.Compare(b, a) })
	return removed, down
}

// TestSketchedDays: days without sets are told of where they make a figure that is
// not exact; of a few accounts there is nothing to estimate.
func TestSketchedDays(t *testing.T) {
	day := rollcall.DayOf(2002, 10, 3)
	for _, accounts := range []uint64{10, 5000} {
		var visits []visit
		for i := range accounts {
			visits = append(visits, visit{account: (i + 1) << 40, Cell: rollcall.Cell{Market: "FR", Day: day, Service: "msn", Location: rollcall.Elsewhere, Kind: rollcall.Use, Key: 1}})
		}
		store := storeOf(t, visits)
		if err := store.PutService(t.Context(), rollcall.Service{ID: "msn", Name: "MSN", Census: rollcall.Exactly}); err != nil {
			t.Fatal(err)
		}
		table, err := Table(t.Context(), store, rollcall.CensusQuery{Market: "FR", From: day, To: day, At: rollcall.CensusPlace{Any: 7}, Credit: rollcall.ByPresence})
		if err != nil {
			t.Fatal(err)
		}
		few := accounts == 10
		if noted := strings.Contains(strings.Join(table.Meta.Notes, " "), "msn from 2002-10-03 to 2002-10-03"); noted == few || table.Cell(0, "exact") != few {
			t.Errorf("%d accounts: exact %v, notes %q", accounts, table.Cell(0, "exact"), table.Meta.Notes)
		}
	}
}

// TestMethodSaysBoth: the method of a table some of whose services are counted one by one
// and others estimated says both.
func TestMethodSaysBoth(t *testing.T) {
	const what = "; unique accounts of one service, not persons"
	day := rollcall.DayOf(2002, 10, 3)
	for _, tt := range []struct {
		accounts map[rollcall.ServiceID]int // icq has sets
		method   string
	}{
		{map[rollcall.ServiceID]int{"icq": 5}, "union of the days' sets of accounts, counted one by one" + what},
		{map[rollcall.ServiceID]int{"msn": 5}, "union of the days' sketches, which count so few accounts one by one" + what},
		{map[rollcall.ServiceID]int{"msn": 5, "icq": 5}, "union of the days' sets of accounts, or of sketches of so few accounts, counted one by one" + what},
		{map[rollcall.ServiceID]int{"msn": 5000}, "HyperLogLog union of daily sketches, Ertl's improved raw estimator" + what},
		{map[rollcall.ServiceID]int{"msn": 5000, "icq": 5}, "HyperLogLog union of daily sketches, Ertl's improved raw estimator; the accounts of exact rows counted one by one" + what},
		{map[rollcall.ServiceID]int{"msn": 5000, "aim": 5}, "HyperLogLog union of daily sketches, Ertl's improved raw estimator; the accounts of exact rows counted one by one" + what},
	} {
		var visits []visit
		for service, n := range tt.accounts {
			for i := range n {
				visits = append(visits, visit{account: uint64(i+1) << 40, Cell: rollcall.Cell{Market: "FR", Day: day, Service: service, Location: rollcall.Elsewhere, Kind: rollcall.Use, Key: 1}})
			}
		}
		table, err := Table(t.Context(), storeOf(t, visits, "icq"), rollcall.CensusQuery{Market: "FR", From: day, To: day, At: rollcall.CensusPlace{Any: 7}, Credit: rollcall.ByPresence})
		if err != nil || table.Meta.Method != tt.method {
			t.Errorf("%v: the method is %q, %v; want %q", tt.accounts, table.Meta.Method, err, tt.method)
		}
	}
}
