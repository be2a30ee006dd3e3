package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPanelIsTheSame at each run, has as many events as it says, and ten days of
// each panelist, about.
func TestPanelIsTheSame(t *testing.T) {
	var sums [2][sha256.Size]byte
	for i := range sums {
		data := t.TempDir()
		events, err := writePanel(data, 300)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(data, "events.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n != events || n != 300*31*2/3 {
			t.Errorf("%d events in %d lines, want %d", events, n, 300*31*2/3)
		}
		sums[i] = sha256.Sum256(text)
	}
	if sums[0] != sums[1] {
		t.Error("two runs have written other events")
	}
}

// TestSizes are numbers by commas, or none.
func TestSizes(t *testing.T) {
	o, err := parse([]string{"--events", "", "--months", "1,60"}, io.Discard)
	if err != nil || o.events != nil || !slices.Equal(o.months, []int{1, 60}) || len(o.segments) != 3 {
		t.Errorf("%+v, %v", o, err)
	}
	for _, wrong := range [][]string{{"--events", "1,"}, {"--months", "0"}, {"--segments", "-1"}, {"--panelists", "many"}, {"more"}} {
		if _, err := parse(wrong, io.Discard); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}
