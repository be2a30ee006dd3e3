package main

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport runs go test itself on a module with one test of each ending.
func TestReport(t *testing.T) {
	dir, err := filepath.Abs("testdata/module")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var out, diag strings.Builder
	err = run(t.Context(), []string{"./..."}, &out, &diag)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("run = %v (%s); want go test's status 1", err, diag.String())
	}
	for _, want := range []string{
		"ok  \tplanted/good", "FAIL\tplanted/bad", "FAIL\tplanted/broken",
		"--- FAIL: TestBad", "what went wrong", "undefined: nothing",
		"Skipped:\n  needs a thing: it is missing\n    planted/good TestSkipped\n    planted/good TestSub/one\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, unwanted := range []string{"=== RUN", "said by a test that passed", "no test files"} {
		if strings.Contains(out.String(), unwanted) {
			t.Errorf("the report has %q", unwanted)
		}
	}
	if t.Failed() {
		t.Log(out.String())
	}
}

func TestReportWithoutSkips(t *testing.T) {
	var out strings.Builder
	err := report(strings.NewReader(`{"Action":"output","Package":"p","Output":"ok  \tp\n"}`), &out)
	if want := "ok  \tp\nNo test was skipped.\n"; err != nil || out.String() != want {
		t.Fatalf("report = %q, %v; want %q", out.String(), err, want)
	}
}

func TestReportOfATestThatNeverEnds(t *testing.T) {
	var out strings.Builder
	err := report(strings.NewReader(`{"Action":"output","Package":"p","Test":"T","Output":"last words\n"}`), &out)
	if want := "p: T did not end\nlast words\n"; err != nil || !strings.HasPrefix(out.String(), want) {
		t.Fatalf("report = %q, %v; want %q", out.String(), err, want)
	}
}

func TestReportRefusesWhatIsNotEvents(t *testing.T) {
	if err := report(strings.NewReader("ok"), io.Discard); err == nil {
		t.Fatal("a line that is no event was taken")
	}
}
