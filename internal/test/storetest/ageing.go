package storetest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall"
)

// aged is facts of October and November 2002, of which October's leave.
type aged struct {
	all, young Facts
	before     rollcall.Month // November
	late       int64          // deltas of October
}

func drawAged(seed uint64) aged {
	all := Draw(rand.New(rand.NewPCG(13, seed)), k, 200, 2000)
	a := aged{all: all, young: Facts{K: k}, before: day0.Month() + 1}
	for _, c := range all.Cells {
		if c.Day.Month() >= a.before {
			a.young.Cells = append(a.young.Cells, c)
		}
	}
	for _, d := range all.Diaries {
		if d.Day.Month() >= a.before {
			a.young.Diaries = append(a.young.Diaries, d)
		}
	}
	a.late = int64(len(all.Cells) + len(all.Diaries) - len(a.young.Cells) - len(a.young.Diaries))
	return a
}

// document puts what people wrote for both months; an exclusion of October's
// only if it is to be there. It gives October's rosters, the replaced one too.
func (a aged) document(t *testing.T, s Store, exclusion bool) (october []rollcall.Hash) {
	t.Helper()
	for _, m := range []rollcall.Month{a.before - 1, a.before} {
		of := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: m}
		for _, body := range []string{"the first of ", "the last of "} {
			roster, err := s.PutObject(t.Context(), []byte(body+m.String()))
			must(t, err)
			must(t, s.PutPanelObjects(t.Context(), rollcall.PanelObjects{PanelMonth: of, Roster: roster}))
			if m < a.before {
				october = append(october, roster)
			}
		}
		publish(t, s, of, rollcall.Final)
		if exclusion || m >= a.before {
			must(t, s.AddExclusion(t.Context(), rollcall.Exclusion{PanelMonth: of, Panelist: 9, Reason: "a faulty meter", Time: noon}))
		}
	}
	return october
}

// age removes what is before November, and gives what that was.
func (a aged) age(t *testing.T, s Store, objects []rollcall.Hash, at time.Time) (rows int) {
	t.Helper()
	if err := s.AddAgeing(t.Context(), rollcall.Ageing{Before: a.before, Time: at}); err != nil {
		t.Error(err)
	}
	n, err := s.RemoveObjects(t.Context(), objects)
	if err != nil {
		t.Error(err)
	}
	m, err := s.RemoveFacts(t.Context(), a.before)
	if err != nil {
		t.Error(err)
	}
	return n + m
}

// testAgeing: a store that let October go is the same, to the byte, as one that
// never had it; a second time removes nothing, and October does not come back.
func testAgeing(t *testing.T, open func(*testing.T, int) Store) {
	a, s, never := drawAged(1), open(t, k), open(t, k)
	merge(t, s, a.all)
	october := a.document(t, s, true)
	rosters, err := s.Rosters(t.Context(), a.before)
	must(t, err)
	if want := slices.SortedFunc(slices.Values(october), compareHashes); !slices.Equal(rosters, want) {
		t.Errorf("October's rosters are %v, want %v", rosters, want)
	}
	if a.age(t, s, october, noon) == 0 {
		t.Error("nothing was removed")
	}
	merge(t, never, a.young)
	must(t, never.AddAgeing(t.Context(), rollcall.Ageing{Before: a.before, Time: noon}))
	must(t, second(never.RemoveObjects(t.Context(), a.document(t, never, false))))
	want := Dump(t, never)
	RequireSame(t, Dump(t, s), want)
	requireCells(t, s, rollcall.CellQuery{Market: "FR", From: day0 - 100, To: day0 + 100}, a.young.cellUnion(t))
	requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: day0 - 100, To: day0 + 100}, a.young.diaryUnion())

	if n := a.age(t, s, october, noon.Add(time.Hour)); n != 0 {
		t.Errorf("the second time %d rows were removed", n)
	}
	must(t, s.AddAgeing(t.Context(), rollcall.Ageing{Before: a.before - 5, Time: noon}))
	merge(t, s, a.all)
	RequireSame(t, Dump(t, s), want)
	if n := s.LeftOut(); n != a.late {
		t.Errorf("%d deltas were left out, want %d", n, a.late)
	}
	testAgeAgain(t, a, s)
}

// testAgeAgain lets November go too.
func testAgeAgain(t *testing.T, a aged, s Store) {
	next := rollcall.Ageing{Before: a.before + 1, Time: noon.Add(30 * 24 * time.Hour)}
	must(t, s.AddAgeing(t.Context(), next))
	must(t, second(s.RemoveFacts(t.Context(), next.Before)))
	merge(t, s, a.all)
	requireCells(t, s, rollcall.CellQuery{Market: "FR", From: day0 - 100, To: day0 + 100}, nil)
	requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: day0 - 100, To: day0 + 100}, nil)
	got, err := s.Ageings(t.Context())
	must(t, err)
	if want := []rollcall.Ageing{{Before: a.before, Time: noon}, next}; !slices.Equal(got, want) {
		t.Errorf("ageings are %v, want %v", got, want)
	}
	versions, err := s.Publications(t.Context(), "FR", "nn")
	must(t, err)
	if len(versions) != 2 {
		t.Errorf("%d versions are listed, want 2", len(versions))
	}
}

// testAgeingAtOnce: several processes may age out the same, while others merge.
func testAgeingAtOnce(t *testing.T, open func(*testing.T, int) Store) {
	a, s := drawAged(2), open(t, k)
	merge(t, s, a.all)
	october := a.document(t, s, true)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { a.age(t, s, october, noon) })
		wg.Go(func() {
			if err := s.Merge(t.Context(), a.young.Deltas()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, market := range []rollcall.MarketID{"FR", "F.R", "DE"} {
		requireCells(t, s, rollcall.CellQuery{Market: market, From: day0 - 100, To: day0 + 100}, a.young.cellUnion(t))
	}
	requireDiaries(t, s, rollcall.DiaryQuery{Market: "FR", Panel: "nn", From: day0 - 100, To: day0 + 100}, a.young.diaryUnion())
	got, err := s.Ageings(t.Context())
	must(t, err)
	if want := []rollcall.Ageing{{Before: a.before, Time: noon}}; !slices.Equal(got, want) {
		t.Errorf("ageings are %v, want %v", got, want)
	}
}

func compareHashes(a, b rollcall.Hash) int { return slices.Compare(a[:], b[:]) }

// second drops how much was removed.
func second(_ int, err error) error { return err }
