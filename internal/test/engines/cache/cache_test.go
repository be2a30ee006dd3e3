package cache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFindPrefersTheEnvironment(t *testing.T) {
	want := t.TempDir()
	t.Setenv(Env, want)
	got, err := Find()
	if err != nil || string(got) != want {
		t.Fatalf("Find() = %q, %v; want %q", got, err, want)
	}
}

func TestFindFallsBackToTheModule(t *testing.T) {
	t.Setenv(Env, "")
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"))
	deep := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	got, err := Find()
	if want := filepath.Join(root, "build", "engines"); err != nil || string(got) != want {
		t.Fatalf("Find() = %q, %v; want %q", got, err, want)
	}
}

func TestFillIsAllOrNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "engines", "kafka-1")
	cut := errors.New("cut off")
	err := Fill(folder, func(partial string) error {
		write(t, filepath.Join(partial, "half.jar"))
		return cut
	})
	if !errors.Is(err, cut) || Present(folder) {
		t.Fatalf("after a failed fill: %v, present %v; want the cause and no folder", err, Present(folder))
	}
	left, err := os.ReadDir(filepath.Dir(folder))
	if err != nil || len(left) != 0 {
		t.Fatalf("a failed fill left %v, %v", left, err)
	}
	fill := func(partial string) error { write(t, filepath.Join(partial, "whole.jar")); return nil }
	if err := Fill(folder, fill); err != nil || !Present(filepath.Join(folder, "whole.jar")) {
		t.Fatalf("fill: %v; want whole.jar in place", err)
	}
}

func TestFillKeepsWhatIsThere(t *testing.T) {
	folder := t.TempDir()
	if err := Fill(folder, func(string) error { return errors.New("called") }); err != nil {
		t.Fatalf("fill of a present folder: %v", err)
	}
}

func TestFillYieldsToAnother(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "kafka-1")
	err := Fill(folder, func(string) error {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
		write(t, filepath.Join(folder, "theirs.jar"))
		return nil
	})
	if err != nil || !Present(filepath.Join(folder, "theirs.jar")) {
		t.Fatalf("fill beside another: %v; want theirs kept", err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}
