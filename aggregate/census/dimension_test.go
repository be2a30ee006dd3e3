package census

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
	"rollcall/internal/sqlite"
)

// visit is one account that was seen.
type visit struct {
	rollcall.Cell
	account uint64
}

// drawVisits draws visits of two services around New Year, of accounts few
// enough for a sketch to be exact, or of many for a service counted exactly.
func drawVisits(r *rand.Rand, n, accounts int) []visit {
	all := make([]visit, n)
	for i := range all {
		day := rollcall.DayOf(2002, 12, 1) + rollcall.Day(r.IntN(62))
		year, _, _ := day.Date()
		all[i] = visit{account: uint64(r.IntN(accounts)) * 0x9e3779b97f4a7c15, Cell: rollcall.Cell{
			Market: "FR", Day: day, Service: []rollcall.ServiceID{"msn", "aim"}[r.IntN(2)], Location: rollcall.Location(1 << r.IntN(3)),
			Kind: rollcall.Kind(1 + r.IntN(3)), Platform: rollcall.Platform(r.IntN(3)), Segment: []rollcall.SegmentID{"", "lyon", "paris"}[r.IntN(3)],
			Key: rollcall.KeyID(year),
		}}
	}
	return all
}

// storeOf holds the visits; those of the services named are counted exactly.
func storeOf(t *testing.T, visits []visit, exact ...rollcall.ServiceID) rollcall.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	merge(t, store, visits, exact...)
	return store
}

