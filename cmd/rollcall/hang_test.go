package main

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
)

// TestStoreHangs stops ClickHouse without closing a connection: what asks it is
// told to come back, nothing piles up, and all goes on when it does.
func TestStoreHangs(t *testing.T) {
	server := engines.ClickHouse(t)
	dsn := "clickhouse://" + server.Addr() + "/hangs"
	store, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.PutMarket(t.Context(), rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris"}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s := spawn(t, "serve", "--clickhouse", dsn, "--listen", "127.0.0.1:0")
	await(t, s.ready)
	const census = "/v1/census?market=FR&service=msn&from=2002-10-01&to=2002-10-31"
	if status := s.answers(t, census); status != http.StatusOK {
		t.Fatalf("the census: %d", status)
	}
	before := s.metric("go_goroutines")
	server.Pause()
	if status := s.answers(t, "/readyz"); status != http.StatusServiceUnavailable { // before it is known to hang
		t.Errorf("/readyz: %d", status)
	}
	for range 3 {
		var all sync.WaitGroup
		for _, path := range []string{
			census, "/v1/publications?market=FR", "/v1/publications/FR/nn/2002-10/1/verify",
			"/v1/reports/ranking?market=FR&panel=nn&month=2002-10&live=true", "/v1/targets",
		} {
			for range 5 {
				all.Go(func() { s.requireAway(t, path) })
			}
		}
		all.Wait()
		if status := s.answers(t, "/readyz"); status != http.StatusServiceUnavailable {
			t.Errorf("/readyz: %d", status)
		}
		if status := s.answers(t, "/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d", status)
		}
	}
	await(t, func() bool { return s.metric("go_goroutines") < before+20 })
	server.Resume()
	await(t, s.ready)
	if status := s.answers(t, census); status != http.StatusOK {
		t.Errorf("the census afterwards: %d", status)
	}
}

func (p *child) answers(t *testing.T, path string) int {
	t.Helper()
	answer, err := p.api.Get("http://localhost" + path)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // the status is all that is asked
	return answer.StatusCode
}

// requireAway asks what the store knows, and wants to be told to come back.
func (p *child) requireAway(t *testing.T, path string) {
	t.Helper()
	answer, err := p.api.Get("http://localhost" + path)
	if err != nil {
		t.Error(err)
		return
	}
	defer answer.Body.Close()
	var told struct{ Code, Detail string }
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || answer.Header.Get("Content-Type") != "application/problem+json" ||
		told.Code != "away" || strings.Contains(told.Detail, "127.0.0.1") {
		t.Errorf("%s: %d, Retry-After %q, %q %q", path, answer.StatusCode, answer.Header.Get("Retry-After"), told.Code, told.Detail)
	}
}

// TestRunWaits: `run` on engines that are not up yet listens, says that it is
// not ready and what it waits for, and goes on by itself.
func TestRunWaits(t *testing.T) {
	c := newCluster(t)
	c.kafka.Kill()
	c.server.Kill()
	r := c.spawn("run")
	waits := func(what string) func() bool {
		return func() bool {
			return r.answers(t, "/readyz") == http.StatusServiceUnavailable && strings.Contains(r.logs.String(), "waiting for the "+what)
		}
	}
	await(t, waits("store"))
	c.server.Restart()
	await(t, waits("log"))
	c.kafka.Restart()
	c.await(r.ready)
}

// TestLogHangs stops Kafka without closing a connection: a process without a
// spool tells senders to come back, and takes their events when it is back.
func TestLogHangs(t *testing.T) {
	log := engines.Kafka(t)
	dir := t.TempDir()
	key := write(t, dir, "key", []string{strings.Repeat("5a", 32)})
	flags := []string{"--brokers", log.Addr(), "--data", filepath.Join(dir, "data"), "--key-file", key, "--kafka-partitions", "2"}
	rollcallRun(t, append([]string{"market", "add", "FR", "--zone", "Europe/Paris"}, flags...)...)
	r := spawn(t, append([]string{"run", "--listen", "127.0.0.1:0"}, flags...)...)
	await(t, r.ready)
	r.api.Timeout = time.Minute
	send := func() (status int, again string) {
		answer, err := r.api.Post("http://localhost/v1/events?backfill=true", "application/x-ndjson", strings.NewReader(censusLines(1)[0]))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Retry-After")
	}
	if status, _ := send(); status != http.StatusOK {
		t.Fatalf("an event: %d", status)
	}
	log.Pause()
	for range 2 {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if status, again := send(); status != http.StatusServiceUnavailable || again == "" {
					t.Errorf("an event while Kafka hangs: %d, Retry-After %q", status, again)
				}
			})
		}
		all.Wait()
	}
	if status := r.answers(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", status)
	}
	log.Resume()
	await(t, func() bool { status, _ := send(); return status == http.StatusOK })
	await(t, r.ready)
}
