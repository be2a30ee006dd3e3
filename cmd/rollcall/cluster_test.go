package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/clickhouse"
	"rollcall/internal/kafka"
	"rollcall/internal/test/engines"
)

// cluster is a real Kafka, a database of a real ClickHouse, and processes of
// rollcall on them.
type cluster struct {
	*testing.T
	kafka    *engines.KafkaServer
	server   *engines.ClickHouseServer
	database string
	dir      string
	program  string // of the processes; "": this test
}

// newCluster starts both engines.
func newCluster(t *testing.T, properties ...string) *cluster {
	t.Helper()
	engines.Require(t, engines.KafkaEngine)
	engines.Require(t, engines.ClickHouseEngine)
	return clusterOn(t, engines.Kafka(t, properties...), engines.ClickHouse(t))
}

// clusterOn is a cluster on these engines, with a market in the store.
func clusterOn(t *testing.T, log *engines.KafkaServer, server *engines.ClickHouseServer) *cluster {
	t.Helper()
	c := &cluster{T: t, kafka: log, server: server, dir: t.TempDir()}
	if err := os.WriteFile(c.keyFile(), []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return c.fresh(t, "first")
}

// fresh is the same cluster with an empty store, which reads the whole log.
func (c *cluster) fresh(t *testing.T, database string) *cluster {
	t.Helper()
	f := c.empty(database)
	f.T = t
	f.run("market", "add", "FR", "--zone", "Europe/Paris")
	return f
}

// empty is the same cluster with a store that has no market.
func (c *cluster) empty(database string) *cluster {
	return &cluster{T: c.T, kafka: c.kafka, server: c.server, database: database, dir: c.dir, program: c.program}
}

func (c *cluster) keyFile() string { return filepath.Join(c.dir, "key") }

func (c *cluster) dsn() string { return "clickhouse://" + c.server.Addr() + "/" + c.database }

func (c *cluster) flags() []string {
	return []string{"--brokers", c.kafka.Addr(), "--clickhouse", c.dsn(), "--key-file", c.keyFile(), "--kafka-partitions", "4"}
}

// run runs a command in this process.
func (c *cluster) run(args ...string) string {
	c.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

// try is run with its error.
func (c *cluster) try(args ...string) (string, error) {
	var out, logs bytes.Buffer
	if err := run(c.Context(), append(args[:len(args):len(args)], c.flags()...), nil, &out, &logs); err != nil {
		return "", fmt.Errorf("rollcall %s: %w\n%s", strings.Join(args, " "), err, logs.String())
	}
	return out.String(), nil
}

// child is a process of rollcall that the test may kill.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string // where it listens
	api  *http.Client
	gone chan struct{} // closed when the process has ended
	logs *lockedBuffer
}

// spawn starts a role on a free port, and returns when it listens.
func (c *cluster) spawn(args ...string) *child {
	c.Helper()
	return spawnOf(c.T, cmp.Or(c.program, itself), append(append(args, "--listen", "127.0.0.1:0"), c.flags()...)...)
}

// itself is this test as rollcall: TestMain put it on the PATH.
const itself = "rollcall"

func spawn(t *testing.T, args ...string) *child {
	t.Helper()
	return spawnOf(t, itself, args...)
}

func spawnOf(t *testing.T, program string, args ...string) *child {
	t.Helper()
	p := &child{t: t, cmd: exec.Command(program, args...), gone: make(chan struct{}), logs: new(lockedBuffer)}
	p.cmd.Stderr = p.logs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", strings.Join(args[:2], " "), p.logs.tail())
		}
	})
	lines := bufio.NewReader(out)
	said, err := lines.ReadString('\n')
	go func() {
		defer close(p.gone)
		_, _ = io.Copy(io.Discard, lines)
		_ = p.cmd.Wait() // how it ended is in its log
	}()
	if err != nil {
		t.Fatalf("rollcall %s ended at once: %v", strings.Join(args[:2], " "), err)
	}
	_, p.addr, _ = strings.Cut(strings.TrimSpace(said), "://")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", p.addr)
	}
	p.api = &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	return p
}

