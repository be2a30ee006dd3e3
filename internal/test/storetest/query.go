package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
)

func readCells(t *testing.T, s Store, q rollcall.CellQuery) (rows []rollcall.CellRow) {
	t.Helper()
	for r, err := range s.Cells(t.Context(), q) {
		must(t, err)
		rows = append(rows, rollcall.CellRow{Cell: r.Cell, CellState: rollcall.CellState{
			Visitors: canonical(t, s.K(), r.Visitors), Minutes: canonical(t, s.K(), r.CellState.Minutes),
			Coarse: r.Coarse, Accounts: slices.Clone(r.Accounts), Exact: r.Exact,
		}})
	}
	return rows
}

// canonical gives a state as aggregate/hll writes it: an engine may keep the
// keys of a small set in another order.
func canonical(t *testing.T, k int, state []byte) []byte {
	t.Helper()
	sketch, err := hll.Decode(k, state)
	must(t, err)
	return sketch.Append(nil)
}

// requireCells compares what s gives for q with what facts hold for it.
func requireCells(t *testing.T, s Store, q rollcall.CellQuery, facts []rollcall.CellRow) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(facts), func(r rollcall.CellRow) bool { return !cellMatches(q, r.Cell) })
	got := readCells(t, s, q)
	if !slices.IsSortedFunc(got, func(a, b rollcall.CellRow) int { return compareServices(a.Service, b.Service) }) {
		t.Errorf("%+v: cells aren't ordered by service", q)
	}
	if again := readCells(t, s, q); !slices.EqualFunc(got, again, sameCell) {
		t.Errorf("%+v: cells come in another order the second time", q)
	}
	slices.SortFunc(got, compareCells)
	if !slices.EqualFunc(got, want, sameCell) {
		t.Errorf("%+v: got %d cells that aren't the %d wanted", q, len(got), len(want))
	}
}

func compareServices(a, b rollcall.ServiceID) int { return slices.Compare([]byte(a), []byte(b)) }

func sameCell(a, b rollcall.CellRow) bool {
	return a.Cell == b.Cell && slices.Equal(a.Visitors, b.Visitors) && slices.Equal(a.CellState.Minutes, b.CellState.Minutes) &&
		a.Coarse == b.Coarse && slices.Equal(a.Accounts, b.Accounts) && a.Exact == b.Exact
}

func cellMatches(q rollcall.CellQuery, c rollcall.Cell) bool {
	return c.Market == q.Market && q.From <= c.Day && c.Day <= q.To &&
		(len(q.Services) == 0 || slices.Contains(q.Services, c.Service)) &&
		(q.Locations == 0 || q.Locations.Has(c.Location)) &&
		(len(q.Platforms) == 0 || slices.Contains(q.Platforms, c.Platform)) &&
		(len(q.Segments) == 0 || slices.Contains(q.Segments, c.Segment))
}

func readDiaries(t *testing.T, s Store, q rollcall.DiaryQuery) (rows []rollcall.DiaryRow) {
	t.Helper()
	for r, err := range s.Diaries(t.Context(), q) {
		must(t, err)
		rows = append(rows, r)
	}
	return rows
}

// requireDiaries compares what s gives for q with what facts hold for it.
func requireDiaries(t *testing.T, s Store, q rollcall.DiaryQuery, facts []rollcall.DiaryRow) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(facts), func(r rollcall.DiaryRow) bool {
		return r.Market != q.Market || r.Panel != q.Panel || r.Day < q.From || r.Day > q.To
	})
	got := readDiaries(t, s, q)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%+v: diary %d is\n%+v, want\n%+v", q, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%+v: %d diaries, want %d", q, len(got), len(want))
	}
}

func testCellQueries(t *testing.T, open func(*testing.T, int) Store) {
	facts := Draw(rand.New(rand.NewPCG(5, 6)), k, 200, 0)
	s := open(t, k)
	merge(t, s, facts)
	all := facts.cellUnion(t)
	days := rollcall.CellQuery{Market: "FR", From: day0, To: day0 + 40}
	for _, change := range []func(*rollcall.CellQuery){
		func(q *rollcall.CellQuery) {},
		func(q *rollcall.CellQuery) { q.To = day0 },
		func(q *rollcall.CellQuery) { q.From, q.To = day0+1, day0+23 },
		func(q *rollcall.CellQuery) { q.From, q.To = day0+12, day0+12 },
		func(q *rollcall.CellQuery) { q.From, q.To = day0+2, day0+1 },
		func(q *rollcall.CellQuery) { q.From, q.To = math.MinInt32, math.MaxInt32 },
		func(q *rollcall.CellQuery) { q.Services = []rollcall.ServiceID{"msn"} },
		func(q *rollcall.CellQuery) { q.Services = []rollcall.ServiceID{"msn", "aim", "none", "msn"} },
		func(q *rollcall.CellQuery) { q.Services = []rollcall.ServiceID{"none"} },
		func(q *rollcall.CellQuery) { q.Locations = rollcall.Home },
		func(q *rollcall.CellQuery) { q.Locations = rollcall.Home | rollcall.Work },
		func(q *rollcall.CellQuery) { q.Locations = rollcall.Home | rollcall.Work | rollcall.Elsewhere },
		func(q *rollcall.CellQuery) { q.Platforms = []rollcall.Platform{rollcall.Phone} },
		func(q *rollcall.CellQuery) { q.Platforms = []rollcall.Platform{rollcall.Phone, rollcall.NoPlatform} },
		func(q *rollcall.CellQuery) { q.Segments = []rollcall.SegmentID{"lyon", "nowhere"} },
		func(q *rollcall.CellQuery) { q.Segments = []rollcall.SegmentID{""} },
		func(q *rollcall.CellQuery) {
			q.Platforms, q.Segments = []rollcall.Platform{rollcall.NoPlatform}, []rollcall.SegmentID{"", "Lyon"}
		},
		func(q *rollcall.CellQuery) {
			q.Services, q.Locations, q.To = []rollcall.ServiceID{"icq"}, rollcall.Elsewhere, day0+12
		},
	} {
		q := days
		change(&q)
		requireCells(t, s, q, all)
	}
}

