package aggregate

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

const testK = 12

func testCalendar(t interface{ Fatal(...any) }) func(rollcall.MarketID) (*rollcall.Calendar, error) {
	c, err := rollcall.NewCatalogue([]rollcall.Market{
		{ID: "FR", Name: "France", Zone: "Europe/Paris"}, {ID: "NP", Name: "Nepal", Zone: "Asia/Kathmandu"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Calendar
}

// facts is what a store would have: the model of a fold.
type facts struct {
	visitors map[rollcall.Cell]map[uint64]bool
	pairs    map[rollcall.Cell]map[uint64]bool
	diaries  map[rollcall.Diary]rollcall.Minutes
}

// model credits an event minute by minute, by time.Time alone.
func (f *facts) model(e *rollcall.Event, zone *time.Location) {
	if !e.Kind.Counts() {
		return
	}
	from := e.Time.Truncate(time.Minute)
	last := from
	if e.Until.After(e.Time) {
		last = e.Until.Add(-1).Truncate(time.Minute)
	}
	for at := from; !at.After(last); at = at.Add(time.Minute) {
		f.credit(e, at, at.In(zone))
	}
}

func (f *facts) credit(e *rollcall.Event, at, local time.Time) {
	day := rollcall.DayOf(local.Date())
	if e.Panel == "" {
		key := rollcall.Cell{Market: e.Market, Day: day, Service: e.Service, Location: e.Location, Kind: e.Kind, Key: e.Key}
		note(f.visitors, key, uint64(e.Visitor))
		note(f.pairs, key, hll.PairID(uint64(e.Visitor), at.Unix()/60))
		return
	}
	key := rollcall.Diary{
		Market: e.Market, Panel: e.Panel, Day: day, Panelist: e.Visitor,
		Service: e.Service, Location: e.Location, Kind: e.Kind, Key: e.Key,
	}
	first := at
	for rollcall.DayOf(first.Add(-time.Minute).In(local.Location()).Date()) == day {
		first = first.Add(-time.Minute)
	}
	minutes := f.diaries[key]
	m := int(at.Sub(first) / time.Minute)
	minutes.AddRange(m, m+1)
	f.diaries[key] = minutes
}

func note(m map[rollcall.Cell]map[uint64]bool, key rollcall.Cell, id uint64) {
	if m[key] == nil {
		m[key] = make(map[uint64]bool)
	}
	m[key][id] = true
}

func state(ids map[uint64]bool) []byte {
	s := hll.New(testK)
	s.AddSlice(slices.Collect(maps.Keys(ids)))
	return s.Append(nil)
}

// stored is a store of bytes that unites as a store must.
type stored struct {
	cells   map[rollcall.Cell]rollcall.CellState
	diaries map[rollcall.Diary]rollcall.Minutes
}

func newStored() *stored {
	return &stored{cells: make(map[rollcall.Cell]rollcall.CellState), diaries: make(map[rollcall.Diary]rollcall.Minutes)}
}

func (s *stored) merge(t interface{ Fatal(...any) }, d rollcall.Deltas) {
	for key, add := range d.Cells {
		have := s.cells[key]
		s.cells[key] = rollcall.CellState{Visitors: unite(t, have.Visitors, add.Visitors), Minutes: unite(t, have.Minutes, add.Minutes)}
	}
	for key, add := range d.Diaries {
		have := s.diaries[key]
		have.Union(add)
		s.diaries[key] = have
	}
}

func unite(t interface{ Fatal(...any) }, states ...[]byte) []byte {
	u := hll.New(testK)
	for _, state := range states {
		if state == nil {
			continue
		}
		if err := u.MergeState(state); err != nil {
			t.Fatal(err)
		}
	}
	return u.Append(nil)
}

func drawEvent(t *rapid.T) rollcall.Event {
	start := time.Date(2002, 10, 26, 20, 0, 0, 0, time.UTC) // the clock goes back in Paris on the 27th
	e := rollcall.Event{
		Group: rollcall.Group{
			Market:   rapid.SampledFrom([]rollcall.MarketID{"FR", "NP"}).Draw(t, "market"),
			Service:  rapid.SampledFrom([]rollcall.ServiceID{"msn", "aim"}).Draw(t, "service"),
			Location: rapid.SampledFrom([]rollcall.Location{rollcall.Home, rollcall.Work}).Draw(t, "location"),
			Kind:     rollcall.Kind(rapid.IntRange(1, 5).Draw(t, "kind")),
			Panel:    rapid.SampledFrom([]rollcall.PanelID{"", "nn"}).Draw(t, "panel"),
			Key:      7,
		},
		Time:    start.Add(time.Duration(rapid.Int64Range(0, int64(60*time.Hour)).Draw(t, "time"))),
		Visitor: rollcall.Visitor(rapid.Uint64Range(1, 40).Draw(t, "visitor")),
	}
	if rapid.Bool().Draw(t, "interval") {
		e.Until = e.Time.Add(time.Duration(rapid.Int64Range(0, int64(6*time.Hour)).Draw(t, "length")))
	}
	return e
}

// TestFoldIsTheModel folds random events in random batches, some twice, with
// flushes in between that keep or drop cells, and wants what the model has.
func TestFoldIsTheModel(t *testing.T) {
	calendar := testCalendar(t)
	rapid.Check(t, func(t *rapid.T) {
		f, have := NewFold(testK, calendar, nil), newStored()
		want := &facts{map[rollcall.Cell]map[uint64]bool{}, map[rollcall.Cell]map[uint64]bool{}, map[rollcall.Diary]rollcall.Minutes{}}
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var b rollcall.Batch
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				e := drawEvent(t)
				b.Add(&e)
				want.model(&e, zones[e.Market])
			}
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				if err := f.Add(&b); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.Bool().Draw(t, "flush") {
				have.merge(t, f.Deltas())
				f.flushed(rapid.SampledFrom([]int{0, 1 << 30}).Draw(t, "keep"))
			}
		}
		have.merge(t, f.Deltas())
		compare(t, have, want)
	})
}

var zones = map[rollcall.MarketID]*time.Location{"FR": zone("Europe/Paris"), "NP": zone("Asia/Kathmandu")}

func zone(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return l
}

func compare(t *rapid.T, have *stored, want *facts) {
	if len(have.cells) != len(want.visitors) || len(have.diaries) != len(want.diaries) {
		t.Fatalf("%d cells and %d diaries, want %d and %d", len(have.cells), len(have.diaries), len(want.visitors), len(want.diaries))
	}
	for key, c := range have.cells {
		if !bytes.Equal(c.Visitors, state(want.visitors[key])) || !bytes.Equal(c.Minutes, state(want.pairs[key])) {
			t.Fatalf("cell %+v differs from the model's", key)
		}
	}
	for key, minutes := range have.diaries {
		if minutes != want.diaries[key] {
			t.Fatalf("diary %+v has %d minutes, want %d", key, minutes.Len(), len(slices.Collect(runsOf(want.diaries[key]))))
		}
	}
}

func runsOf(m rollcall.Minutes) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for from, to := range m.Runs {
			for i := from; i < to; i++ {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// TestUnchangedCellIsNotFlushed: a kept cell that learns nothing new is clean.
func TestUnchangedCellIsNotFlushed(t *testing.T) {
	f := NewFold(testK, testCalendar(t), nil)
	var b rollcall.Batch
	b.Add(&rollcall.Event{
		Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
		Time:  time.Date(2002, 10, 3, 18, 0, 0, 0, time.UTC), Visitor: 5,
	})
	for round, want := range []int{1, 0, 0} {
		if err := f.Add(&b); err != nil {
			t.Fatal(err)
		}
		if got := newStored(); true {
			got.merge(t, f.Deltas())
			if len(got.cells) != want {
				t.Fatalf("round %d: %d cells flushed, want %d", round, len(got.cells), want)
			}
		}
		f.flushed(1 << 30)
	}
}

// TestFoldAllocatesNothing: a batch of known cells costs no allocation.
func TestFoldAllocatesNothing(t *testing.T) {
	f, b := NewFold(testK, testCalendar(t), nil), benchBatch(6*mostWaiting)
	for range 3 { // after which as much waits for the sketches as ever will
		if err := f.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(20, func() {
		if err := f.Add(b); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Fatalf("%v allocations a batch, want 0", n)
	}
}

func benchBatch(rows int) *rollcall.Batch {
	b := new(rollcall.Batch)
	start := time.Date(2002, 10, 3, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		e := rollcall.Event{
			Group: rollcall.Group{
				Market: "FR", Service: []rollcall.ServiceID{"msn", "aim", "icq"}[i%3], Location: rollcall.Home + rollcall.Location(i%2),
				Kind: rollcall.Presence, Key: 1,
			},
			Time: start.Add(time.Duration(i) * time.Second), Visitor: rollcall.Visitor(uint64(i) * 0x9e3779b97f4a7c15),
		}
		b.Add(&e)
	}
	return b
}

// BenchmarkFold gives rows a second of one-minute census events.
func BenchmarkFold(b *testing.B) {
	f, batch := NewFold(hll.DefaultK, testCalendar(b), nil), benchBatch(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Add(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(batch.Len())/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkFoldSmallBatches folds a thousand rows at a time, as a log gives
// them, over 72 cells.
func BenchmarkFoldSmallBatches(b *testing.B) {
	const rows = 1000
	f, random := NewFold(hll.DefaultK, testCalendar(b), nil), rand.NewPCG(1, 2)
	batches := make([]*rollcall.Batch, 1000)
	for i := range batches {
		batch := benchBatch(6) // for its groups
		batch.Reset()
		batch.Groups = batch.Groups[:6]
		for range rows {
			day := int64(random.Uint64() % 12)
			at := time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC).UnixNano() + day*int64(24*time.Hour)
			batch.AddRow(uint32(random.Uint64()%6), at, 0, random.Uint64())
		}
		batches[i] = batch
	}
	n := 0
	for b.Loop() {
		if err := f.Add(batches[n%len(batches)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*rows), "ns/row")
}

// TestManyDays: rows of two months and of two years make the same cells in any order,
// though no more than seven weeks are known at a time.
func TestManyDays(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	group := rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1}
	first := time.Date(2002, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, days := range []int{60, 730} {
		var events []rollcall.Event
		for range 20_000 {
			events = append(events, rollcall.Event{
				Group: group, Time: first.Add(time.Duration(random.IntN(days*24*60)) * time.Minute),
				Visitor: rollcall.Visitor(random.IntN(5000)),
			})
		}
		fold := func() map[rollcall.Cell]rollcall.CellState {
			f, got := NewFold(testK, testCalendar(t), nil), newStored()
			if err := f.Add(rollcall.BatchOf(events...)); err != nil {
				t.Fatal(err)
			}
			got.merge(t, f.Deltas())
			return got.cells
		}
		want := fold()
		slices.SortFunc(events, func(a, b rollcall.Event) int { return a.Time.Compare(b.Time) })
		if got := fold(); len(got) < days || !reflect.DeepEqual(got, want) {
			t.Errorf("%d days: %d cells in the order of time, and others than in no order", days, len(got))
		}
	}
}

// TestSlots: whatever the clock does, and in whichever order it is asked, a slot gives
// an instant the local day that the calendar does, once it was told.
func TestSlots(t *testing.T) {
	for _, zone := range []string{
		"UTC", "Europe/Paris", "Asia/Kathmandu",
		"America/St_Johns",  // the clock went back a minute after midnight, so that a day came twice
		"Pacific/Apia",      // a day was left out
		"America/Sao_Paulo", // midnight was left out
	} {
		calendar, err := rollcall.Market{ID: "XX", Name: "any", Zone: zone}.Calendar()
		if err != nil {
			t.Fatal(err)
		}
		f := NewFold(testK, func(rollcall.MarketID) (*rollcall.Calendar, error) { return calendar, nil }, nil)
		l, err := f.group(&rollcall.Group{Market: "XX", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		random, known := rand.New(rand.NewPCG(5, 6)), 0
		for _, start := range []time.Time{
			time.Date(2002, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2011, 12, 20, 0, 0, 0, 0, time.UTC), time.Date(1991, 1, 1, 0, 0, 0, 0, time.UTC),
		} {
			for range 50_000 {
				at := start.UnixNano() + random.Int64N(60*24*60*minute)
				m := rollcall.UnixMinute(at / minute)
				want := calendar.Span(m)
				if n := l.slot(at).number(at); n != 0 {
					known++
					if got := f.days[-n].span; got != want {
						t.Fatalf("%s, %s: the slot gives %+v, not %+v", zone, m.Time(), got, want)
					}
				}
				if got := f.day(l, m).span; got != want {
					t.Fatalf("%s, %s: the day is %+v, not %+v", zone, m.Time(), got, want)
				}
			}
		}
		if known < 100_000 {
			t.Errorf("%s: of 150,000 instants the slots knew %d", zone, known)
		}
	}
}

// BenchmarkFoldMonth folds a month in no order, of six groups.
func BenchmarkFoldMonth(b *testing.B) {
	f, random, batch := NewFold(hll.DefaultK, testCalendar(b), nil), rand.NewPCG(1, 2), benchBatch(6)
	batch.Code, batch.Time, batch.Until, batch.Visitor = nil, nil, nil, nil
	first := time.Date(2002, 10, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	for range 1 << 16 {
		batch.AddRow(uint32(random.Uint64()%6), first+int64(random.Uint64()%(31*24*3600))*1e9, 0, random.Uint64())
	}
	for b.Loop() {
		if err := f.Add(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/row")
}

// TestExactSets: of a service that is counted exactly every cell has the set of
// its visitors, whatever is flushed when, and of another none. An account that
// raises no register is in it.
func TestExactSets(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	exactly := func(id rollcall.ServiceID) bool { return id == "msn" }
	f := NewFold(12, testCalendar(t), exactly)
	want, got := make(map[rollcall.Cell]map[uint64]bool), make(map[rollcall.Cell][]byte)
	for range 40 {
		var b rollcall.Batch
		for range 2000 {
			e := rollcall.Event{
				Group: rollcall.Group{
					Market: "FR", Service: []rollcall.ServiceID{"msn", "aim"}[r.IntN(2)], Location: rollcall.Home, Kind: rollcall.Use, Key: 1,
					Precision: rollcall.Precision(r.IntN(2)), Segment: []rollcall.SegmentID{"", "lyon"}[r.IntN(2)],
				},
				Time: time.Date(2002, 10, 3+r.IntN(2), 12, 0, 0, 0, time.UTC), Visitor: rollcall.Visitor(r.IntN(9000)),
			}
			b.Add(&e)
			cell := rollcall.Cell{Market: "FR", Day: rollcall.DayOf(e.Time.Date()), Service: e.Service, Location: e.Location, Kind: e.Kind, Segment: e.Segment, Key: e.Key}
			if want[cell] == nil {
				want[cell] = make(map[uint64]bool)
			}
			want[cell][uint64(e.Visitor)] = true
		}
		if err := f.Add(&b); err != nil {
			t.Fatal(err)
		}
		if r.IntN(3) > 0 {
			continue
		}
		for cell, state := range f.Deltas().Cells {
			if state.Exact != exactly(cell.Service) || !state.Exact && len(state.Accounts) > 0 {
				t.Fatalf("%v: exact %v with %d accounts", cell, state.Exact, len(state.Accounts))
			}
			got[cell] = idset.Merge(nil, got[cell], state.Accounts)
		}
		f.flushed(1 << 30)
		for cell, ids := range want {
			if cell.Service == "msn" && idset.Len(got[cell]) != len(ids) {
				t.Fatalf("%v has %d accounts, not %d", cell, idset.Len(got[cell]), len(ids))
			}
		}
	}
}

// TestCountedExactlyFromNowOn: what is folded once a service is counted exactly
// has its whole set, though there was no flush since; a day that has been folded
// before has not.
func TestCountedExactlyFromNowOn(t *testing.T) {
	exactly := false
	f := NewFold(12, testCalendar(t), func(rollcall.ServiceID) bool { return exactly })
	see := func(day int, account rollcall.Visitor) {
		var b rollcall.Batch
		b.Add(&rollcall.Event{
			Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
			Time:  time.Date(2002, 10, day, 12, 0, 0, 0, time.UTC), Visitor: account,
		})
		if err := f.Add(&b); err != nil {
			t.Fatal(err)
		}
	}
	see(3, 1)
	exactly = true
	see(3, 2)
	see(4, 3)
	for cell, state := range f.Deltas().Cells {
		_, _, day := cell.Day.Date()
		if got := slices.Collect(idset.All(state.Accounts)); state.Exact != (day == 4) || !slices.Equal(got, []uint64{uint64(day) - 1}) {
			t.Errorf("%s: exact %v, accounts %v", cell.Day, state.Exact, got)
		}
	}
	exactly = false
	see(4, 4)
	for cell, state := range f.Deltas().Cells {
		if state.Exact {
			t.Errorf("%s is still exact", cell.Day)
		}
	}
}

// TestAccountThatRaisesNothing: of very many accounts, one more raises no register
// as a rule; it is flushed all the same.
func TestAccountThatRaisesNothing(t *testing.T) {
	f := NewFold(12, testCalendar(t), func(rollcall.ServiceID) bool { return true })
	see := func(accounts ...uint64) {
		var b rollcall.Batch
		for _, id := range accounts {
			b.Add(&rollcall.Event{
				Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1, Precision: rollcall.ToDay},
				Time:  time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC), Visitor: rollcall.Visitor(id),
			})
		}
		if err := f.Add(&b); err != nil {
			t.Fatal(err)
		}
	}
	const many = 100_000
	first := make([]uint64, many)
	for i := range first {
		first[i] = uint64(i)
	}
	see(first...)
	for range f.Deltas().Cells {
	}
	f.flushed(1 << 30)
	quiet := 0
	for id := uint64(many); id < many+100; id++ {
		see(id)
		flushed := 0
		for _, state := range f.Deltas().Cells {
			flushed++
			if got := slices.Collect(idset.All(state.Accounts)); !slices.Equal(got, []uint64{id}) {
				t.Fatalf("the accounts flushed are %v, not %d", got, id)
			}
		}
		for _, c := range f.cells {
			if !c.visitors.sketch.Dirty() {
				quiet++
			}
		}
		if f.flushed(1 << 30); flushed != 1 {
			t.Errorf("account %d: %d cells are flushed", id, flushed)
		}
	}
	if quiet == 0 {
		t.Error("every account raised a register: nothing is tested")
	}
}

// BenchmarkFoldSmallCells folds rows in no order of 144 cells that have few
// visitors, of one minute each: their sketches stay sets.
func BenchmarkFoldSmallCells(b *testing.B) {
	f, random, batch := NewFold(hll.DefaultK, testCalendar(b), nil), rand.NewPCG(1, 2), benchBatch(6)
	batch.Code, batch.Time, batch.Until, batch.Visitor = nil, nil, nil, nil
	first := time.Date(2002, 10, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	for range 1 << 16 {
		batch.AddRow(uint32(random.Uint64()%6), first+int64(random.Uint64()%24)*24*3600e9, 0, random.Uint64()%400)
	}
	for b.Loop() {
		if err := f.Add(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/row")
}

// BenchmarkFoldManyCells folds rows in no order of 8,192 cells whose sketches are
// large: of each the next row is in other lines of memory.
func BenchmarkFoldManyCells(b *testing.B) {
	f, random, batch := NewFold(hll.DefaultK, testCalendar(b), nil), rand.NewPCG(1, 2), new(rollcall.Batch)
	for i := range 512 {
		batch.Groups = append(batch.Groups, rollcall.Group{
			Market: "FR", Service: "msn", Segment: rollcall.SegmentID("s" + strconv.Itoa(i)), Location: rollcall.Home, Kind: rollcall.Use, Key: 1,
		})
	}
	first := time.Date(2002, 10, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	for range 1 << 16 {
		batch.AddRow(uint32(random.Uint64()%512), first+int64(random.Uint64()%16)*24*3600e9, 0, 0)
	}
	fold := func() {
		for i := range batch.Visitor {
			batch.Visitor[i] = random.Uint64()
		}
		if err := f.Add(batch); err != nil {
			b.Fatal(err)
		}
	}
	for range 150 {
		fold()
	}
	for b.Loop() {
		fold()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Len()), "ns/row")
}
