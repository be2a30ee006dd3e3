package server

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/census"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
	"rollcall/api/disclosure"
	"rollcall/internal/sqlite"
)

// sighting is one account that was seen on one day, for as many minutes as every
// other.
type sighting struct {
	rollcall.Cell
	account int
}

// eachMinutes are those of every sighting: the worst case, since minutes then count
// accounts, and few enough that a sketch counts those of a hundred accounts one by one.
const eachMinutes = 5

// attacked are the services of the attack: the first is counted exactly, the other by
// sketches.
func attacked() []rollcall.ServiceID { return []rollcall.ServiceID{"icq", "msn"} }

// drawSightings draws a service of about as many accounts as a sketch counts one by
// one, so that sets lie on both sides of that size. Small groups are in one of every
// kind: a segment of seven, another merged into a third, a platform, a place, and some
// that are there on one day alone.
func drawSightings(r *rand.Rand, service rollcall.ServiceID, month rollcall.Month) (all []sighting) {
	see := func(account int, day rollcall.Day, segment rollcall.SegmentID, platform rollcall.Platform, place rollcall.Location) {
		all = append(all, sighting{account: account, Cell: rollcall.Cell{
			Market: "FR", Day: day, Service: service, Location: place, Kind: rollcall.Use, Platform: platform, Segment: segment, Key: 1,
		}})
	}
	for account := range 560 + r.IntN(30) {
		segment, platform, place := rollcall.SegmentID("lyon"), rollcall.Computer, rollcall.Home
		first, days := month.First()+rollcall.Day(r.IntN(7)), 24
		switch {
		case account < 7:
			segment = "tiny"
		case account < 13:
			segment = "old"
		case account < 160:
			segment = "paris"
		case account < 168:
			platform = rollcall.Phone
		case account < 174:
			place = rollcall.Work
		case account < 179:
			days = 1
		}
		for day := first; day < first+rollcall.Day(days); day += 1 + rollcall.Day(r.IntN(2)) {
			see(account, day, segment, platform, place)
		}
		if account >= 300 && account < 370 {
			see(account, first, segment, platform, rollcall.Work) // at both
		}
	}
	return all
}

