package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
)

// monthOf gives deltas of one month: n panelists' days and as many cells, whose
// sketches have the visitors of so many flushes.
func monthOf(m rollcall.Month, n, flush int) rollcall.Deltas {
	return rollcall.Deltas{
		Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
			for i := range n {
				state := sketchOf(m, i, flush+1)
				c := rollcall.Cell{
					Market: "FR", Day: m.First() + rollcall.Day(i%28), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: rollcall.KeyID(i / 28),
				}
				if !yield(c, rollcall.CellState{Visitors: state, Minutes: state}) {
					return
				}
			}
		},
		Diaries: func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
			var minutes rollcall.Minutes
			minutes.AddRange(10*flush, 10*flush+5)
			for i := range n {
				d := rollcall.Diary{
					Market: "FR", Panel: "nn", Day: m.First() + rollcall.Day(flush), Panelist: panelist(m, i), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use,
				}
				if !yield(d, &minutes) {
					return
				}
			}
		},
	}
}

// panelist spreads a month's pseudonyms over all numbers, as a hash does.
func panelist(m rollcall.Month, i int) rollcall.Visitor {
	return rollcall.Visitor(uint64(int(m)<<32+i) * 0x9e3779b97f4a7c15)
}

// sketchOf gives the state of a cell that many visitors, of the same few in
// each flush, were added to.
func sketchOf(m rollcall.Month, cell, visitors int) []byte {
	s := hll.New(12)
	for v := range 7 * visitors {
		s.Add(uint64(panelist(m, cell*100+v)))
	}
	return s.Append(nil)
}

// traces gives what must not be found of a month: texts and hashes that stand
// for its persons.
func traces(m rollcall.Month, n int) (all [][]byte) {
	for i := range n {
		all = append(all, []byte(panelist(m, i).String()))
		for flushes := 1; flushes <= flushesOfMonth; flushes++ {
			state := sketchOf(m, i, flushes)
			all = append(all, state[len(state)-8:]) // of the hashes, the last
		}
	}
	return all
}

const flushesOfMonth = 4

// found counts the traces that a store's files hold.
func found(t *testing.T, path string, traces [][]byte) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Dir(path) + "/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, trace := range traces {
			if bytes.Contains(text, trace) {
				n++
			}
		}
	}
	return n
}

// TestAgedFactsAreNotInTheFile: no pseudonym of a month that has aged out, and
// no hash of one, is in any of the store's files, and the file is smaller.
func TestAgedFactsAreNotInTheFile(t *testing.T) {
	const people = 400
	path := newPath(t)
	s := openStore(t, path, 12)
	october := rollcall.MonthOf(2002, time.October)
	var rosters []rollcall.Hash
	for flush := range flushesOfMonth {
		for _, m := range []rollcall.Month{october, october + 1} {
			mergeDeltas(t, s, monthOf(m, people, flush))
		}
		var roster bytes.Buffer
		for i := range people - flush {
			fmt.Fprintln(&roster, panelist(october, i))
		}
		h, err := s.PutObject(t.Context(), roster.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		rosters = append(rosters, h)
	}
	exclude(t, s, october)
	if _, err := s.Erase(t.Context(), "nn", panelist(october, 7)); err != nil {
		t.Fatal(err)
	}
	old, young := traces(october, people), traces(october+1, people)
	if n, m := found(t, path, old), found(t, path, young); n < len(old) || m < people {
		t.Fatalf("before: %d of %d traces of October and %d of November's: nothing is tested", n, len(old), m)
	}
	before := size(t, path)
	if err := s.AddAgeing(t.Context(), rollcall.Ageing{Before: october + 1, Time: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.RemoveObjects(t.Context(), rosters); n != len(rosters) || err != nil {
		t.Fatalf("%d objects removed: %v", n, err)
	}
	if n, err := s.RemoveFacts(t.Context(), october+1); n == 0 || err != nil {
		t.Fatalf("%d rows removed: %v", n, err)
	}
	if n := found(t, path, old); n != 0 {
		t.Errorf("%d traces of October are left of %d", n, len(old))
	}
	if n := found(t, path, young); n < people {
		t.Errorf("%d traces of November are left", n)
	}
	if after := size(t, path); after > before*2/3 {
		t.Errorf("the file has %d bytes after %d", after, before)
	}
}

func exclude(t *testing.T, s *sqlite.Store, m rollcall.Month) {
	t.Helper()
	err := s.AddExclusion(t.Context(), rollcall.Exclusion{
		PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: m}, Panelist: panelist(m, 3), Reason: "a faulty meter", Time: time.Unix(0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestAgeingIsResumed: a removal that ends early, or while a reader holds the
// log, is completed by the next.
func TestAgeingIsResumed(t *testing.T) {
	const people = 100
	path := newPath(t)
	s := openStore(t, path, 12)
	october := rollcall.MonthOf(2002, time.October)
	for flush := range flushesOfMonth {
		mergeDeltas(t, s, monthOf(october, people, flush))
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := s.RemoveFacts(ended, october+1); err == nil {
		t.Error("a removal whose context has ended goes on")
	}
	for range s.Diaries(t.Context(), rollcall.DiaryQuery{Market: "FR", Panel: "nn", To: (october + 1).Last()}) {
		if _, err := s.RemoveFacts(t.Context(), october+1); err != nil {
			t.Fatal(err)
		}
		break
	}
	if n, err := s.RemoveFacts(t.Context(), october+1); n != 0 || err != nil {
		t.Errorf("a second removal: %d, %v", n, err)
	}
	if n := found(t, path, traces(october, people)); n != 0 {
		t.Errorf("%d traces of October are left", n)
	}
}
