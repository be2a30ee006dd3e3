package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/api/access"
)

// TestStarting: a role whose engines are away lives, is not ready, and stops
// when it is told to. Beyond loopback it wants a key for all but the probes.
func TestStarting(t *testing.T) {
	dir := t.TempDir()
	key, tokens := filepath.Join(dir, "key"), filepath.Join(dir, "tokens")
	if err := os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, secret, err := access.NewToken(tokens, access.Token{Name: "a test", Role: access.RoleRead}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const nobody = "127.0.0.1:1"
	for name, args := range map[string][]string{
		"aggregate": {"aggregate", "--data", filepath.Join(dir, "data")},
		"serve":     {"serve", "--clickhouse", "clickhouse://" + nobody + "/x"},
		"collect":   {"collect", "http", "--clickhouse", "clickhouse://" + nobody + "/x", "--spool", filepath.Join(dir, "spool")},
	} {
		t.Run(name, func(t *testing.T) {
			p := spawn(t, append(args, "--brokers", nobody, "--key-file", key, "--listen", "0.0.0.0:0", "--insecure-http", "--tokens", tokens)...)
			for path, want := range map[string]int{
				"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusUnauthorized,
			} {
				if got := p.statusOf(t, path, ""); got != want {
					t.Errorf("%s: %d, want %d", path, got, want)
				}
			}
			if got := p.statusOf(t, "/v1/markets", secret); got != http.StatusServiceUnavailable {
				t.Errorf("/v1/markets with a key: %d", got)
			}
			p.stop()
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("told to stop, it ended with %d:\n%s", code, p.logs.tail())
			}
		})
	}
}

func (p *child) statusOf(t *testing.T, path, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := p.api.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
