package main

import (
	"bytes"
	"io"
	"math"
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
	err := run(t.Context(), []string{"--panels", panels, "--population", "400000", "--census=false"}, &out, io.Discard)
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

// TestCalibrated: where users of a service are readier to join, its audience is
// too large, and no interval holds it; calibrated it is right, and the intervals
// hold it where they know of the census's own errors, and only there.
func TestCalibrated(t *testing.T) {
	c := comparison{population: newPopulation(100_000, 3), panels: 40, seed: 3, out: io.Discard}
	ways := []way{{"alone", calibrating{}}, {"untold", calibrating{services: 1, untold: true}}, {"told", calibrating{services: 1}}}
	results, err := c.beside(t.Context(), recruiting{size: 1000, use: readier}, ways...)
	if err != nil {
		t.Fatal(err)
	}
	name := audience(services()[0])
	alone, untold, told := results[0].scores[name], results[1].scores[name], results[2].scores[name]
	if alone.bias() < 10 || alone.coverage() > 10 {
		t.Errorf("alone: bias %.1f %%, coverage %.0f %%", alone.bias(), alone.coverage())
	}
	if math.Abs(told.bias()) > 3 || told.coverage() < 85 || untold.coverage() > 30 {
		t.Errorf("calibrated: bias %.1f %%, coverage %.0f %%, of errors untold %.0f %%", told.bias(), told.coverage(), untold.coverage())
	}
}
