package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"rollcall/internal/test/engines"
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
	data := filepath.Join(t.TempDir(), "data")
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", data)
	p := spawn(t, "collect", "pcap", path, "--market", "FR", "--location", "home", "--data", data, "--listen", "127.0.0.1:0")
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

// A meter reads a gigabyte of thousands of sessions, hundreds at a time, in a
// bounded memory.
func TestMeterMemory(t *testing.T) {
	engines.Long(t, "reads a gigabyte")
	const least, bound, together = 1 << 30, 128 << 20, 500
	cmd := exec.Command(build(t), "collect", "pcap", "/dev/stdin", "--market", "FR", "--location", "home", "--dry-run")
	cmd.Stderr = io.Discard // what it can't read
	sightings := new(lineCount)
	cmd.Stdout = sightings
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // a second time, after a failure
	defer in.Close()
	begun := time.Now()
	to := &measured{to: bufio.NewWriterSize(in, 1<<20)}
	sessions := repeat(t, to, least, together)
	if err := to.to.Flush(); err != nil {
		t.Fatal(err)
	}
	peak, took := (&child{t: t, cmd: cmd}).peak(), time.Since(begun)
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB, %d recordings, %d sightings: peak %d MiB, in %s", to.n>>20, sessions, *sightings, peak>>20, took.Round(time.Second))
	if peak > bound || int(*sightings) < sessions {
		t.Errorf("peak %d MiB, over %d; %d sightings of %d recordings", peak>>20, bound>>20, *sightings, sessions)
	}
}

// lineCount counts the lines written to it.
type lineCount int

// Write counts.
func (n *lineCount) Write(b []byte) (int, error) {
	*n += lineCount(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}

// measured counts the bytes that go through.
type measured struct {
	to *bufio.Writer
	n  int64
}

// Write writes on.
func (c *measured) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.to.Write(b)
}

// repeat writes a capture of at least so many bytes: the recordings over and over,
// later each time, and so many at the same time between other addresses. It gives
// how many there are.
func repeat(t *testing.T, to *measured, least int64, together int) (recordings int) {
	t.Helper()
	w := pcapgo.NewWriterNanos(to)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	var all [][]timed
	for _, name := range []string{"oscar_bitlbee351", "msn8_ymsg10_bitlbee128_escargot"} {
		all = append(all, recorded(t, name))
	}
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for to.n < least {
		packets := all[recordings/together%len(all)]
		for _, p := range packets {
			for i := range together {
				id := recordings + i
				for _, end := range []int{26, 30} { // where IPv4 has its addresses
					p.data[end+1], p.data[end+2] = p.net[end-26+1]^byte(id>>8), p.net[end-26+2]^byte(id)
				}
				ci := gopacket.CaptureInfo{Timestamp: at.Add(p.at), CaptureLength: len(p.data), Length: len(p.data)}
				if err := w.WritePacket(ci, p.data); err != nil {
					t.Fatal(err)
				}
			}
		}
		recordings += together
		at = at.Add(packets[len(packets)-1].at)
	}
	return recordings
}

// timed is a packet of a recording, since its beginning, and the addresses that
// it had there.
type timed struct {
	at   time.Duration
	data []byte
	net  [8]byte
}

// recorded reads a recording's packets of IPv4.
func recorded(t *testing.T, name string) (packets []timed) {
	t.Helper()
	file, err := os.Open(filepath.Join(checkout, "testdata", "replay", name+".pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := pcapgo.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var first time.Time
	for {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		if first.IsZero() {
			first = ci.Timestamp
		}
		if len(data) >= 34 && data[12] == 8 && data[13] == 0 {
			packets = append(packets, timed{ci.Timestamp.Sub(first), data, [8]byte(data[26:34])})
		}
	}
}
