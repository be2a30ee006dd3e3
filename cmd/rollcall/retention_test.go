package main

import (
	"strings"
	"testing"
)

// TestKeepOnCluster: two aggregators at once remove what is too old, and a
// replay of the whole log brings nothing back.
func TestKeepOnCluster(t *testing.T) {
	c := newCluster(t)
	a := c.aggregator()
	c.run("events", "load", "--backfill", write(t, t.TempDir(), "events.ndjson", seededEvents(1, 5000)))
	a.stop()
	rows := func() string {
		return strings.Fields(c.server.Query("SELECT (SELECT count() FROM " + c.database + ".cells) + (SELECT count() FROM " + c.database + ".diaries)"))[0]
	}
	if rows() == "0" {
		t.Fatal("nothing was stored, so nothing is tested")
	}
	for range 2 {
		c.spawn("aggregate", "--keep", "25mo")
	}
	await(t, func() bool { return rows() == "0" })
	c.run("replay", "--from", "2000-01-01")
	if n := rows(); n != "0" {
		t.Errorf("a replay brings %s rows back", n)
	}
	c.run("events", "load", "--backfill", write(t, t.TempDir(), "late.ndjson", seededEvents(2, 500)))
	if n := rows(); n != "0" {
		t.Errorf("late events bring %s rows back", n)
	}
}
