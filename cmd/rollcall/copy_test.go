package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// TestGrowing follows docs/operating.md from a folder to a cluster, after a copy
// that was killed in the middle.
func TestGrowing(t *testing.T) {
	engines.Require(t, engines.KafkaEngine)
	engines.Require(t, engines.ClickHouseEngine)
	steps := operatingSteps(t, "Growing out of one machine")
	engines.Elsewhere(t)
	rollcallRun(t, "collect", "simulate", "--months", "2002-10,2002-11")
	rollcallRun(t, "token", "new", "--name", "grafana", "--role", "read", "--tokens", "rollcall-data/tokens")
	g := growing{T: t, kafka: engines.Kafka(t), server: engines.ClickHouse(t)}
	killCopy(t, g.server)
	for _, line := range steps {
		g.follow(line)
	}
	if len(g.copied) < 14 {
		t.Errorf("the copy is compared in %d lines", len(g.copied))
	}
	for _, line := range g.copied {
		if !strings.HasSuffix(line, "the same") {
			t.Errorf("of the copy: %s", line)
		}
	}
}

// operatingSteps gives the command lines of a section of docs/operating.md.
func operatingSteps(t *testing.T, section string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "docs/operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n## "+section+"\n")
	within, _, _ := strings.Cut(after, "\n## ")
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)^ {7}(\S.*)$`).FindAllStringSubmatch(within, -1) {
		lines = append(lines, m[1])
	}
	if len(lines) < 10 {
		t.Fatalf("section %q has %d commands: they are not where they were", section, len(lines))
	}
	return lines
}

// growing is where the documents' engines are.
type growing struct {
	*testing.T
	kafka  *engines.KafkaServer
	server *engines.ClickHouseServer
	copied []string // what `store copy` printed of each kind
}

const documentedStore = "clickhouse://rollcall@store:9000/rollcall"

func (g *growing) store() string { return "clickhouse://" + g.server.Addr() + "/rollcall" }

// follow does what a line says, on this machine's engines: they have no
// passwords.
func (g *growing) follow(line string) {
	g.Helper()
	line = strings.NewReplacer("--clickhouse-password-file store.password", "", documentedStore, g.store(), "broker:9092", g.kafka.Addr()).Replace(line)
	line = regexp.MustCompile(`--listen \S+`).ReplaceAllString(line, "--listen 127.0.0.1:0")
	args := words(line)
	if args[0] != "bin/rollcall" {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			g.Fatalf("%s: %v\n%s", line, err, out)
		}
		return
	}
	switch args = args[1:]; args[0] {
	case "aggregate", "collect", "serve":
		role := spawn(g.T, args...)
		await(g.T, role.ready)
	default:
		out := new(strings.Builder)
		if err := run(g.Context(), args, nil, out, io.Discard); err != nil {
			g.Fatalf("%s: %v\n%s", line, err, out)
		}
		if args[0] == "store" {
			g.copied = slices.DeleteFunc(strings.Split(out.String(), "\n"), func(line string) bool {
				return !regexp.MustCompile(`^\S.*  \d+ +\d+  `).MatchString(line)
			})
		}
	}
}

// killCopy begins a copy, and kills it with ClickHouse standing still after the
// first facts.
func killCopy(t *testing.T, server *engines.ClickHouseServer) {
	t.Helper()
	address := "clickhouse://" + server.Addr() + "/rollcall"
	ctx, kill := context.WithCancel(t.Context())
	copying := exec.CommandContext(ctx, itself, "store", "copy", "--to", address)
	copying.Stderr = new(lockedBuffer)
	if err := copying.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		n, err := server.Try(t.Context(), "SELECT count() FROM rollcall.cells")
		return err == nil && n != "0"
	})
	server.Pause()
	kill()
	err := copying.Wait()
	server.Resume()
	if err == nil {
		t.Fatalf("the copy had ended before it was killed: %s", copying.Stderr)
	}
	err = run(t.Context(), []string{"market", "list", "--clickhouse", address}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "unfinished copy of store") {
		t.Errorf("an unfinished copy is read: %v", err)
	}
}

// TestCopyFoldsTheLog: what a killed process had taken and not folded is in the
// copy.
func TestCopyFoldsTheLog(t *testing.T) {
	server := engines.ClickHouse(t)
	data, address := t.TempDir(), "clickhouse://"+server.Addr()+"/rollcall"
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", data)
	r := spawn(t, "run", "--data", data, "--listen", "127.0.0.1:0")
	answer, err := r.api.Post("http://localhost/v1/events?backfill=true", "application/x-ndjson", strings.NewReader(strings.Join(censusLines(5000), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	r.kill()
	rollcallRun(t, "store", "copy", "--data", data, "--to", address)
	census := []string{"census", "--market", "FR", "--service", "msn", "--from", "2002-10", "--to", "2002-10", "--format", "csv"}
	out := new(strings.Builder)
	if err := run(t.Context(), append(census, "--clickhouse", address), nil, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := new(strings.Builder)
	if err := run(t.Context(), append(census, "--data", data), nil, want, io.Discard); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() || !regexp.MustCompile(`,msn,[45]\d\d\d`).MatchString(out.String()) {
		t.Errorf("the copy's census:\n%s\nthe folder's:\n%s", out, want)
	}
}

// censusLines are events of so many accounts.
func censusLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"time":"2002-10-%02dT18:22:05Z","market":"FR","service":"msn","location":"home","kind":"use","account":"a%d@example.org"}`, 1+i%31, i)
	}
	return lines
}
