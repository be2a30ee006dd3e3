package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"rollcall/ingest/collect/simulate"
	"rollcall/internal/server"
)

// demonstration gives the folder of three months of the demonstration, made once.
var demonstration = sync.OnceValues(makeDemonstration)

func makeDemonstration() (fstest.MapFS, error) {
	made, err := os.MkdirTemp("", "demonstration")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(made) }()
	if err := server.MakeDemonstration(made, seedKey(2002)); err != nil {
		return nil, err
	}
	months := []string{"collect", "simulate", "--months", "2002-09,2002-10,2002-11", "--data", made}
	if err := run(context.Background(), months, nil, io.Discard, io.Discard); err != nil {
		return nil, err
	}
	return filesOf(made)
}

// TestMonthsOnThePage: the page that tells how far the demonstration is knows how
// many months it has.
func TestMonthsOnThePage(t *testing.T) {
	want := fmt.Sprintf("const demonstrationMonths = %d;", len(simulate.Months()))
	if !strings.Contains(readFile(t, "dashboards/web/src/parts/States.tsx"), want) {
		t.Errorf("the page doesn't say %q", want)
	}
}

// copyDemonstration gives a test a copy of it.
func copyDemonstration(t *testing.T, data string) {
	t.Helper()
	files, err := demonstration()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range files {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, file.Mode); err != nil {
			t.Fatal(err)
		}
	}
}

// filesOf reads a folder whole.
func filesOf(dir string) (fstest.MapFS, error) {
	files := make(fstest.MapFS)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
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
	})
	return files, err
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
