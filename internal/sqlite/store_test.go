package sqlite_test

import (
	"path/filepath"
	"testing"

	"rollcall/internal/sqlite"
	"rollcall/internal/test/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, k int) storetest.Store { return openStore(t, newPath(t), k) })
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "rollcall.db") }

func openStore(t testing.TB, path string, k int) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{K: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