// stored brings sightings to a store.
func stored(t *testing.T, all []sighting) rollcall.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	for _, s := range []rollcall.Segment{{ID: "lyon", Name: "Lyon"}, {ID: "old", Name: "Old", Into: "lyon"}, {ID: "paris", Name: "Paris"}, {ID: "tiny", Name: "Tiny"}} {
		if err := store.PutSegment(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	cells := make(map[rollcall.Cell][]uint64)
	for _, s := range all {
		cells[s.Cell] = append(cells[s.Cell], uint64(s.account+1)*0x9e3779b97f4a7c15)
	}
	err = store.Merge(t.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for c, ids := range cells {
			visitors, minutes := hll.New(store.K()), hll.New(store.K())
			visitors.AddSlice(ids)
			for _, id := range ids {
				for minute := range uint64(eachMinutes) {
					minutes.Add(id ^ (uint64(c.Day)*1440+minute+1)*0xbf58476d1ce4e5b9)
				}
			}
			state := rollcall.CellState{Visitors: visitors.Append(nil), Minutes: minutes.Append(nil)}
			if c.Service == attacked()[0] {
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
	return store
}

// set is accounts, a bit each.
type set [12]uint64

func (s *set) add(account int) { s[account/64] |= 1 << (account % 64) }

// combine gives a set made of two, word by word.
func (s *set) combine(o *set, word func(a, b uint64) uint64) (out set) {
	for i := range s {
		out[i] = word(s[i], o[i])
	}
	return out
}

// but gives how many are in s and not in o, and whether all of o is in s.
func (s *set) but(o *set) (n int, holds bool) {
	holds = true
	for i := range s {
		n += bits.OnesCount64(s[i] &^ o[i])
		holds = holds && o[i]&^s[i] == 0
	}
	return n, holds
}

// questions are what a reader may ask of the month: what the rule refuses is left
// out.
func questions(rule disclosure.Rule, month rollcall.Month) (all []rollcall.CensusQuery) {
	for from := month.First(); from < month.First()+4; from++ {
		for to := from; to <= month.Last(); to++ {
			if n := to - from + 1; n != 1 && n != 7 && n != 28 && n != 30 && to%3 != 0 {
				continue // enough of the others
			}
			for _, group := range [][2]string{{"", ""}, {"lyon", ""}, {"old", ""}, {"paris", ""}, {"tiny", ""}, {"", "computer"}, {"", "phone"}} {
				for _, place := range []string{"", "home", "work", "home+work", "both", "home-only", "work-only"} {
					q := rollcall.CensusQuery{Market: "FR", Services: attacked(), From: from, To: to, Credit: rollcall.ByPresence, MinAccounts: rule.Least, Least: rule.Least}
					q.Segments, _ = rollcall.ParseSegments(group[0])
					q.Platforms, _ = rollcall.ParsePlatforms(group[1])
					q.At, _ = rollcall.ParseCensusPlace(place)
					if rule.Readers(&q) == nil {
						all = append(all, q)
					}
				}
			}
		}
	}
	return all
}

// accountsOf gives those that a question is of.
func accountsOf(seen []sighting, q *rollcall.CensusQuery, service rollcall.ServiceID) set {
	merged := func(id rollcall.SegmentID) rollcall.SegmentID {
		if id == "old" {
			return "lyon"
		}
		return id
	}
	var all, home, work set
	for i := range seen {
		s := &seen[i]
		if s.Service != service || s.Day < q.From || s.Day > q.To || !q.At.Any.Has(s.Location) ||
			len(q.Segments) > 0 && merged(s.Segment) != merged(q.Segments[0]) || len(q.Platforms) > 0 && s.Platform != q.Platforms[0] {
			continue
		}
		all.add(s.account)
		if s.Location == rollcall.Home {
			home.add(s.account)
		} else {
			work.add(s.account)
		}
	}
	switch q.At.Part {
	case rollcall.Both:
		return home.combine(&work, func(a, b uint64) uint64 { return a & b })
	case rollcall.HomeOnly:
		return home.combine(&work, func(a, b uint64) uint64 { return a &^ b })
	case rollcall.WorkOnly:
		return work.combine(&home, func(a, b uint64) uint64 { return a &^ b })
	}
	return all
}

// figure is what somebody was given: the accounts that it is of, and the least and
// the most that they may be by all that was told.
type figure struct {
	name        string
	accounts    set
	least, most float64
}

// attacker has the software, and so knows what it tells of any number of accounts.
type attacker struct {
	rule  disclosure.Rule
	store rollcall.Store
	all   []sighting
	told  map[rollcall.ServiceID][]rollcall.Row // by number of accounts of one day: what a reader is told of so many
}

// most is up to how many accounts of a day the attacker tries.
const most = 120

// rehearse finds what is told of each number of accounts of one day: a segment of
// each size in a store of the attacker's own.
func (a *attacker) rehearse(t *testing.T, day rollcall.Day) {
	var own []sighting
	for n := 1; n <= most; n++ {
		for account := range n {
			for _, service := range attacked() {
				own = append(own, sighting{account: 1000*n + account, Cell: rollcall.Cell{
					Market: "FR", Day: day, Service: service, Location: rollcall.Home, Kind: rollcall.Use, Segment: rollcall.SegmentID(strconv.Itoa(n)), Key: 1,
				}})
			}
		}
	}
	q := rollcall.CensusQuery{Market: "FR", Services: attacked(), From: day, To: day, Credit: rollcall.ByPresence, MinAccounts: a.rule.Least, Least: a.rule.Least, By: []rollcall.CensusBy{rollcall.BySegment}}
	q.At, _ = rollcall.ParseCensusPlace("")
	if err := a.rule.Readers(&q); err != nil {
		t.Fatal(err)
	}
	table, err := census.Table(t.Context(), stored(t, own), q)
	if err != nil {
		t.Fatal(err)
	}
	a.told = map[rollcall.ServiceID][]rollcall.Row{}
	for _, service := range attacked() {
		a.told[service] = make([]rollcall.Row, most+1)
	}
	for i, row := range table.Rows {
		n, err := strconv.Atoi(table.Cell(i, "segment").(string))
		if err != nil {
			t.Fatal(err)
		}
		a.told[rollcall.ServiceID(row[0].(string))][n] = row[2:]
	}
}

// ask gives every figure of a service that has a number, or too few for one.
func (a *attacker) ask(t *testing.T, service rollcall.ServiceID) (all []figure) {
	for _, q := range questions(a.rule, a.all[0].Day.Month()) {
		table, err := census.Table(t.Context(), a.store, q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		row := slices.IndexFunc(table.Rows, func(r rollcall.Row) bool { return r[0] == string(service) })
		f := figure{name: fmt.Sprintf("%s %s-%s %v %v %s", service, q.From, q.To, q.Segments, q.Platforms, q.At), accounts: accountsOf(a.all, &q, service)}
		switch m := table.Cell(row, "unique_accounts").(rollcall.Measure); m.Status {
		case rollcall.Below:
			f.least, f.most = 0, float64(a.rule.Least-1)
		case rollcall.OK:
			f.least, f.most = a.bounds(service, table.Rows[row][1:], &q)
		default:
			continue
		}
		all = append(all, f)
	}
	return all
}

// bounds gives the numbers of accounts of which the same would have been told: value
// and interval, and of one day the minutes too.
func (a *attacker) bounds(service rollcall.ServiceID, told rollcall.Row, q *rollcall.CensusQuery) (least, up float64) {
	m, oneByOne := told[0].(rollcall.Measure), told[2] == true
	step, part := 1.0, 0.0
	if !oneByOne { // a sketch's estimate, with the error that it states
		step, part = 0.1, hll.Z95*hll.StdErr(a.store.K())
	}
	least, up = math.Inf(1), math.Inf(-1)
	for x := math.Floor(m.Value - 20); x <= m.Value+20; x += step {
		again := rollcall.Measure{Value: x, Low: x * (1 - part), High: x * (1 + part), Status: rollcall.OK}.Coarse(a.rule.Round)
		same := again.Value == m.Value && (q.At.Part != "" || again.Low == m.Low && again.High == m.High)
		if n := int(x); q.From == q.To && oneByOne && n > 0 && n <= most && q.At.Part == "" {
			rehearsed, minutes := a.told[service][n], told[1].(rollcall.Measure)
			other := rehearsed[1].(rollcall.Measure)
			same = same && other.Value == minutes.Value && other.Low == minutes.Low && other.High == minutes.High
		}
		if same {
			least, up = min(least, x), max(up, x)
		}
	}
	return least, up
}

// find subtracts every figure from every one that holds it, and gives the pairs that
// a small group is between, and those that tell of it: that there is somebody, and
// fewer than figures are rounded to.
func find(all []figure, small int) (pairs int, found []string) {
	for i := range all {
		for j := range all {
			a, b := &all[i], &all[j]
			n, holds := a.accounts.but(&b.accounts)
			if !holds || n == 0 || n >= small {
				continue
			}
			pairs++
			if low, high := a.least-b.most, a.most-b.least; low > 0 && high < float64(small) {
				found = append(found, fmt.Sprintf("%s less %s: %d accounts, told as %g to %g", a.name, b.name, n, low, high))
			}
		}
	}
	return pairs, found
}

// TestNoSmallGroup: whoever may read a census, asks all that a reader may, and
// subtracts every figure from every other, by neighbouring periods, places, platforms
// and segments, merged ones too, is told of no group of somebody and fewer than
// figures are rounded to. The same of what the operator is told finds them.
func TestNoSmallGroup(t *testing.T) {
	month := rollcall.MonthOf(2002, time.July)
	r := rand.New(rand.NewPCG(18, 3))
	var all []sighting
	for _, service := range attacked() {
		all = append(all, drawSightings(r, service, month)...)
	}
	store := stored(t, all)
	reader := &attacker{rule: disclosure.Default(), store: store, all: all}
	reader.rehearse(t, month.First())
	for _, service := range attacked() {
		figures := reader.ask(t, service)
		pairs, found := find(figures, reader.rule.Round)
		if pairs < 100 || len(found) > 0 {
			t.Errorf("%s: %d figures, a small group between %d pairs, told of by %d: %s", service, len(figures), pairs, len(found), strings.Join(found[:min(len(found), 5)], "\n"))
		}
		for i := range figures { // as the operator is told
			n, _ := figures[i].accounts.but(new(set))
			figures[i].least, figures[i].most = float64(n), float64(n)
		}
		if _, found := find(figures, reader.rule.Round); len(found) != pairs {
			t.Errorf("%s: unrounded, %d of %d are found", service, len(found), pairs)
		}
		t.Logf("%s: %d figures, a small group between %d pairs", service, len(figures), pairs)
	}
}
