package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/coherence"
	"rollcall/aggregate/publish"
	"rollcall/internal/sqlite"
)

// site publishes and reports over a real store, with a clock that a test moves.
type site struct {
	*publish.Publisher
	*Reporter
	store *sqlite.Store
	t     testing.TB
	now   time.Time
}

var october = rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)}

// services of the tests: two of one brand, three of one owner.
func catalogue(t testing.TB) *rollcall.Catalogue {
	c, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{
			{ID: "msn", Name: "MSN Messenger", Brand: "MSN", Owner: "Microsoft"},
			{ID: "aim", Name: "AIM", Brand: "AIM", Owner: "AOL"},
			{ID: "icq", Name: "ICQ", Brand: "ICQ", Owner: "AOL"},
			{ID: "yahoo", Name: "Yahoo! Messenger", Brand: "Yahoo!", Owner: "Yahoo!"},
			{ID: "jabber", Name: "Jabber", Brand: "Jabber", Owner: "Jabber"},
			{ID: "online", Name: "Any internet use"},
		})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newSite(t testing.TB) *site {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return newSiteOver(t, store, catalogue(t))
}

func newSiteOver(t testing.TB, store *sqlite.Store, c *rollcall.Catalogue) *site {
	h := &site{store: store, t: t, now: time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC)}
	h.Publisher = &publish.Publisher{
		Versions: &publish.Versions{Store: store}, Pseudonyms: testPseudonyms, Check: coherence.Check, Catalogue: func() *rollcall.Catalogue { return c },
		Now: func() time.Time { return h.now },
	}
	h.Reporter = &Reporter{Months: h.Publisher, Software: "test"}
	return h
}

const testKey = rollcall.KeyID(0xfeed)

// visitor is the tests' pseudonym: the clear id's number, whatever it is of.
func visitor(id string) rollcall.Visitor {
	n, err := strconv.ParseUint(strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz HPS0"), 10, 64)
	if err != nil {
		panic(err)
	}
	return rollcall.Visitor(n)
}

func (h *site) load(of rollcall.PanelMonth, roster, universe string) rollcall.Loaded {
	h.t.Helper()
	out, err := h.LoadPanel(context.Background(), of, input(roster, universe))
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func testPseudonyms(_ rollcall.PanelID, id string) []rollcall.Pseudonym {
	return []rollcall.Pseudonym{{Visitor: visitor(id), Key: testKey}}
}

func input(roster, universe string) rollcall.PanelFiles {
	return rollcall.PanelFiles{
		Roster: strings.NewReader(roster), RosterName: "panelists.csv",
		Universe: strings.NewReader(universe), UniverseName: "universe.csv",
	}
}

// facts are diaries on their way to the store.
type facts map[rollcall.Diary]*rollcall.Minutes

// stretch is the minutes [from, to) of a day of the month, counted from 1.
type stretch struct{ day, from, to int }

// add credits a stretch of October to the n-th panelist.
func (f facts) add(n int, service rollcall.ServiceID, place rollcall.Location, kind rollcall.Kind, at stretch) {
	f.addTo(october, n, service, place, kind, at)
}

// addTo credits a stretch of a month.
func (f facts) addTo(of rollcall.PanelMonth, n int, service rollcall.ServiceID, place rollcall.Location, kind rollcall.Kind, at stretch) {
	d := rollcall.Diary{
		Market: of.Market, Panel: of.Panel, Day: of.Month.First() + rollcall.Day(at.day-1), Panelist: rollcall.Visitor(n),
		Service: service, Location: place, Kind: kind, Key: testKey,
	}
	if f[d] == nil {
		f[d] = new(rollcall.Minutes)
	}
	f[d].AddRange(at.from, at.to)
}

func (h *site) merge(f facts) {
	h.t.Helper()
	none := func(func(rollcall.Cell, rollcall.CellState) bool) {}
	if err := h.store.Merge(context.Background(), rollcall.Deltas{Cells: none, Diaries: maps.All(f)}); err != nil {
		h.t.Fatal(err)
	}
}

// closing plans a close with these settings.
func closing(of rollcall.PanelMonth, s audience.Settings) rollcall.ClosePlan {
	return rollcall.ClosePlan{Of: of, Low: &s.Low, Caution: &s.Caution, Confidence: &s.Confidence, Trim: &s.Trim}
}

func (h *site) close(plan rollcall.ClosePlan) rollcall.Publication {
	h.t.Helper()
	p, err := h.Close(context.Background(), plan)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *site) report(r rollcall.Query) *rollcall.Table {
	h.t.Helper()
	if r.Of == (rollcall.PanelMonth{}) {
		r.Of = october
	}
	t, err := h.Report(context.Background(), r)
	if err != nil {
		h.t.Fatalf("%+v: %v", r, err)
	}
	return t
}

// all are settings that withhold nothing.
func all() audience.Settings {
	s := audience.DefaultSettings()
	s.Low, s.Caution = 0, 0
	return s
}

// find gives the row whose first columns are these.
func find(t testing.TB, table *rollcall.Table, key ...any) map[string]any {
	t.Helper()
	i := slices.IndexFunc(table.Rows, func(row rollcall.Row) bool {
		return fmt.Sprint(row[:len(key)]) == fmt.Sprint(rollcall.Row(key))
	})
	if i < 0 {
		t.Fatalf("%s has no row %v: %v", table.Meta.Report, key, keys(table))
	}
	out := map[string]any{}
	for k, c := range table.Columns {
		out[c.Name] = table.Rows[i][k]
	}
	return out
}

func keys(table *rollcall.Table) []string {
	var out []string
	for _, row := range table.Rows {
		var key []string
		for i, c := range table.Columns {
			if c.Role == dimension && i < 2 {
				key = append(key, fmt.Sprint(row[i]))
			}
		}
		out = append(out, strings.Join(key, " "))
	}
	return out
}

func body(t testing.TB, table *rollcall.Table) []byte {
	t.Helper()
	b, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameBytes(t testing.TB, what string, a, b []byte) {
	t.Helper()
	if !bytes.Equal(a, b) {
		t.Errorf("%s: the bytes differ:\n%s\n%s", what, a, b)
	}
}

// public is a store whose versions are all for readers, so that tests can read
// and compare months that withhold nothing.
type public struct{ *sqlite.Store }

// AddPublication publishes for readers.
func (p public) AddPublication(ctx context.Context, of rollcall.Publication) error {
	of.Internal = false
	return p.Store.AddPublication(ctx, of)
}

// exclude records a rule; a panelist is given by the number of the clear id.
func (h *site) exclude(ctx context.Context, e rollcall.Exclusion) error {
	name := ""
	if e.Panelist != 0 {
		name, e.Panelist = fmt.Sprint("P", uint64(e.Panelist)), 0
	}
	return h.Exclude(ctx, e, name)
}

// erased erases a panelist, and counts the months whose roster that changed.
func (h *site) erased(ctx context.Context, months []rollcall.PanelMonth, panelist string) (changed int, err error) {
	before := map[rollcall.PanelMonth]rollcall.Hash{}
	for _, of := range months {
		if files, err := h.store.PanelObjects(ctx, of); err == nil {
			before[of] = files.Roster
		}
	}
	if _, err := h.Erase(ctx, months[0].Panel, panelist); err != nil {
		return 0, err
	}
	for of, roster := range before {
		files, err := h.store.PanelObjects(ctx, of)
		if err != nil {
			return changed, err
		}
		if files.Roster != roster {
			changed++
		}
	}
	return changed, nil
}