// testSegments: a segment is the last line that was put of it; one that a market's
// facts have is there without a name, in that market alone. However many are
// asked for, the cells are theirs.
func testSegments(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	facts := Draw(rand.New(rand.NewPCG(15, 16)), k, 200, 0)
	merge(t, s, facts)
	merge(t, s, facts)
	all := facts.cellUnion(t)
	catalogue := []rollcall.Segment{{ID: "Lyon", Name: "another"}, {ID: "lyon", Name: `"Lyon" <b>, c'est`, Into: "paris"}, {ID: "new", Name: "New"}}
	for _, v := range append([]rollcall.Segment{{ID: "lyon", Name: "before"}, {ID: "new", Name: "before", Into: "lyon"}}, catalogue...) {
		must(t, s.PutSegment(t.Context(), v))
	}
	for _, market := range []rollcall.MarketID{"", "FR", "DE", "US", "XX"} {
		want := slices.Clone(catalogue)
		for _, c := range all {
			named := func(v rollcall.Segment) bool { return v.ID == c.Segment }
			if c.Market == market && c.Segment != "" && !slices.ContainsFunc(want, named) {
				want = append(want, rollcall.Segment{ID: c.Segment})
			}
		}
		slices.SortFunc(want, func(a, b rollcall.Segment) int { return strings.Compare(string(a.ID), string(b.ID)) })
		got, err := s.Segments(t.Context(), market)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("segments in %q are %v, want %v", market, got, want)
		}
	}
	many := []rollcall.SegmentID{"lyon"}
	for i := range 40_000 {
		many = append(many, rollcall.SegmentID(fmt.Sprint("s", i)))
	}
	requireCells(t, s, rollcall.CellQuery{Market: "FR", From: day0, To: day0 + 40, Segments: many}, all)
}

func testDiaryQueries(t *testing.T, open func(*testing.T, int) Store) {
	facts := Draw(rand.New(rand.NewPCG(7, 8)), k, 0, 2000)
	s := open(t, k)
	merge(t, s, facts)
	all := facts.diaryUnion()
	first := day0.Month()
	for _, days := range [][2]rollcall.Day{
		{first.First(), first.Last()},
		{(first + 1).First(), (first + 1).Last()},
		{first.Last(), (first + 1).First()},
		{day0 + 3, day0 + 3},
		{day0 + 3, day0 + 25},
		{day0 + 4, day0 + 3},
		{math.MinInt32, math.MaxInt32},
	} {
		requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: days[0], To: days[1]}, all)
	}
}

// testDiaryOfManyKeys: key is last in the order, and diaries of two keys are
// never one.
func testDiaryOfManyKeys(t *testing.T, open func(*testing.T, int) Store) {
	var f Facts
	for _, key := range []rollcall.KeyID{7, 3, 5} {
		for _, service := range []rollcall.ServiceID{"msn", "aim"} {
			d := rollcall.DiaryRow{Diary: rollcall.Diary{
				Market: "FR", Panel: "nn", Day: day0, Panelist: 1, Service: service, Location: rollcall.Home, Kind: rollcall.Use, Key: key,
			}}
			d.Minutes.AddRange(int(key), int(key)+2)
			f.Diaries = append(f.Diaries, d)
		}
	}
	s := open(t, k)
	merge(t, s, f)
	requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: day0, To: day0}, f.diaryUnion())
}

// testIteratorsStop leaves iterators before their end, again and again: a
// store that kept what they held would run out of it.
func testIteratorsStop(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	merge(t, s, Draw(rand.New(rand.NewPCG(9, 10)), k, 50, 200))
	cells := rollcall.CellQuery{Market: "FR", To: day0 + 100}
	diaries := rollcall.DiaryQuery{Market: "FR", Panel: "nn", To: day0 + 100}
	for range 50 {
		steps := 0
		for range s.Cells(t.Context(), cells) {
			for range s.Diaries(t.Context(), diaries) {
				steps++
				break
			}
			break
		}
		if steps != 1 {
			t.Fatalf("%d steps of two iterators", steps)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, err := range s.Cells(ended, cells) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cells whose context has ended: %v", err)
		}
	}
	steps := 0
	for _, err := range s.Diaries(ended, diaries) {
		if steps++; !errors.Is(err, context.Canceled) {
			t.Errorf("diaries whose context has ended: %v", err)
		}
	}
	if steps != 1 {
		t.Errorf("diaries whose context has ended: %d steps", steps)
	}
}
