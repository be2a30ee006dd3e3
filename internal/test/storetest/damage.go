package storetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rollcall"
)

// testCheck: a sound store has no damage, and says what was looked at.
func testCheck(t *testing.T, open func(*testing.T, int) Store) {
	rng := rand.New(rand.NewPCG(21, 22))
	s := open(t, k)
	if got, err := s.Check(t.Context(), true); err != nil || got.Cells+got.Diaries+got.Objects+len(got.Damaged)+len(got.Faults) != 0 {
		t.Errorf("an empty store: %+v, %v", got, err)
	}
	merge(t, s, Draw(rng, k, 50, 300))
	_, err := s.PutObject(t.Context(), []byte("an object"))
	must(t, err)
	before := Dump(t, s)
	got, err := s.Check(t.Context(), true)
	if err != nil || got.Cells == 0 || got.Diaries == 0 || got.Objects != 1 || len(got.Damaged)+len(got.Faults) != 0 {
		t.Errorf("a sound store: %+v, %v", got, err)
	}
	RequireSame(t, Dump(t, s), before)
	if aside, err := s.SetAside(t.Context()); err != nil || len(aside) != 0 {
		t.Errorf("set aside in a sound store: %v, %v", aside, err)
	}
}

// Damage tests what an engine does with facts that can't be decoded. spoil
// makes some cells and diaries of a service unreadable, and gives how many
// rows of each; 0 where the engine mends such by itself.
func Damage(t *testing.T, open func(t *testing.T, k int) Store, spoil func(t *testing.T, s Store, service rollcall.ServiceID) (cells, diaries int)) {
	rng := rand.New(rand.NewPCG(23, 24))
	facts := Draw(rng, k, 60, 400)
	for name, meet := range map[string]func(*testing.T, Store){
		"checked": func(t *testing.T, s Store) {
			if _, err := s.Check(t.Context(), true); err != nil {
				t.Error(err)
			}
		},
		"read":   readAll,
		"merged": func(t *testing.T, s Store) { merge(t, s, facts); readAll(t, s) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, k)
			merge(t, s, facts)
			want := Dump(t, s)
			cells, diaries := spoil(t, s, "msn")
			if cells+diaries == 0 {
				t.Fatal("nothing was spoilt")
			}
			found, err := s.Check(t.Context(), false)
			if err != nil || count(found.Damaged, "cells") != cells || count(found.Damaged, "diaries") != diaries {
				t.Errorf("checked: %+v, %v; want %d cells and %d diaries", found.Damaged, err, cells, diaries)
			}
			meet(t, s)
			aside, err := s.SetAside(t.Context())
			if err != nil || count(aside, "cells") != cells || count(aside, "diaries") != diaries {
				t.Errorf("set aside: %+v, %v; want %d cells and %d diaries", aside, err, cells, diaries)
			}
			for _, d := range aside {
				if d.Time.IsZero() || d.Market == "" || d.Month == "" || d.Reason == "" || !strings.HasPrefix(d.Row, string(d.Market)+" ") {
					t.Errorf("set aside: %+v", d)
				}
			}
			if found, err = s.Check(t.Context(), false); err != nil || len(found.Damaged) != 0 {
				t.Errorf("checked again: %+v, %v", found, err)
			}
			merge(t, s, facts) // as a replay does
			must(t, s.ForgetSetAside(t.Context()))
			RequireSame(t, Dump(t, s), want)
		})
	}
}

// readAll reads every fact: what is damaged is passed over.
func readAll(t *testing.T, s Store) {
	t.Helper()
	for _, market := range []rollcall.MarketID{"FR", "F.R", "DE"} {
		for _, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: market, From: day0 - 1000, To: day0 + 1000}) {
			must(t, err)
		}
		for _, panel := range []rollcall.PanelID{"nn", "n"} {
			for _, err := range s.Diaries(t.Context(), rollcall.DiaryQuery{Market: market, Panel: panel, From: day0 - 1000, To: day0 + 1000}) {
				must(t, err)
			}
		}
	}
}

func count(all []rollcall.Damage, table string) int {
	return len(slices.DeleteFunc(slices.Clone(all), func(d rollcall.Damage) bool { return d.Table != table }))
}
