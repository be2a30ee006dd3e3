package report

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/sqlite"
)

// TestDamageIsNoted: figures that lack damaged diaries say so, live and in every
// version that was closed meanwhile; others don't.
func TestDamageIsNoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := newSiteOver(t, store, catalogue(t))
	h.load(october, smallRoster, smallUniverse)
	both := facts{}
	both.add(1, "msn", rollcall.Home, rollcall.Use, stretch{1, 600, 660})
	both.add(4, "msn", rollcall.Work, rollcall.Presence, stretch{2, 600, 610})
	h.merge(both)
	h.close(closing(october, all()))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE diaries SET diary = x'ff' WHERE panelist = (SELECT min(panelist) FROM diaries)`); err != nil {
		t.Fatal(err)
	}
	if said := damageNotes(h.report(rollcall.Query{Report: "ranking", Live: true})); len(said) != 1 || !strings.Contains(said[0], "figures were computed: 1. ") {
		t.Errorf("live: %q", said)
	}
	h.close(closing(october, all()))
	h.merge(both) // as a replay does
	if err := store.ForgetSetAside(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.close(closing(october, all()))
	for version, want := range []int{0, 1, 0} {
		if said := damageNotes(h.report(rollcall.Query{Report: "ranking", Version: version + 1})); len(said) != want {
			t.Errorf("version %d: %q", version+1, said)
		}
	}
	if said := damageNotes(h.report(rollcall.Query{Report: "ranking", Live: true})); len(said) != 0 {
		t.Errorf("live, once it was rebuilt: %q", said)
	}
}

func damageNotes(table *rollcall.Table) []string {
	return slices.DeleteFunc(slices.Clone(table.Meta.Notes), func(note string) bool { return !strings.HasPrefix(note, "Damaged ") })
}