// merge brings visits to a store.
func merge(t *testing.T, store rollcall.Store, visits []visit, exact ...rollcall.ServiceID) {
	t.Helper()
	cells := make(map[rollcall.Cell][]uint64)
	for _, v := range visits {
		cells[v.Cell] = append(cells[v.Cell], v.account)
	}
	err := store.Merge(t.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for c, ids := range cells {
			s := hll.New(store.K())
			s.AddSlice(ids)
			state := rollcall.CellState{Visitors: s.Append(nil), Minutes: s.Append(nil)}
			if slices.Contains(exact, c.Service) {
				state.Accounts, state.Exact = idset.Append(nil, ids), true
			}
			if !yield(c, state) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// counted answers a question by brute force: of each row, its accounts; nil
// where they lie under two keys.
func counted(visits []visit, q *rollcall.CensusQuery) map[string]map[uint64]rollcall.Location {
	rows, keys := make(map[string]map[uint64]rollcall.Location), make(map[string]rollcall.KeyID)
	put := func(row string, v visit) {
		if rows[row] == nil {
			rows[row] = make(map[uint64]rollcall.Location)
			keys[row] = v.Key
		}
		if rows[row][v.account] |= v.Location; keys[row] != v.Key {
			keys[row] = 0
		}
	}
	for _, v := range visits {
		if !q.At.Any.Has(v.Location) || !q.Credit.Counts(v.Kind) || len(q.Services) > 0 && !slices.Contains(q.Services, v.Service) ||
			len(q.Platforms) > 0 && !slices.Contains(q.Platforms, v.Platform) || len(q.Segments) > 0 && !slices.Contains(q.Segments, v.Segment) {
			continue
		}
		g := groupOf(&v.Cell, q.By)
		label := string(v.Service)
		for _, by := range q.By {
			label += " " + g.text(by)
		}
		if q.Window == (rollcall.Window{}) {
			if q.From <= v.Day && v.Day <= q.To {
				put(label, v)
			}
			continue
		}
		for day := q.From; day <= q.To; day++ {
			if q.Window.From(day) <= v.Day && v.Day <= day {
				put(label+" "+day.String(), v)
			}
		}
	}
	for row, key := range keys {
		if key == 0 {
			rows[row] = nil
		}
		maps.DeleteFunc(rows[row], func(_ uint64, at rollcall.Location) bool {
			return q.At.Part != "" && !q.At.Part.Has(at.Has(rollcall.Home), at.Has(rollcall.Work))
		})
	}
	return rows
}

// TestAgainstBruteForce: whatever is asked, the rows are those that a count of
// all visits gives, sketched and exact alike.
func TestAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	few, many := drawVisits(r, 4000, 300), drawVisits(r, 20000, 9000)
	stores := []struct {
		visits []visit
		store  rollcall.Store
	}{{few, storeOf(t, few)}, {many, storeOf(t, many, "msn", "aim")}}
	for range 150 {
		q := drawQuestion(r)
		for i, s := range stores {
			table, err := Table(t.Context(), s.store, q)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			want := counted(s.visits, &q)
			got := sizesOf(table)
			for row := range table.Rows {
				m := table.Cell(row, "unique_accounts").(rollcall.Measure)
				if m.Status != rollcall.Undefined && (m.Value != float64(int(m.Value)) || m.SE != 0 || table.Cell(row, "exact") != true) {
					t.Fatalf("%d: %+v: row %d: %+v", i, q, row, m)
				}
			}
			sizes := make(map[string]int)
			for label, ids := range want {
				switch {
				case ids == nil:
					sizes[label] = -1
				case len(ids) > 0:
					sizes[label] = len(ids)
				}
			}
			if !maps.Equal(got, sizes) {
				t.Fatalf("%d: %+v:\n got %v\nwant %v", i, q, got, sizes)
			}
		}
	}
}

func drawQuestion(r *rand.Rand) rollcall.CensusQuery {
	pick := func(n int) bool { return r.IntN(n) == 0 }
	q := rollcall.CensusQuery{Market: "FR", From: rollcall.DayOf(2002, 12, 1) + rollcall.Day(r.IntN(62)), At: rollcall.CensusPlace{Any: rollcall.Location(1 + r.IntN(7))}, Credit: rollcall.ByPresence}
	q.To = q.From + rollcall.Day(r.IntN(40))
	units := []rollcall.CensusBy{rollcall.ByDay, rollcall.ByWeek, rollcall.ByMonth, rollcall.ByQuarter, rollcall.ByYear}
	windows := []rollcall.Window{{Days: 1}, {Days: 7}, {Days: 28}, {Days: 30}, {Month: true}}
	if pick(2) {
		q.By = append(q.By, units[r.IntN(len(units))])
	} else {
		q.Window = windows[r.IntN(len(windows))]
	}
	for _, by := range []rollcall.CensusBy{rollcall.ByPlatform, rollcall.BySegment, rollcall.ByLocation, rollcall.ByKind} {
		if pick(4) {
			q.By = append(q.By, by)
		}
	}
	r.Shuffle(len(q.By), func(i, j int) { q.By[i], q.By[j] = q.By[j], q.By[i] })
	if pick(3) && !slices.Contains(q.By, rollcall.ByLocation) {
		parts := []rollcall.Place{rollcall.Both, rollcall.HomeOnly, rollcall.WorkOnly}
		q.At = rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work, Part: parts[r.IntN(len(parts))]}
	}
	if pick(3) {
		q.Credit = rollcall.ByUse
	}
	if pick(3) {
		q.Services = []rollcall.ServiceID{"msn"}
	}
	if pick(4) {
		q.Platforms = []rollcall.Platform{rollcall.NoPlatform, rollcall.Phone}
	}
	if pick(4) {
		q.Segments = []rollcall.SegmentID{"", "paris"}
	}
	return q
}

// TestPeriods: the names and beginnings of weeks and quarters are the calendar's.
func TestPeriods(t *testing.T) {
	for day := rollcall.DayOf(1999, 12, 20); day < rollcall.DayOf(2005, 1, 20); day++ {
		y, m, d := day.Date()
		at := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		year, week := at.ISOWeek()
		for unit, want := range map[rollcall.CensusBy]string{
			rollcall.ByDay: day.String(), rollcall.ByWeek: fmt.Sprintf("%d-W%02d", year, week), rollcall.ByMonth: at.Format("2006-01"),
			rollcall.ByQuarter: fmt.Sprintf("%d-Q%d", y, (int(m)+2)/3), rollcall.ByYear: at.Format("2006"),
		} {
			first := unit.Begin(day)
			if got := periodText(unit, first); got != want {
				t.Fatalf("%s of %s is %s, not %s", unit, day, got, want)
			}
			if after := next(unit, first); first > day || after <= day || periodText(unit, unit.Begin(after-1)) != want {
				t.Fatalf("%s of %s is from %s to %s", unit, day, first, after-1)
			}
		}
	}
}

// TestZeroRows: a service or a day of which nothing was seen is a row of none.
func TestZeroRows(t *testing.T) {
	store := storeOf(t, nil)
	q := rollcall.CensusQuery{Market: "FR", Services: []rollcall.ServiceID{"msn"}, From: rollcall.DayOf(2002, 10, 30), To: rollcall.DayOf(2002, 11, 1), At: rollcall.CensusPlace{Any: rollcall.Home}, Credit: rollcall.ByPresence}
	for by, want := range map[rollcall.CensusBy]string{"": "msn", rollcall.ByDay: "2002-10-30 2002-10-31 2002-11-01", rollcall.ByMonth: "2002-10 2002-11", rollcall.BySegment: ""} {
		if q.By = nil; by != "" {
			q.By = []rollcall.CensusBy{by}
		}
		table, err := Table(t.Context(), store, q)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for i := range table.Rows {
			rows = append(rows, fmt.Sprint(table.Rows[i][len(q.By)]))
		}
		if got := strings.Join(rows, " "); got != want {
			t.Errorf("by %q the rows are %q", by, got)
		}
	}
}

// TestContradictions are refused.
func TestContradictions(t *testing.T) {
	store := storeOf(t, nil)
	day := rollcall.DayOf(2002, 10, 1)
	for code, q := range map[string]rollcall.CensusQuery{
		"to_before_from": {From: day, To: day - 1},
		"window_and_by":  {From: day, To: day, By: []rollcall.CensusBy{rollcall.ByWeek}, Window: rollcall.Window{Days: 7}},
		"by_and_both":    {From: day, To: day, By: []rollcall.CensusBy{rollcall.ByLocation}, At: rollcall.CensusPlace{Part: rollcall.Both}},
	} {
		if _, err := Table(t.Context(), store, q); err == nil || !strings.Contains(fmt.Sprintf("%#v", err), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
