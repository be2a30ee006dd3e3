package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"rollcall/internal/server"
	"rollcall/internal/test/engines"
)

// The roles are offered about ten times what they can take, and none may hold
// more than its documented bound, nor lose what it has acknowledged.

// build gives the product as it is shipped: the test itself may be built with
// the race detector, whose memory is many times the product's.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rollcall")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// peak is the most that the process has ever held, in bytes.
func (p *child) peak() int64 { return p.status("VmHWM") }

// resident is what it holds now, in bytes.
func (p *child) resident() int64 { return p.status("VmRSS") }

func (p *child) status(name string) int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), name+": %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	p.t.Fatalf("no %s of process %d", name, p.cmd.Process.Pid)
	return 0
}

// requireBound ends the test where the process has ever held more.
func (p *child) requireBound(load string, bound int64) {
	p.t.Helper()
	peak := p.peak()
	p.t.Logf("%s: peak %d MiB, now %d MiB, bound %d MiB", load, peak>>20, p.resident()>>20, bound>>20)
	if peak > bound {
		p.t.Errorf("%s: the process held %d MiB; its bound is %d MiB", load, peak>>20, bound>>20)
	}
}

// TestCollectorMemory floods a collector with bodies that would need ten times
// its bound, with the log there and with it away. What it has acknowledged must
// be in the store, and nothing else.
func TestCollectorMemory(t *testing.T) { collectorMemory(t, 8) }

// TestSoakCollectorMemory is the same with bodies as long as may be.
func TestSoakCollectorMemory(t *testing.T) {
	soak(t)
	collectorMemory(t, 63)
}

func collectorMemory(t *testing.T, mib int) {
	const bodies, spoolMiB = 512 << 20, 8 // --bodies-mib by default
	c := newCluster(t)
	c.program = build(t)
	collector := c.spawn("collect", "http", "--spool", filepath.Join(t.TempDir(), "spool"), "--spool-mib", strconv.Itoa(spoolMiB))
	await(t, collector.ready)
	c.aggregator()
	var all []string
	for wave, away := range []bool{false, true} {
		name := map[bool]string{false: "Kafka is there", true: "Kafka is away"}[away]
		if away {
			c.kafka.Kill()
		}
		f := newFlood(t, collector, uint64(wave), tenTimes(bodies, mib<<20), mib<<20)
		awaitFor(t, floodTime, time.Second/10, f.crested)
		if f.refused.Load() == 0 || f.held.Load() == 0 {
			t.Errorf("%s: %d bodies under way, %d refused", name, f.held.Load(), f.refused.Load())
		}
		collector.requireBound(fmt.Sprintf("%s, %d bodies of %d MiB of which %d under way", name, f.producers, mib, f.held.Load()), bodies+server.IdleMemory)
		close(f.ebb)
		if away {
			await(t, func() bool {
				return collector.metric("rollcall_spool_bytes") > (spoolMiB-1)<<20 && f.refused.Load() > 0
			})
			if used := collector.metric("rollcall_spool_bytes"); used > spoolMiB<<20 {
				t.Errorf("the spool holds %v bytes", used)
			}
			c.kafka.Restart()
		}
		f.run.Wait()
		collector.requireBound(fmt.Sprintf("%s: at the end, %d answers to come back later, %d connections cut", name, f.refused.Load(), f.cut.Load()), bodies+server.IdleMemory)
		awaitFor(t, floodTime, time.Second/10, func() bool { return collector.metric("rollcall_spool_bytes") == 0 })
		all = append(all, postBodies(f.seed, f.producers)...)
	}
	c.compareWithAll(all)
}

// floodTime is how long a flood, or the way from it, may take on a machine that
// is busy with other tests.
const floodTime = 10 * time.Minute

// tenTimes is how many bodies of the size, of each kind in turn, would need ten
// times the memory: one kind is read whole, and reckoned at four times its length.
func tenTimes(memory, size int) int {
	kinds := len(bodyKinds())
	return 10 * memory * kinds / (kinds*24<<20 + 4*size)
}

// soak passes over a test that is only for soaks.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("only in a soak: set ROLLCALL_SOAK")
	}
}

// TestRunMemory floods a process that does everything, with bodies and with
// questions at once.
func TestRunMemory(t *testing.T) {
	engines.Long(t, "floods a process with gigabytes")
	runMemory(t, 8, 1)
}

// TestSoakRunMemory is the same with longer bodies, and for longer.
func TestSoakRunMemory(t *testing.T) {
	soak(t)
	runMemory(t, 63, 3)
}

func runMemory(t *testing.T, mib, rounds int) {
	const bodies = 512 << 20
	dir, program := keyedFolder(t), build(t)
	p := spawnOf(t, program, "run", "--data", dir, "--listen", "127.0.0.1:0")
	demonstrate(t, dir)
	a := newAskers(t, p, heavy("FR", "demo", "2002-10"))
	var all []string
	for round := range rounds {
		f := newFlood(t, p, uint64(round), tenTimes(bodies, mib<<20), mib<<20)
		a.all(60)
		awaitFor(t, floodTime, time.Second/10, f.crested)
		p.requireBound(fmt.Sprintf("%d bodies of %d MiB, %d reports", f.producers, mib, 60*len(a.calm)), server.RunMemory)
		close(f.ebb)
		f.run.Wait()
		all = append(all, postBodies(f.seed, f.producers)...)
	}
	rollcallRun(t, "events", "load", "--backfill", "--data", dir, write(t, t.TempDir(), "last.ndjson", seededEvents(99, 100))) // waits for what came before
	p.requireBound("at the end", server.RunMemory)
	p.stop()
	undisturbed := keyedFolder(t)
	demonstrate(t, undisturbed)
	load(t, undisturbed, write(t, t.TempDir(), "all.ndjson", append(all, seededEvents(99, 100)...)))
	closed := regexp.MustCompile(`"[0-9-]+T[0-9:.]+Z"`) // when the month was closed, which is another time
	got, want := closed.ReplaceAllString(dumpOf(t, dir), ""), closed.ReplaceAllString(dumpOf(t, undisturbed), "")
	if got != want {
		t.Errorf("the store differs from what was answered 200: %s", firstDifference(got, want))
	}
}

// demonstrate loads a month of the demonstration.
func demonstrate(t *testing.T, dir string) {
	t.Helper()
	rollcallRun(t, "collect", "simulate", "--months", "2002-10", "--data", dir)
}
