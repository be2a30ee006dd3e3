package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// A thousand panels: the coverage's own standard error is 0.7 points.
func TestCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand panels take some seconds; run without -short")
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"--panels", "1000", "--low", "93", "--high", "97"}, &out, io.Discard)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Error(err)
	}
}

func TestCoverageSaysWhatIsOff(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"--panels", "20", "--size", "200", "--population", "20000", "--low", "100.1"}, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "coverage outside 100.1 to 96 %: unique audience") {
		t.Errorf("error is %v", err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 8 {
		t.Errorf("%d lines are printed, want 8:\n%s", lines, out.String())
	}
}
