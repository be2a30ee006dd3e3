package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// TestCoverage: of 150 panels the coverage's own standard error is 1.8 points, which
// the bounds allow for; of 600, 0.9.
func TestCoverage(t *testing.T) {
	covers(t, "150")
	t.Run("of 600 panels", func(t *testing.T) {
		engines.Long(t, "draws six hundred panels")
		covers(t, "600")
	})
}

func covers(t *testing.T, panels string) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), []string{"--panels", panels, "--population", "400000"}, &out, io.Discard)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Error(err)
	}
}

func TestCoverageSaysWhatIsOff(t *testing.T) {
	r := &result{names: []string{"unique audience, 40 %"}, scores: map[string]*score{"unique audience, 40 %": {panels: 1000, under: 60, over: 40, users: 100_000}}}
	err := r.check()
	if err == nil || !strings.Contains(err.Error(), "unique audience, 40 % 90.00 %, want 94 to 96 %") {
		t.Errorf("error is %v", err)
	}
	r.scores["unique audience, 40 %"].over = 5
	if err := r.check(); err != nil { // 93.5 % of a thousand panels may be chance
		t.Error(err)
	}
}
