package meter

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/internal/test/engines"
)

// within is set in the process that runs in the network of its own.
const within = "ROLLCALL_TEST_NETWORK"

// TestListenAsRead: what is replayed over a network of the test's own, with no
// way out and with its hosts' addresses, is seen live as it is in the file, at the
// times at which its packets came. The test runs itself in that network.
func TestListenAsRead(t *testing.T) {
	if os.Getenv(within) != "" {
		listenAsRead(t)
		return
	}
	engines.Require(t, engines.Network)
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestListenAsRead$", "-test.v")
	again.Env = append(os.Environ(), within+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestListenAsRead")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The two ends of the network's one cable.
const (
	here  = "meter0"
	there = "meter1"
)

func listenAsRead(t *testing.T) {
	command(t, "ip", "link", "add", here, "type", "veth", "peer", "name", there)
	for _, end := range []string{here, there} {
		command(t, "ip", "link", "set", end, "mtu", "65000", "up")
	}
	vlans := pcap(t, layers.LinkTypeEthernet, twoTalks(t, wrappings()["VLAN"]))
	seen := 0
	for _, s := range append(samples(t), sample{name: "two VLANs", file: vlans}) {
		if s.name == "today" {
			continue // its name server's answers tell the addresses as they were
		}
		list, _, err := meet(t, bytes.NewReader(s.file), atHome)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		live, heard, stats := reliveWhole(t, s.file)
		if first, last := heard[0].at, heard[len(heard)-1].at; first.Before(before) || last.After(time.Now()) {
			t.Errorf("%s: heard from %s to %s, sent after %s", s.name, first, last, before)
		}
		again, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeEthernet, heard)), atHome)
		if err != nil || ndjson(again) != ndjson(live) {
			t.Errorf("%s: live\n%sthe same packets in a file\n%s%v", s.name, ndjson(live), ndjson(again), err)
		}
		want, got := whats(list, asSent), whats(live, timesIn(t, packetsOf(t, s.file), heard))
		if seen += len(got); !slices.Equal(got, want) {
			t.Errorf("%s: live\n%s\nin the file\n%s\n%+v", s.name, strings.Join(got, "\n"), strings.Join(want, "\n"), stats)
		}
	}
	if seen < 20 {
		t.Errorf("only %d sightings", seen)
	}
	drop(t)
}

// drop has more replayed than the kernel holds for a meter that does not read
// meanwhile: it is told how much was dropped.
func drop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	install, release := atHome, make(chan struct{})
	install.named = func(name string) {
		if name == theEnd {
			cancel()
		}
	}
	var stats Stats
	done := make(chan error, 1)
	go func() {
		var err error
		stats, err = Listen(ctx, here, install, func(ingest.Sighting) error {
			<-release
			return nil
		})
		done <- err
	}()
	awaitSocket(t, done)
	command(t, "tcpreplay", "--quiet", "--topspeed", "--loop=20", "--intf1="+there, rewritten(t, recorded(t, msnRecording)))
	close(release)
	for end := ending(t); ctx.Err() == nil; { // until there is space for it
		command(t, "tcpreplay", "--quiet", "--intf1="+there, "--topspeed", end)
	}
	if err := <-done; err != nil || stats.Dropped == 0 {
		t.Errorf("%v; dropped %d of %d", err, stats.Dropped, stats.Packets)
	}
}

// whats gives what was seen, at the times that a clock makes of its own. A stay
// under TLS takes five seconds, which a replay does not, and is left out; so is an
// account's use after the first, which is said once a minute.
func whats(list []ingest.Sighting, clock func(time.Time) time.Time) (all []string) {
	used := make(map[string]bool)
	for _, s := range list {
		again := s.Kind == rollcall.Use && used[s.Account]
		used[s.Account] = used[s.Account] || s.Kind == rollcall.Use
		if s.Account != "" && !again {
			all = append(all, fmt.Sprint(s.Kind, s.Service, s.Account, clock(s.Time), clock(s.Until)))
		}
	}
	slices.Sort(all)
	return all
}

func asSent(t time.Time) time.Time { return t }

