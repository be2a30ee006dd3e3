package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// TestReplicates: the programs of docs/replicates.md give the figures of the
// ranking, and standard errors that are its own within what drawing 200 samples
// allows. The same seed writes the same bytes.
func TestReplicates(t *testing.T) {
	engines.Require(t, engines.Readers)
	engines.Require(t, engines.Survey)
	dir := t.TempDir()
	data := filepath.Join(dir, "demo")
	copyDemonstration(t, data)
	p := spawn(t, "run", "--data", data, "--listen", "127.0.0.1:0")
	file := func(name string) string { return filepath.Join(dir, name) }
	write := func(args ...string) {
		rollcallRun(t, append([]string{"publication", "replicates", "--market", "FR", "--panel", "demo", "--month", "2002-10", "--data", data}, args...)...)
	}
	write("--uses", file("uses.parquet"), "-o", file("replicates.parquet"))
	write("-o", file("again.parquet"))
	if readBytes(t, file("again.parquet")) != readBytes(t, file("replicates.parquet")) {
		t.Error("the same seed writes other bytes")
	}

	ranking := table(t, p, "/v1/reports/ranking?market=FR&panel=demo&month=2002-10&service=msn")
	programs := programsOf(t, "docs/replicates.md")
	engines.Python(t, []byte("import pandas\nfor f in ('replicates', 'uses'): pandas.read_parquet('"+dir+"/'+f+'.parquet').to_csv('"+dir+"/'+f+'.csv', index=False)"), "-")
	holdFigures(t, ranking, string(engines.Python(t, []byte("import os\nos.chdir('"+dir+"')\n"+programs["python"]), "-")))
	holdFigures(t, ranking, inFolder(t, dir, "Rscript", "-e", programs["r"]))
}

// programsOf gives the one program of each language on a page.
func programsOf(t *testing.T, page string) map[string]string {
	t.Helper()
	programs := make(map[string]string)
	for _, found := range regexp.MustCompile("(?ms)^```(python|r)\n(.*?)^```$").FindAllStringSubmatch(readFile(t, page), -1) {
		programs[found[1]] = found[2]
	}
	return programs
}

// holdFigures holds lines of name, value and standard error to a ranking's row.
func holdFigures(t *testing.T, ranking *rollcall.Table, printed string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if len(lines) != 3 {
		t.Fatalf("the program prints %q", printed)
	}
	for _, line := range lines {
		var name string
		var value, se float64
		if _, err := fmt.Sscan(line, &name, &value, &se); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		ours := ranking.Cell(0, name).(rollcall.Measure)
		if math.Abs(value-ours.Value) > 1e-5*ours.Value { // R prints seven digits
			t.Errorf("%s is %v, the ranking says %v", name, value, ours.Value)
		}
		if allowed := 4/math.Sqrt(2*200) + 0.02; math.Abs(se/ours.SE-1) > allowed {
			t.Errorf("the standard error of %s is %v, the ranking says %v", name, se, ours.SE)
		}
	}
}

func inFolder(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	var failed strings.Builder
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, failed.String())
	}
	return string(out)
}

func readBytes(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
