package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/internal/server"
)

// TestMain makes the test binary serve as rollcall itself, for the scripts and
// for tests that kill a process of their own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rollcall": main})
}

// quiet are options of a process that says nothing.
func quiet() server.Options {
	return server.Options{Software: software(), Log: slog.New(slog.DiscardHandler), Out: io.Discard}
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
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"await": awaitFile, "metric": awaitMetric, "expand": expandFile},
		Setup: func(e *testscript.Env) error {
			e.Setenv("TESTDATA", shared)
			e.Setenv("TMPDIR", e.WorkDir)
			days(e)
			return nil
		},
	})
}

// days gives the scripts days to come: $BEFORE is the one before $SOON, in the
// same year; $LATER comes after them, and $FAR long after.
func days(e *testscript.Env) {
	today := time.Now().UTC()
	before, soon := daysToCome()
	for name, day := range map[string]time.Time{
		"TODAY": today, "BEFORE": before, "SOON": soon, "LATER": soon.AddDate(0, 0, 30), "FAR": today.AddDate(0, 0, 500),
	} {
		e.Setenv(name, day.Format(time.DateOnly))
	}
}

// expandFile is the scripts' "expand FROM TO": TO is FROM with the values of the
// variables that it names, such as $SOON.
func expandFile(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// awaitFile is the scripts' "await FILE": it waits until the file is there.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	awaitScript(ts, args[0]+" did not appear", func() bool { return exist(ts.MkAbs(args[0])) == nil })
}

// awaitMetric is the scripts' "metric DIR PATTERN": it waits until the metrics of the
// folder's holder have a line that begins so.
func awaitMetric(ts *testscript.TestScript, _ bool, args []string) {
	api, pattern := &client{http: server.SocketClient(ts.MkAbs(args[0]))}, regexp.MustCompile("(?m)^"+args[1])
	awaitScript(ts, args[1]+" was not among the metrics", func() bool {
		answer, err := api.get(context.Background(), "/metrics", nil)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return err == nil && pattern.Match(text)
	})
}

// awaitScript waits until ready says so, for a minute.
func awaitScript(ts *testscript.TestScript, what string, ready func() bool) {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-deadline:
			ts.Fatalf("%s within a minute", what)
		case <-tick.C:
		}
	}
}

// TestOneCommandAmongAll: the parser of one command says of it what that of all
// commands says.
func TestOneCommandAmongAll(t *testing.T) {
	help := func(command string, prepared ...string) string {
		var out bytes.Buffer
		parser, err := newParser(t.Context(), &streams{out: &out, err: io.Discard}, func(int) {}, prepared...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse([]string{command, "--help"})
		return out.String() + fmt.Sprint(err)
	}
	commands := reflect.TypeFor[cli]()
	for i := range commands.NumField() {
		command := strings.ToLower(commands.Field(i).Name)
		if one, all := help(command, command), help(command); one != all {
			t.Errorf("%s: by itself\n%s\namong all\n%s", command, one, all)
		}
	}
}

// TestNotText: an argument that is not UTF-8 text is refused: the parser would make other
// text of it, which may be another account's name.
func TestNotText(t *testing.T) {
	for _, args := range [][]string{
		{"market", "add", "FR", "--zone", "Europe/Paris", "--name", "Fran\xe7ais", "--data", t.TempDir()},
		{"census", "erase", "--service", "icq", "--account", "Ren\xe9", "--data", t.TempDir()},
		{"check", "caf\xe9.csv"},
	} {
		err := run(t.Context(), args, nil, io.Discard, io.Discard)
		if err == nil || !strings.HasSuffix(err.Error(), `": is not UTF-8 text`) || exitCode(err) != exitUsage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestHelpOnAFullDisk: help that can't be written is no bad usage.
func TestHelpOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	if err := run(t.Context(), []string{"--help"}, nil, stdout{full}, io.Discard); err == nil || exitCode(err) != exitFailed {
		t.Errorf("exit %d: %v", exitCode(err), err)
	}
}