// timesIn gives the clock by which what was heard was sent: a time at which a
// packet was heard, or a minute or five after one, is the time of that packet in
// the file.
func timesIn(t *testing.T, file, heard []sent) func(time.Time) time.Time {
	t.Helper()
	heard = ofReplay(heard)
	if len(heard) < len(file) {
		t.Fatalf("%d packets were heard of %d", len(heard), len(file))
	}
	times := map[time.Time]time.Time{{}: {}}
	for _, later := range []time.Duration{5 * time.Minute, wire.KeepAlive, 0} {
		for i, p := range file {
			times[heard[i].at.Add(later)] = p.at.Add(later)
		}
	}
	return func(at time.Time) time.Time {
		sent, ok := times[at]
		if !ok {
			t.Errorf("%s is the time of no packet", at)
		}
		return sent
	}
}

// recorder notes the packets that a meter takes.
type recorder struct {
	packets
	heard *[]sent
}

func (r recorder) next() (frame, error) {
	p, err := r.packets.next()
	if err == nil {
		*r.heard = append(*r.heard, sent{p.at, bytes.Clone(p.data)})
	}
	return p, err
}

// theEnd is the name of a server that is heard behind the last packet.
const theEnd = "end.example"

// reliveWhole replays a capture, again and slower where the kernel drops packets of it,
// as it does where other programs leave the listener no time.
func reliveWhole(t *testing.T, file []byte) (list []ingest.Sighting, heard []sent, stats Stats) {
	t.Helper()
	packets := len(packetsOf(t, file))
	for rate := 4000; rate > 50; rate /= 3 {
		if list, heard, stats = relive(t, file, rate); len(ofReplay(heard)) >= packets {
			break
		}
		t.Logf("at %d packets a second %d were heard of %d", rate, len(ofReplay(heard)), packets)
	}
	return list, heard, stats
}

// ofReplay gives what was heard without the network's own greetings.
func ofReplay(heard []sent) []sent {
	return slices.DeleteFunc(slices.Clone(heard), func(p sent) bool { return p.data[12] == 0x86 })
}

// relive replays a capture at one end of the cable, so many packets a second, and
// listens at the other.
func relive(t *testing.T, file []byte, rate int) (list []ingest.Sighting, heard []sent, stats Stats) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	install := atHome
	ended := false
	install.named = func(name string) {
		if name == theEnd {
			ended = true
			cancel()
		}
	}
	done := make(chan error, 1)
	go func() {
		var err error
		stats, err = listen(ctx, here, install, func(s ingest.Sighting) error {
			list = append(list, s)
			return nil
		}, func(p packets) packets { return recorder{p, &heard} })
		done <- err
	}()
	awaitSocket(t, done)
	command(t, "tcpreplay", "--quiet", fmt.Sprint("--pps=", rate), "--intf1="+there, rewritten(t, file))
	for end := ending(t); ctx.Err() == nil; { // until it was not dropped
		command(t, "tcpreplay", "--quiet", "--pps=4000", "--intf1="+there, end)
	}
	if err := <-done; err != nil || !ended {
		t.Fatalf("%v; heard the end: %t; %+v", err, ended, stats)
	}
	return list, heard, stats
}

// rewritten writes the capture with addresses of the network's own.
func rewritten(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.pcap"), filepath.Join(dir, "to.pcap")
	if err := os.WriteFile(from, file, 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "tcprewrite", "--infile="+from, "--outfile="+to, "--dlt=enet", "--enet-smac=02:00:00:00:00:01", "--enet-dmac=02:00:00:00:00:02",
		"--pnat=0.0.0.0/0:10.77.0.0/16", "--fixcsum")
	return to
}

// ending writes a capture of one connection to the end's server.
func ending(t *testing.T) string {
	t.Helper()
	var w traffic
	w.tcp(0, time.Second, at(somewhere, 443), secure.Record(secure.BuildHello(theEnd, nil, false), 4000))
	for i := range w.out {
		w.out[i].data = append(linkHeader(layers.LinkTypeEthernet, false), w.out[i].data...)
	}
	path := filepath.Join(t.TempDir(), "end.pcap")
	if err := os.WriteFile(path, pcap(t, layers.LinkTypeEthernet, w.out), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitSocket waits until the network has a packet socket, or its listener ended.
func awaitSocket(t *testing.T, done <-chan error) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		select {
		case err := <-done:
			t.Fatalf("the listener ended: %v", err)
		default:
		}
		text, err := os.ReadFile("/proc/self/net/packet")
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := bufio.NewScanner(bytes.NewReader(text)); line.Scan(); {
			lines++
		}
		if lines > 1 { // a heading, then the sockets
			return
		}
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
