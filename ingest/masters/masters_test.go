package masters_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/ingest"
	"rollcall/ingest/masters"
	"rollcall/internal/sqlite"
)

// site is one store, and key files beside it.
type site struct {
	*testing.T
	store     *sqlite.Store
	catalogue *rollcall.Catalogue
	dir       string
	now       time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	catalogue, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Zone: "Europe/Paris"}, {ID: "NZ", Zone: "Pacific/Auckland"}}, []rollcall.Service{{ID: "msn", Name: "MSN"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range catalogue.Markets {
		if err := store.PutMarket(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return &site{T: t, store: store, catalogue: catalogue, dir: dir, now: time.Date(2026, time.November, 29, 18, 0, 0, 0, time.UTC)}
}

// process is a process with a key file of this name.
func (s *site) process(file string, log *bytes.Buffer) *masters.Masters {
	s.Helper()
	keys, err := ingest.NewKeys()
	if err != nil {
		s.Fatal(err)
	}
	path := filepath.Join(s.dir, file)
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	return &masters.Masters{
		Place: masters.Place{Path: path, Name: file}, Keys: keys, List: s.store.Masters, Store: s.store,
		Catalogue: func() *rollcall.Catalogue { return s.catalogue }, Makes: true,
		Now: func() time.Time { return s.now }, Log: logger,
	}
}

// started is a process that has started.
func (s *site) started(file string) *masters.Masters {
	s.Helper()
	m := s.process(file, nil)
	if err := m.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	return m
}

func (s *site) write(file, text string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o640); err != nil {
		s.Fatal(err)
	}
}

func (s *site) read(file string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// count gives the store a cell of msn in France on a day, under these keys.
func (s *site) count(keys *ingest.Keys, day rollcall.Day) {
	s.Helper()
	visitor, key, err := keys.Account(rollcall.Service{ID: "msn"}, day, "a@example.org")
	if err != nil {
		s.Fatal(err)
	}
	sketch := hll.New(s.store.K())
	sketch.Add(uint64(visitor))
	state := sketch.Append(nil)
	cells := map[rollcall.Cell]rollcall.CellState{
		{Market: "FR", Day: day, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: key}: {Visitors: state, Minutes: state},
	}
	none := func(func(rollcall.Diary, *rollcall.Minutes) bool) {}
	if err := s.store.Merge(s.Context(), rollcall.Deltas{Cells: maps.All(cells), Diaries: none}); err != nil {
		s.Fatal(err)
	}
}

var newYear = rollcall.DayOf(2027, time.January, 1)

// TestRotate: the file has both keys then, with its owner's mode, and the store
// knows them; the process makes pseudonyms under each on its days.
func TestRotate(t *testing.T) {
	s := newSite(t)
	s.write("k", one+"\n")
	m := s.started("k")
	before, _, err := m.Keys.Account(rollcall.Service{ID: "msn"}, newYear-1, "a")
	if err != nil {
		t.Fatal(err)
	}
	done, err := m.Rotate(t.Context(), newYear-9, false)
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := m.Keys.Account(rollcall.Service{ID: "msn"}, newYear-1, "a")
	if err != nil || after == before {
		t.Errorf("the new master changes nothing: %v", err)
	}
	if text := s.read("k"); !strings.HasPrefix(text, one+"\n") || !strings.HasSuffix(text, " from 2026-12-23\n") || strings.Count(text, "\n") != 2 {
		t.Errorf("the file is %q", text)
	}
	info, err := os.Stat(filepath.Join(s.dir, "k"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	known, err := s.store.Masters(t.Context())
	if err != nil || len(known) != 2 || known[1].ID.String() != done.ID || known[1].From != newYear-9 {
		t.Errorf("the store knows %v, %v", known, err)
	}
	again := s.started("k")
	if same, _, err := again.Keys.Account(rollcall.Service{ID: "msn"}, newYear-1, "a"); err != nil || same != after {
		t.Errorf("after a start it is another: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, "*.new")); err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRotateRefuses: days that can't be meant, by the latest of the markets.
func TestRotateRefuses(t *testing.T) {
	s := newSite(t)
	s.write("k", one)
	m := s.started("k")
	s.count(m.Keys, newYear+4)
	today := rollcall.DayOf(2026, time.November, 29) // and the 30th already in Auckland
	for _, tt := range []struct {
		from rollcall.Day
		lost bool
		want string
	}{
		{today, false, "is not a day to come: today is 2026-11-30 in NZ"},
		{today + 1, false, "is not a day to come"},
		{today + 500, false, "is more than 400 days ahead"},
		{newYear, false, "market FR has facts of 2027-01-05"},
		{newYear + 4, false, "market FR has facts of 2027-01-05"},
		{newYear + 5, true, "no master key is lost"},
	} {
		_, err := m.Rotate(t.Context(), tt.from, tt.lost)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.from, err, tt.want)
		}
	}
	if text := s.read("k"); text != one {
		t.Errorf("the file has changed: %q", text)
	}
	if _, err := m.Rotate(t.Context(), newYear+5, false); err != nil {
		t.Error(err)
	}
	if _, err := m.Rotate(t.Context(), newYear+5, false); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "from 2027-01-06 on already") {
		t.Errorf("the same day again: %v", err)
	}
	m.Place = masters.Place{Text: one, Name: "$KEY"}
	if _, err := m.Rotate(t.Context(), newYear+9, false); err == nil || !strings.Contains(err.Error(), "$KEY, which no process can change") {
		t.Errorf("a key of the environment: %v", err)
	}
}

// TestRotateAtOnce: of rotations to one day at once one is done.
func TestRotateAtOnce(t *testing.T) {
	s := newSite(t)
	s.write("k", one)
	all := make([]*masters.Masters, 6)
	for i := range all {
		all[i] = s.started("k")
	}
	errs := make([]error, len(all))
	var run sync.WaitGroup
	for i, m := range all {
		run.Go(func() { _, errs[i] = m.Rotate(context.Background(), newYear, false) })
	}
	run.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, rollcall.ErrConflict) {
			t.Error(err)
		}
	}
	known, err := s.store.Masters(t.Context())
	if text := s.read("k"); done != 1 || err != nil || len(known) != 2 || strings.Count(text, "\n") != 2 {
		t.Errorf("%d of %d rotations to one day are done: %v; the store knows %v, %v; the file is %q", done, len(all), errs, known, err, text)
	}
}

// TestRotateElsewhere: who rotates to a day to which another has rotated, in a
// file of its own and just before, is told so, and keeps no key that nobody else
// has.
func TestRotateElsewhere(t *testing.T) {
	s := newSite(t)
	s.write("k", one)
	s.write("elsewhere", one)
	first, second := s.started("k"), s.started("elsewhere")
	before, err := s.store.Masters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Rotate(t.Context(), newYear, false); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Rotate(t.Context(), newYear, false); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "for the days from 2027-01-01 on") {
		t.Errorf("a rotation that is known: %v", err)
	}
	s.now = s.now.Add(time.Second)
	asked := 0
	second.List = func(ctx context.Context) ([]rollcall.Master, error) {
		if asked++; asked == 1 {
			return before, nil
		}
		return s.store.Masters(ctx)
	}
	if _, err := second.Rotate(t.Context(), newYear, false); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "was first; put that one's line into elsewhere") {
		t.Errorf("a rotation that was not known yet: %v", err)
	}
	if text := s.read("elsewhere"); text != one+"\n" {
		t.Errorf("the file is %q", text)
	}
	known, err := s.store.Masters(t.Context())
	own := must((&first.Place).Read())
	if all := rollcall.InForce(known); err != nil || len(all) != 2 || all[1].ID != own[1].ID() {
		t.Errorf("in force: %v, %v", all, err)
	}
}

// TestRotationBrokeOff: a key that is in the file, and of which the store was not
// told, is recorded at the next start, or by the same command; one whose day has
// begun meanwhile is refused.
func TestRotationBrokeOff(t *testing.T) {
	for _, how := range []string{"start", "rotate", "late"} {
		s := newSite(t)
		s.write("k", one)
		m := s.started("k")
		s.write("k", one+"\n"+two+" from 2027-01-01\n")
		switch how {
		case "start":
			s.started("k")
		case "rotate":
			if _, err := m.Rotate(t.Context(), newYear, false); err != nil {
				t.Error(err)
			}
		case "late":
			s.now = s.now.AddDate(0, 2, 0)
			if err := s.process("k", nil).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "is none that the store knows, and can't begin on 2027-01-01") {
				t.Errorf("after its day: %v", err)
			}
			continue
		}
		known, err := s.store.Masters(t.Context())
		if err != nil || len(known) != 2 || known[1].From != newYear {
			t.Errorf("%s: the store knows %v, %v", how, known, err)
		}
		if text := s.read("k"); strings.Count(text, "\n") != 2 || !strings.Contains(text, "from 2027-01-01") {
			t.Errorf("%s: the file is %q", how, text)
		}
	}
}