func (p *child) kill() { p.end(syscall.SIGKILL) }
func (p *child) stop() { p.end(syscall.SIGTERM) }

func (p *child) end(how syscall.Signal) {
	_ = p.cmd.Process.Signal(how) // it may have ended already
	<-p.gone
}

func (p *child) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// metric reads one metric, 0 while nobody answers.
func (p *child) metric(name string) (v float64) {
	answer, err := p.api.Get("http://localhost/metrics")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)`).FindAllSubmatch(text, -1) {
		var one float64
		_, _ = fmt.Sscan(string(m[1]), &one)
		v += one
	}
	return v
}

// ready asks /readyz.
func (p *child) ready() bool {
	answer, err := p.api.Get("http://localhost/readyz")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// aggregator starts an aggregator that flushes often, unless more flags say
// otherwise.
func (c *cluster) aggregator(more ...string) *child {
	c.Helper()
	args := []string{"aggregate"}
	for flag, value := range map[string]string{"--flush-every": "150ms", "--flush-behind": "300ms", "--flush-bytes": "1"} {
		if !slices.Contains(more, flag) {
			args = append(args, flag, value)
		}
	}
	return c.spawn(append(args, more...)...)
}

// await waits for the condition.
func (c *cluster) await(ok func() bool) {
	c.Helper()
	await(c.T, ok)
}

// settle waits until the store has all that the log holds.
func (c *cluster) settle() {
	c.Helper()
	store := c.open()
	group := "rollcall-" + store.ID()
	if err := store.Close(); err != nil {
		c.Fatal(err)
	}
	log := kafka.Dial([]string{c.kafka.Addr()}, kafka.Security{})
	defer log.Close()
	for deadline := time.Now().Add(floodTime); ; {
		ctx, cancel := context.WithTimeout(c.Context(), time.Second)
		err := kafka.Settle(ctx, log, group)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.Fatal(err)
		}
	}
}

func (c *cluster) open() *clickhouse.Store {
	c.Helper()
	store, err := clickhouse.Open(c.Context(), c.dsn(), clickhouse.Options{})
	if err != nil {
		c.Fatal(err)
	}
	return store
}

// dump gives the store's facts.
func (c *cluster) dump() string {
	c.Helper()
	var dump bytes.Buffer
	c.dumpTo(&dump)
	c.requireFacts(dump.Len())
	return dump.String()
}

// sum gives a hash of the dump.
func (c *cluster) sum() string {
	c.Helper()
	h := &counted{Hash: sha256.New()}
	c.dumpTo(h)
	c.requireFacts(h.n)
	return hex.EncodeToString(h.Sum(nil))
}

// counted is a hash that knows how much it has had.
type counted struct {
	hash.Hash
	n int
}

// Write adds to the hash.
func (h *counted) Write(b []byte) (int, error) {
	h.n += len(b)
	return h.Hash.Write(b)
}

func (c *cluster) requireFacts(bytes int) {
	c.Helper()
	if bytes < 10_000 {
		c.Fatalf("the store holds next to nothing: %d bytes of dump", bytes)
	}
}

// dumpTo writes the dump.
func (c *cluster) dumpTo(w io.Writer) {
	c.Helper()
	store := c.open()
	defer store.Close()
	if err := store.Dump(c.Context(), w); err != nil {
		c.Fatal(err)
	}
}

// requireSame ends the test where two stores of one log differ.
func (c *cluster) requireSame(undisturbed *cluster) {
	c.Helper()
	c.settle()
	undisturbed.settle()
	if c.sum() == undisturbed.sum() {
		return
	}
	if got, want := c.dump(), undisturbed.dump(); got != want {
		c.Fatalf("the store differs from an undisturbed one: %s", firstDifference(got, want))
	}
}
