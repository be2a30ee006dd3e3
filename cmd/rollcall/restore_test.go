package main

import (
	"testing"

	"rollcall/internal/test/engines"
)

// TestRestore does what docs/operating.md says of a backup on ClickHouse: what
// came after it is in Kafka, and a replay brings it back.
func TestRestore(t *testing.T) {
	engines.Require(t, engines.KafkaEngine)
	engines.Require(t, engines.ClickHouseEngine)
	c := clusterOn(t, engines.Kafka(t), engines.ClickHouse(t, "<backups><allowed_path>"+t.TempDir()+"</allowed_path></backups>"))
	a := c.aggregator()
	load := func(seed uint64) {
		c.run("events", "load", "--backfill", write(t, t.TempDir(), "events.ndjson", seededEvents(seed, 5000)))
	}
	load(1)
	c.server.Query("BACKUP DATABASE `" + c.database + "` TO File('nightly')")
	load(2)
	want := c.dump()
	a.stop()
	c.server.Query("DROP DATABASE `" + c.database + "` SYNC")
	c.server.Query("RESTORE DATABASE `" + c.database + "` FROM File('nightly')")
	c.aggregator()
	c.settle()
	if c.dump() == want {
		t.Fatal("nothing was lost between the backup and the end, so nothing is tested")
	}
	c.run("replay", "--from", "2000-01-01")
	if got := c.dump(); got != want {
		t.Fatalf("the restored store differs: %s", firstDifference(got, want))
	}
}
