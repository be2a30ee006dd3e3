package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
)

// start runs a folder's process until the test ends.
func start(t *testing.T, dir string) *Process {
	t.Helper()
	p, err := Start(t.Context(), &Engine{Data: dir}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestDemonstrationsFolder: the demonstration makes a folder of its own, comes
// back to it, and lets no real market into it.
func TestDemonstrationsFolder(t *testing.T) {
	dir, master := filepath.Join(t.TempDir(), "new"), make([]byte, 32)
	for range 2 {
		if err := MakeDemonstration(dir, master); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, dir)
	if _, err := changeableOf(p).AddMarket(t.Context(), rollcall.Market{ID: "FR", Zone: "Europe/Paris"}, false); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a real market in the demonstration: %v", err)
	}
	if _, err := changeableOf(p).AddMarket(t.Context(), rollcall.Market{ID: "FR", Zone: "Europe/Paris", Simulated: true}, false); err != nil {
		t.Error(err)
	}
}

// TestDemonstrationElsewhere: any folder that holds something and is not the
// demonstration's stays as it is.
func TestDemonstrationElsewhere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := MakeDemonstration(dir, make([]byte, 32))
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a folder with a file: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

// TestBackupNames: a backup over REST goes into the folder's backups, and nowhere
// else.
func TestBackupNames(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	for _, name := range []string{"../out.db", "/tmp/out.db", "a/b.db", ".hidden", "..", "two\nlines.db", "a b.db", strings.Repeat("a", 65)} {
		if path, err := p.backup(t.Context(), name); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("a backup named %q: %s, %v", name, path, err)
		}
	}
	path, err := p.backup(t.Context(), "nightly.db")
	if err != nil || path != filepath.Join(dir, "backups", "nightly.db") {
		t.Fatalf("a backup named nightly.db: %s, %v", path, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the backup is %v, %v", info, err)
	}
	if _, err := p.backup(t.Context(), "nightly.db"); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a second backup of one name: %v", err)
	}
}
