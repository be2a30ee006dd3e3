package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// rounds is how often a random fault is tried: 5 times, 50 in a soak.
func rounds() int {
	if os.Getenv("ROLLCALL_SOAK") != "" {
		return 50
	}
	return 5
}

// loadPieces puts events on the log in many small bodies, so that there are
// many batches to be cut between.
func (c *cluster) loadPieces(lines []string, piece int) {
	c.Helper()
	files := []string{}
	for i := 0; i < len(lines); i += piece {
		name := filepath.Join(c.TempDir(), "piece.ndjson")
		files = append(files, write(c.T, filepath.Dir(name), "piece.ndjson", lines[i:min(len(lines), i+piece)]))
	}
	c.run(append([]string{"events", "load", "--backfill"}, files...)...)
}

// TestFaults folds one log into an empty store again and again, each time
// disturbed in another way, and wants the same bytes every time.
func TestFaults(t *testing.T) {
	c := newCluster(t)
	undisturbed := c.aggregator()
	c.loadPieces(replayEvents(40_000), 500)
	c.settle()
	want := c.dump()
	undisturbed.stop()
	for name, disturb := range map[string]func(*cluster){
		"kill -9 of the aggregator": killAggregators,
	} {
		t.Run(name, func(t *testing.T) {
			f := c.fresh(t, "db"+time.Now().Format("150405000000"))
			disturb(f)
			f.requireSame(want)
		})
	}
}

// killAggregators kills the one aggregator at random points.
func killAggregators(c *cluster) {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for range rounds() {
		a := c.aggregator()
		some := float64(r.IntN(10_000))
		await(c.T, func() bool {
			return a.metric("rollcall_events_folded_total") > some || a.metric("rollcall_log_lag_records") == 0 && a.ready()
		})
		a.kill()
	}
	c.aggregator()
}