// TestMissing: a process whose file lacks a key that the store knows says so,
// goes on until its day, starts no more from then on, and takes it from its file
// as soon as it is there.
func TestMissing(t *testing.T) {
	s := newSite(t)
	s.write("k", one)
	s.write("elsewhere", one)
	first := s.started("k")
	if _, err := first.Rotate(t.Context(), newYear, false); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m := s.process("elsewhere", &log)
	if err := m.Start(t.Context()); err != nil || !strings.Contains(log.String(), "elsewhere lacks master keys that the store knows") {
		t.Fatalf("before its day: %v, log %s", err, &log)
	}
	if m.Lacks() != nil || len(m.Degraded()) != 1 {
		t.Errorf("lacks %v, degraded %v", m.Lacks(), m.Degraded())
	}
	if _, _, err := m.Keys.Account(rollcall.Service{ID: "msn"}, newYear, "a"); !errors.Is(err, ingest.ErrKeyMissing) {
		t.Errorf("an account of its day: %v", err)
	}
	s.now = time.Date(2026, time.December, 31, 12, 0, 0, 0, time.UTC) // New Year in Auckland
	if m.Lacks() == nil {
		t.Error("on its day nothing is lacking")
	}
	if err := s.process("elsewhere", nil).Start(t.Context()); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "from 2027-01-01 on") {
		t.Errorf("a start on its day: %v", err)
	}
	s.write("elsewhere", s.read("k"))
	want, _, err := first.Keys.Account(rollcall.Service{ID: "msn"}, newYear, "a")
	if err != nil {
		t.Fatal(err)
	}
	follow(t, m, func() bool {
		got, _, err := m.Keys.Account(rollcall.Service{ID: "msn"}, newYear, "a")
		return err == nil && got == want
	})
	if m.Lacks() != nil || m.Degraded() != nil {
		t.Errorf("lacks %v, degraded %v", m.Lacks(), m.Degraded())
	}
	s.write("elsewhere", "cut") // what was read once stays
	if got, _, err := m.Keys.Account(rollcall.Service{ID: "msn"}, newYear, "a"); err != nil || got != want {
		t.Errorf("after the file was cut: %v", err)
	}
}

// follow has a process follow until ready says so.
func follow(t *testing.T, m *masters.Masters, ready func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	done := make(chan struct{})
	go func() { m.Follow(ctx); close(done) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			t.Fatal("not within a minute")
		case <-tick.C:
		}
	}
	stop()
	<-done
}

// TestProve: a store that was filled before it knew masters is opened by the
// master of its facts alone, and knows it then.
func TestProve(t *testing.T) {
	s := newSite(t)
	own, err := ingest.NewKeys(must(masters.Parse(one, "one"))...)
	if err != nil {
		t.Fatal(err)
	}
	s.count(own, newYear+1)
	s.write("k", two)
	if err := s.process("k", nil).Start(t.Context()); !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "the census of msn on 2027-01-02 has another key") {
		t.Errorf("another master: %v", err)
	}
	if known, err := s.store.Masters(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("the store knows %v, %v", known, err)
	}
	if err := s.process("none", nil).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "none is missing, and the store has pseudonyms") {
		t.Errorf("no master: %v", err)
	}
	s.write("k", one)
	s.started("k")
	if known, err := s.store.Masters(t.Context()); err != nil || len(known) != 1 {
		t.Errorf("the store knows %v, %v", known, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
