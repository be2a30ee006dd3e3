package aggregate

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rollcall"
)

// rowByRow folds a batch as [Fold.Add] does, but every row alone, and of every record
// anew what knows a cell.
func rowByRow(t *testing.T, f *Fold, b *rollcall.Batch) {
	t.Helper()
	stamps, row := b.Stamps, 0
	if len(stamps) == 0 {
		stamps = []rollcall.Stamp{{Time: math.MaxInt64}}
	}
	for i, s := range stamps {
		f.undone.past = f.undone.before(s.Time)
		f.dropGroups()
		if err := f.begin(b.Groups); err != nil {
			t.Fatal(err)
		}
		end := b.Len()
		if i+1 < len(stamps) {
			end = stamps[i+1].Row
		}
		for ; row < end; row++ {
			f.row(f.byCode[b.Code[row]], b, row)
		}
	}
}

// anyBatch draws rows of some groups on some days: of one minute or a day, some
// longer, in a panel, counted exactly, or of a kind that counts nothing.
func anyBatch(r *rand.Rand, rows, groups, days, visitors int) *rollcall.Batch {
	b := new(rollcall.Batch)
	for i := range groups {
		g := rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Presence, Key: 1}
		switch r.IntN(8) {
		case 0:
			g.Kind = rollcall.Kind(1 + r.IntN(5))
		case 1:
			g.Panel = "nn"
		case 2:
			g.Service = "exact"
		case 3, 4:
			g.Precision = rollcall.ToDay
		case 5:
			g.Market = "NP"
		}
		if r.IntN(2) == 0 {
			g.Segment = rollcall.SegmentID(fmt.Sprint("s", i))
		}
		b.Groups = append(b.Groups, g)
	}
	first := time.Date(2002, 10, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	for range rows {
		code, at, until := r.IntN(groups), first+r.Int64N(int64(days)*24*60)*minute+r.Int64N(minute), int64(0)
		if r.IntN(50) == 0 && b.Groups[code].Precision != rollcall.ToDay {
			until = at - minute + r.Int64N(300*minute)
		}
		b.AddRow(uint32(code), at, until, r.Uint64N(uint64(visitors))*0x9e3779b97f4a7c15)
	}
	return b
}

// shuffled is the batch in another order, with some of its rows twice.
func shuffled(r *rand.Rand, b *rollcall.Batch) *rollcall.Batch {
	o := &rollcall.Batch{Groups: b.Groups}
	for _, i := range r.Perm(b.Len()) {
		for range 1 + r.IntN(2) {
			o.AddRow(b.Code[i], b.Time[i], b.Until[i], b.Visitor[i])
		}
	}
	return o
}

// FuzzBlock holds blocks to rows that are folded one by one: the same cells, the
// same bytes, in any order, doubled or not, whatever is flushed in between. What
// the fold says that it holds is what its cells hold.
func FuzzBlock(f *testing.F) {
	f.Add(uint64(1), uint16(0), uint16(1), byte(1), uint16(1))
	f.Add(uint64(2), uint16(3000), uint16(3), byte(2), uint16(5000)) // large sketches
	f.Add(uint64(3), uint16(3000), uint16(8), byte(3), uint16(60))   // small ones
	f.Add(uint64(4), uint16(20000), uint16(40), byte(1), uint16(300))
	f.Add(uint64(5), uint16(30000), uint16(9000), byte(1), uint16(50)) // more buckets than there may be
	f.Add(uint64(6), uint16(20000), uint16(2), byte(70), uint16(65535))
	f.Add(uint64(7), uint16(4), uint16(1), byte(1), uint16(1)) // a row that no other of its day follows
	f.Fuzz(func(t *testing.T, seed uint64, rows, groups uint16, days byte, visitors uint16) {
		if groups == 0 || groups > 10_000 || days == 0 || days > 100 || visitors == 0 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 3))
		exactly := func(id rollcall.ServiceID) bool { return id == "exact" }
		calendar := testCalendar(t)
		one, two := NewFold(testK, calendar, exactly), NewFold(testK, calendar, exactly)
		for range 3 {
			for range 1 + r.IntN(2) {
				b := anyBatch(r, int(rows)/4, int(groups), int(days), int(visitors))
				rowByRow(t, one, b)
				if r.IntN(2) == 0 {
					b = shuffled(r, b)
				}
				if err := two.Add(b); err != nil {
					t.Fatal(err)
				}
			}
			requireSameFold(t, one, two)
			most := r.IntN(2) * math.MaxInt
			one.flushed(most)
			two.flushed(most)
		}
	})
}

