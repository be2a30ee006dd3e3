package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"rollcall/internal/server"
)

// demonstration is the folder of three months of the demonstration, made once.
var demonstration struct {
	sync.Once
	files fstest.MapFS
}

// copyDemonstration gives a test a copy of it.
func copyDemonstration(t *testing.T, data string) {
	t.Helper()
	demonstration.Do(func() {
		made := filepath.Join(t.TempDir(), "demo")
		if err := server.MakeDemonstration(made, seedKey(2002)); err != nil {
			t.Fatal(err)
		}
		rollcallRun(t, "collect", "simulate", "--months", "2002-09,2002-10,2002-11", "--data", made)
		demonstration.files = readFolder(t, made)
	})
	if len(demonstration.files) == 0 {
		t.Fatal("the demonstration could not be made")
	}
	for name, file := range demonstration.files {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, file.Mode); err != nil {
			t.Fatal(err)
		}
	}
}

// readFolder reads a folder whole.
func readFolder(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	files := make(fstest.MapFS)
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = &fstest.MapFile{Data: text, Mode: info.Mode().Perm()}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDemoCommands: what the demonstration says can be tried works in a shell,
// whatever its folder is called, and answers for the month that was printed.
func TestDemoCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "it's here")
	copyDemonstration(t, data)
	commands := demoCommands(itself, data)
	if len(commands) != 3 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, line := range commands {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "MSN Messenger") || !strings.Contains(string(out), "2002") {
			t.Errorf("%s: %v:\n%s", line, err, out)
		}
	}
}
