package sqlite_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/storetest"
)

func TestOpenAgain(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path, 13)
	mergeDeltas(t, s, storetest.Draw(rand.New(rand.NewPCG(1, 1)), 13, 20, 200).Deltas())
	want, id := storetest.Dump(t, s), s.ID()
	for _, k := range []int{0, 13} {
		again := openStore(t, path, k)
		if again.ID() != id || again.K() != 13 {
			t.Errorf("opened for K %d: id %s, want %s; K %d, want 13", k, again.ID(), id, again.K())
		}
		storetest.RequireSame(t, storetest.Dump(t, again), want)
	}
}

func TestOpenAnotherPrecision(t *testing.T) {
	path := newPath(t)
	openStore(t, path, 12)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{K: 14})
	if !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "12") || !strings.Contains(err.Error(), "14") {
		t.Errorf("a store of K 12 opened for 14: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), newPath(t), sqlite.Options{K: 19}); err == nil {
		t.Error("a store of K 19 is made")
	}
}

// TestOpenRefuses: a file that is no store, or one of a newer Rollcall, is
// refused and left as it is.
func TestOpenRefuses(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"a text": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("text ", 999)), 0o600) },
		"another program's": func(path string) error {
			return script(path, `CREATE TABLE t (x)`)
		},
		"another application's": func(path string) error { return script(path, `PRAGMA application_id = 7`) },
		"a newer Rollcall's": func(path string) error {
			openStore(t, path, 12)
			return script(path, `INSERT INTO migrations VALUES (98, 'later'), (99, 'later still')`)
		},
	} {
		path := newPath(t)
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if !errors.Is(err, rollcall.ErrConflict) {
			t.Errorf("%s: store %v, error %v", name, s, err)
		}
	}
}

// TestUpgrade opens a store of before ageings: the rosters of its months are
// known from then on.
func TestUpgrade(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path, 12)
	f := rollcall.PanelObjects{PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}, Roster: rollcall.HashOf([]byte("a roster"))}
	if err := s.PutPanelObjects(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := script(path, `DROP TABLE quarantine; DROP TABLE ageings; DROP TABLE rosters; DROP TABLE masters; DROP TABLE withdrawals; DROP TABLE limits; DROP TABLE deliveries; DROP TABLE audit; ALTER TABLE cells DROP COLUMN since;
		ALTER TABLE markets DROP COLUMN simulated; `+withoutServices+` DELETE FROM migrations WHERE number >= 2`); err != nil {
		t.Fatal(err)
	}
	got, err := openStore(t, path, 12).Rosters(t.Context(), f.Month+1)
	if err != nil || !slices.Equal(got, []rollcall.Hash{f.Roster}) {
		t.Errorf("rosters are %v, %v", got, err)
	}
}

// TestUpgradeSegments opens a filled store of before the catalogue of segments:
// those that its cells have are known from then on.
func TestUpgradeSegments(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path, 12)
	facts := storetest.Draw(rand.New(rand.NewPCG(10, 11)), 12, 100, 0)
	before := dumped(t, s, facts)
	want, err := s.Segments(t.Context(), "FR")
	if err != nil || len(want) == 0 {
		t.Fatalf("segments are %v, %v", want, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := script(path, `DROP TABLE segments; DROP TABLE corrections; ALTER TABLE cells DROP COLUMN since; DROP TABLE seen_segments; DELETE FROM migrations WHERE number >= (SELECT number FROM migrations WHERE name LIKE '%segment_catalogue.sql')`); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, 12)
	if got, err := s.Segments(t.Context(), "FR"); err != nil || !slices.Equal(got, want) {
		t.Errorf("segments are %v, %v; want %v", got, err, want)
	}
	storetest.RequireSame(t, storetest.Dump(t, s), before)
}

// withoutServices takes away what the catalogue has had since.
const withoutServices = `DROP TABLE segments; DROP TABLE corrections; DROP TABLE seen_segments; ALTER TABLE services DROP COLUMN census; ALTER TABLE services DROP COLUMN epoch; ALTER TABLE services DROP COLUMN colour;`

// script runs SQL on a file as a foreign writer would.
func script(path, query string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	_, err = db.Exec(query)
	return errors.Join(err, db.Close())
}

func TestOpenPaths(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "none", "rollcall.db"), sqlite.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that isn't there: %v", err)
	}
	if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{}); err == nil {
		t.Error("a folder is opened")
	}
	for _, name := range []string{"a b", "c?mode=memory", "d%20e", "f#g", "h&i;j", "é'\""} {
		sub := filepath.Join(dir, name)
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		openStore(t, filepath.Join(sub, "rollcall.db"), 12)
		for _, file := range []string{"rollcall.db", "rollcall.db-wal", "rollcall.db-shm"} {
			info, err := os.Stat(filepath.Join(sub, file))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s in %q: %v, %v", file, name, info, err)
			}
		}
	}
}