func requireSameFold(t *testing.T, one, two *Fold) {
	t.Helper()
	requireHeld(t, two)
	want := make(map[rollcall.Cell]rollcall.CellState)
	for key, state := range one.Deltas().Cells {
		state.Visitors, state.Minutes, state.Accounts = bytes.Clone(state.Visitors), bytes.Clone(state.Minutes), bytes.Clone(state.Accounts)
		want[key] = state
	}
	n := 0
	for key, got := range two.Deltas().Cells {
		n++
		if w := want[key]; !bytes.Equal(got.Visitors, w.Visitors) || !bytes.Equal(got.Minutes, w.Minutes) ||
			!bytes.Equal(got.Accounts, w.Accounts) || got.Coarse != w.Coarse || got.Exact != w.Exact {
			t.Fatalf("cell %+v differs from that of rows folded one by one", key)
		}
	}
	if n != len(want) || len(one.diaries) != len(two.diaries) {
		t.Fatalf("%d cells and %d diaries, and row by row %d and %d", n, len(two.diaries), len(want), len(one.diaries))
	}
	for key, d := range one.diaries {
		if *two.diaries[key] != *d {
			t.Fatalf("diary %+v differs from that of rows folded one by one", key)
		}
	}
}

// requireHeld: what the fold says that it holds is what its cells hold.
func requireHeld(t *testing.T, f *Fold) {
	t.Helper()
	held := f.of + diaryBytes*len(f.diaries)
	for _, c := range f.cells {
		held += c.size()
	}
	if f.bytes != held {
		t.Fatalf("the fold says that it holds %d bytes, and holds %d", f.bytes, held)
	}
}

// TestRemovalOfWhatWaits: a removed cell no longer counts among what is held, whatever
// waited for its sketches.
func TestRemovalOfWhatWaits(t *testing.T) {
	f := NewFold(testK, testCalendar(t), nil)
	b := &rollcall.Batch{Groups: []rollcall.Group{{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Presence}}}
	noon := time.Date(2002, 10, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	for i := range uint64(100) {
		b.AddRow(0, noon, 0, i)
	}
	if err := f.Add(b); err != nil {
		t.Fatal(err)
	}
	requireHeld(t, f)
	day := rollcall.DayOf(2002, 10, 1)
	f.Learn(rollcall.Corrections{{Action: rollcall.Removal, Market: "FR", Service: "msn", From: day, To: day, Time: time.UnixMilli(1)}})
	if len(f.cells) > 0 {
		t.Fatal("the cell was not removed")
	}
	requireHeld(t, f)
}

// TestRecordsInABatch: a batch of several of the log's records is folded as its rows
// are, one by one, whatever was removed between them.
func TestRecordsInABatch(t *testing.T) {
	exactly := func(id rollcall.ServiceID) bool { return id == "exact" }
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 9))
		one, two := NewFold(testK, testCalendar(t), exactly), NewFold(testK, testCalendar(t), exactly)
		first := rollcall.DayOf(2002, 10, 1)
		var removals rollcall.Corrections
		for range r.IntN(4) {
			from := first + rollcall.Day(r.IntN(3))
			removals = append(removals, rollcall.Correction{
				Action: rollcall.Removal, Market: "FR", Service: []rollcall.ServiceID{"msn", "exact"}[r.IntN(2)],
				From: from, To: from + rollcall.Day(r.IntN(2)), Time: time.UnixMilli(int64(r.IntN(100))),
			})
		}
		slices.SortFunc(removals, func(a, b rollcall.Correction) int { return a.Time.Compare(b.Time) })
		one.Learn(removals)
		two.Learn(removals)
		for range 2 {
			b, records := anyBatch(r, 3000, 1+r.IntN(4), 3, 900), 1+r.IntN(5)
			for i := range records {
				b.Stamps = append(b.Stamps, rollcall.Stamp{Row: i * b.Len() / records, Time: int64(r.IntN(100))})
			}
			rowByRow(t, one, b)
			if err := two.Add(b); err != nil {
				t.Fatal(err)
			}
			requireSameFold(t, one, two)
			one.flushed(math.MaxInt)
			two.flushed(math.MaxInt)
		}
	}
}
