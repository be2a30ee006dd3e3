package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// meterOf is a meter that reads the recording from a pipe which stays open: what
// it read is in its metrics, and it waits for more.
func meterOf(t *testing.T, recording string) *child {
	t.Helper()
	packets, err := os.ReadFile(filepath.Join(checkout, "testdata", "replay", recording+".pcap"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "packets")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	p := spawn(t, "collect", "pcap", path, "--market", "FR", "--location", "home", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0")
	if _, err := pipe.Write(packets); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return p.metric("rollcall_meter_sightings_total") > 0 })
	return p
}

// A meter tells its counts while it reads.
func TestMeterMetrics(t *testing.T) {
	p := meterOf(t, "oscar_bitlbee351")
	if packets, bytes := p.metric("rollcall_meter_packets_total"), p.metric("rollcall_meter_bytes_total"); packets == 0 || bytes < 54*packets {
		t.Errorf("%v packets of %v bytes", packets, bytes)
	}
}
