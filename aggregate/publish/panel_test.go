package publish_test

import (
	"context"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/publish"
	"rollcall/internal/sqlite"
)

var october = rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)}

// small is a panel of six, half men, half women, all metered at home.
const (
	smallRoster   = "panelist,home,work,sex\nP1,1,1,M\nP2,1,1,M\nP3,1,0,M\nP4,1,1,F\nP5,1,1,F\nP6,1,1,F\n"
	smallUniverse = "margin,category,population,source,source_date\nsex,M,300,study,2002-06-30\nsex,F,600,study,2002-06-30\n"
)

// panelTest publishes over a real store, with a clock that a test moves.
type panelTest struct {
	*publish.Publisher
	store *sqlite.Store
	t     testing.TB
	now   time.Time
}

func newPanel(t testing.TB) *panelTest {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return panelOver(t, store)
}

func panelOver(t testing.TB, store *sqlite.Store) *panelTest {
	t.Helper()
	c, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}, {ID: "icq", Name: "ICQ"}, {ID: "online", Name: "Any internet use"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &panelTest{store: store, t: t, now: time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC)}
	h.Publisher = &publish.Publisher{
		Versions: &publish.Versions{Store: store}, Check: func(*audience.Month) error { return nil }, Pseudonyms: pseudonyms,
		Catalogue: func() *rollcall.Catalogue { return c }, Now: func() time.Time { return h.now },
	}
	return h
}

const testKey = rollcall.KeyID(0xfeed)

// pseudonyms are the clear id's number.
func pseudonyms(_ rollcall.PanelID, id string) []rollcall.Pseudonym {
	n, err := strconv.ParseUint(strings.TrimLeft(id, "P0"), 10, 64)
	if err != nil {
		panic(err)
	}
	return []rollcall.Pseudonym{{Visitor: rollcall.Visitor(n), Key: testKey}}
}

// filled is the small panel with some use.
func (h *panelTest) filled() *panelTest {
	h.t.Helper()
	h.load(october, smallRoster, smallUniverse)
	f := facts{}
	f.add(1, "msn", rollcall.Home, rollcall.Use, 1)
	f.add(4, "icq", rollcall.Work, rollcall.Presence, 2)
	h.merge(f)
	return h
}

func (h *panelTest) load(of rollcall.PanelMonth, roster, universe string) rollcall.Loaded {
	h.t.Helper()
	out, err := h.LoadPanel(context.Background(), of, input(roster, universe))
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func input(roster, universe string) rollcall.PanelFiles {
	return rollcall.PanelFiles{
		Roster: strings.NewReader(roster), RosterName: "panelists.csv",
		Universe: strings.NewReader(universe), UniverseName: "universe.csv",
	}
}

// facts are diaries on their way to the store.
type facts map[rollcall.Diary]*rollcall.Minutes

// add credits half an hour of a day of October to the n-th panelist.
func (f facts) add(n int, service rollcall.ServiceID, place rollcall.Location, kind rollcall.Kind, day int) {
	d := rollcall.Diary{
		Market: october.Market, Panel: october.Panel, Day: october.Month.First() + rollcall.Day(day-1), Panelist: rollcall.Visitor(n),
		Service: service, Location: place, Kind: kind, Key: testKey,
	}
	if f[d] == nil {
		f[d] = new(rollcall.Minutes)
	}
	f[d].AddRange(600, 630)
}

func (h *panelTest) merge(f facts) {
	h.t.Helper()
	none := func(func(rollcall.Cell, rollcall.CellState) bool) {}
	if err := h.store.Merge(context.Background(), rollcall.Deltas{Cells: none, Diaries: maps.All(f)}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *panelTest) close(plan rollcall.ClosePlan) rollcall.Publication {
	h.t.Helper()
	p, err := h.Close(context.Background(), plan)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// closing is the plan that closes with some settings.
func closing(of rollcall.PanelMonth, s audience.Settings) rollcall.ClosePlan {
	return rollcall.ClosePlan{Of: of, Low: &s.Low, Caution: &s.Caution, Confidence: &s.Confidence, Trim: &s.Trim}
}

// all are settings that withhold nothing.
func all() audience.Settings {
	s := audience.DefaultSettings()
	s.Low, s.Caution = 0, 0
	return s
}