// openFile opens a store's file as a foreign reader would.
func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestOpenAtOnce: one of many makes the store.
func TestOpenAtOnce(t *testing.T) {
	path := newPath(t)
	stores := make([]*sqlite.Store, 6)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() { stores[i] = openStore(t, path, 12) })
	}
	wg.Wait()
	for _, s := range stores {
		if s.ID() != stores[0].ID() {
			t.Errorf("ids %s and %s", s.ID(), stores[0].ID())
		}
	}
}

// TestTwoProcesses merges and publishes by two handles, as two processes would.
func TestTwoProcesses(t *testing.T) {
	path := newPath(t)
	a, b := openStore(t, path, 12), openStore(t, path, 12)
	facts := storetest.Draw(rand.New(rand.NewPCG(2, 2)), 12, 50, 3000)
	one, two := facts.Halves()
	alone := openStore(t, newPath(t), 12)
	mergeDeltas(t, alone, facts.Deltas())
	var wg sync.WaitGroup
	for i, s := range []*sqlite.Store{a, b} {
		wg.Go(func() {
			for _, f := range []storetest.Facts{one, two}[i:] {
				if err := s.Merge(t.Context(), f.Deltas()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	storetest.RequireSame(t, storetest.Dump(t, b), storetest.Dump(t, alone))
}

func TestBackupNameIsALine(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, newPath(t), 12)
	if err := s.Backup(t.Context(), filepath.Join(dir, "a\nb.db")); !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("%v is no refusal of the name", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestBackup(t *testing.T) {
	s := openStore(t, newPath(t), 12)
	facts := storetest.Draw(rand.New(rand.NewPCG(3, 3)), 12, 50, 2000)
	mergeDeltas(t, s, facts.Deltas())
	if _, err := s.PutObject(t.Context(), []byte("a roster")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "it's a copy?.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy: %v, %v", info, err)
	}
	backup := openStore(t, path, 12)
	if backup.ID() == s.ID() {
		t.Error("the copy has the store's id")
	}
	storetest.RequireSame(t, storetest.Dump(t, backup), storetest.Dump(t, s))
	if err := s.Backup(t.Context(), path); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a second copy over the first: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "x.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a copy in a folder that isn't there: %v", err)
	}
}

// TestUpgradeCells opens a filled store whose cells have no platform and no
// segment: they are those of none, and what comes for them is united with them.
func TestUpgradeCells(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path, 12)
	facts := storetest.Draw(rand.New(rand.NewPCG(8, 9)), 12, 100, 0)
	for i := range facts.Cells {
		c := &facts.Cells[i]
		c.Platform, c.Segment, c.Coarse, c.Accounts, c.Exact = rollcall.NoPlatform, "", false, nil, false
	}
	want := dumped(t, s, facts)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const before = `CREATE TABLE old (market TEXT NOT NULL, service TEXT NOT NULL, location TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, key TEXT NOT NULL,
			visitors BLOB NOT NULL, minutes BLOB NOT NULL, PRIMARY KEY (market, service, location, kind, day, key)) STRICT;
		INSERT INTO old SELECT market, service, location, kind, day, key, visitors, minutes FROM cells;
		DROP TABLE audit; DROP TABLE cells; ALTER TABLE old RENAME TO cells; ` + withoutServices + ` DELETE FROM migrations WHERE number >= (SELECT number FROM migrations WHERE name LIKE '%_segments.sql')`
	if err := script(path, before); err != nil {
		t.Fatal(err)
	}
	if got := dumped(t, openStore(t, path, 12), facts); got != want {
		t.Error("an upgraded store holds other cells")
	}
}

// dumped merges the facts and gives the store's dump.
func dumped(t *testing.T, s *sqlite.Store, facts storetest.Facts) string {
	t.Helper()
	mergeDeltas(t, s, facts.Deltas())
	return storetest.Dump(t, s)
}

// TestRevisionStays: where nobody writes the revision stays, whatever is read; what
// another process writes changes it.
func TestRevisionStays(t *testing.T) {
	path := newPath(t)
	s, other := openStore(t, path, 14), openStore(t, path, 14)
	ask := func(s *sqlite.Store) rollcall.Revision {
		r, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := ask(s)
	if _, err := s.Corrections(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := ask(s); again.Rest != first.Rest || ask(other).Rest == "" {
		t.Errorf("the revision is %q, and %q where nothing was written", first.Rest, again.Rest)
	}
	mergeDeltas(t, other, cells(1, 10, 1))
	if now := ask(s); now.Rest == first.Rest {
		t.Errorf("another process wrote, and the revision is still %q", now.Rest)
	}
}
