package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary serve as rollcall itself, for the scripts and
// for tests that kill a process of their own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rollcall": main})
}

// TestScript runs the command sessions of testdata/script.
func TestScript(t *testing.T) {
	shared, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"await": awaitFile},
		Setup: func(e *testscript.Env) error {
			e.Setenv("TESTDATA", shared)
			e.Setenv("TMPDIR", e.WorkDir)
			return nil
		},
	})
}

// awaitFile is the scripts' "await FILE": it waits until the file is there.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for exist(ts.MkAbs(args[0])) != nil {
		select {
		case <-deadline:
			ts.Fatalf("%s did not appear within a minute", args[0])
		case <-tick.C:
		}
	}
}
