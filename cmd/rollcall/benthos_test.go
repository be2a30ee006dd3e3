package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// TestSoakBenthos has Benthos send a file over HTTP, as docs/sources.md says, while the
// collector is killed and started anew. All accounts are counted, once; a line that is
// refused stops nothing.
func TestSoakBenthos(t *testing.T) {
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("only in a soak: set ROLLCALL_SOAK")
	}
	const accounts = 100000
	c := newCluster(t)
	await(t, c.aggregator().ready)
	c.run("service", "add", "app", "--name", "App", "--census", "exact")
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens")
	key := keyOf(t, tokens)
	role := []string{"collect", "http", "--tokens", tokens, "--spool", filepath.Join(dir, "spool")}
	collector := c.spawn(role...)
	collector.api.Transport = withKey{collector.api.Transport, administrator(t, tokens)}

	var events strings.Builder
	for i, account := range accountsOfApp("app", accounts) {
		fmt.Fprintf(&events, `{"time":%q,"kind":"use","account":%q}`+"\n", time.Now().UTC().Format(time.RFC3339), account)
		if i%10000 == 0 {
			events.WriteString(`{"time":"never","kind":"use","account":"x"}` + "\n")
		}
	}
	p := &producer{T: t}
	program := engines.BuildBenthos(t)
	configuration := p.file("benthos.yaml", p.documented("Benthos", "yaml", "/var/log/app/events.ndjson", p.file("events.ndjson", events.String()),
		"https://stats.example.org", "http://"+collector.addr, "KEY", key))
	sent := make(chan error, 1)
	go func() { sent <- engines.RunBenthos(t.Context(), program, configuration) }()
	const often = 20 * time.Millisecond
	awaitFor(t, 5*time.Minute, often, func() bool { return collector.metric("rollcall_http_requests_total") > 20 })
	collector.kill()
	select {
	case err := <-sent:
		t.Fatalf("Benthos had ended before the collector was killed: %v", err)
	default:
	}
	spawnOf(t, itself, append(append(role, "--listen", collector.addr), c.flags()...)...)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	c.settle()
	awaitCensus(t, accounts, accounts, func() string { return c.run(censusOfApp()...) })
	if refused := c.recordsOf("rollcall.rejected", 1); !strings.Contains(refused, "never") {
		t.Error("what was refused is not among the rejected")
	}
}
