package server

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/api"
	"rollcall/internal/kafka/embedded"
	"rollcall/internal/sqlite"
)

// TestNoLog: a process without a log says so, whatever is asked of its log.
func TestNoLog(t *testing.T) {
	p := &Process{}
	if _, err := (rejected{p}).Resend(t.Context(), api.RejectedQuery{}); !errors.Is(err, errNoLog) {
		t.Errorf("resend: %v", err)
	}
	if err := (eventLog{p}).Settle(t.Context()); !errors.Is(err, errNoLog) {
		t.Errorf("settle: %v", err)
	}
	for _, err := range (rejected{p}).Rejected(t.Context(), api.RejectedQuery{}) {
		if !errors.Is(err, errNoLog) {
			t.Errorf("rejected: %v", err)
		}
	}
}

// TestDegraded: a process whose log was damaged does its work, and says so.
func TestDegraded(t *testing.T) {
	dir := t.TempDir()
	b, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &Process{broker: b, Options: Options{Log: slog.New(slog.DiscardHandler)}}
	health := api.Health{Degraded: p.degraded, Log: p.Log}
	ask := func() string {
		answer := httptest.NewRecorder()
		health.CanWork(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		if answer.Code != http.StatusOK {
			t.Errorf("/readyz answers %d", answer.Code)
		}
		return answer.Body.String()
	}
	if got := ask(); !strings.Contains(got, `"ready"`) {
		t.Errorf("a sound log: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "damage.json"), []byte(`{"since":"2026-11-29T11:17:40Z","bytes":9,"records":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, `"degraded"`) || !strings.Contains(got, "log acknowledge") {
		t.Errorf("a damaged log: %s", got)
	}
	if d, err := (eventLog{p}).Acknowledge(t.Context()); err != nil || d.Records != 1 {
		t.Errorf("acknowledged %+v: %v", d, err)
	}
	if got := ask(); !strings.Contains(got, `"ready"`) {
		t.Errorf("after it was acknowledged: %s", got)
	}
}

// TestDegradedStore: a process whose store has set a damaged row aside does its
// work, and says so, whatever its role.
func TestDegradedStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p := &Process{store: &watchedStore{engineStore: store, now: time.Now}, Options: Options{Log: slog.New(slog.DiscardHandler)}, metrics: prometheus.NewRegistry()}
	ready := func(context.Context) error { return nil }
	ask := func() string {
		answer := httptest.NewRecorder()
		p.probes(ready).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
		if answer.Code != http.StatusOK {
			t.Errorf("/readyz answers %d", answer.Code)
		}
		return answer.Body.String()
	}
	deltas := rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		yield(rollcall.Cell{Market: "FR", Day: rollcall.DayOf(2002, time.October, 3), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}, rollcall.CellState{})
	}}
	if err := p.store.Merge(t.Context(), deltas); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, `"ready"`) {
		t.Errorf("a sound store: %s", got)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE cells SET visitors = x'ff'`); err != nil {
		t.Fatal(err)
	}
	if err := p.store.Merge(t.Context(), deltas); err != nil { // comes by the row
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, `"degraded"`) || !strings.Contains(got, "1 damaged rows") || !strings.Contains(got, "store check") {
		t.Errorf("a row was set aside: %s", got)
	}
	if err := p.store.ForgetSetAside(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, `"ready"`) {
		t.Errorf("once it is forgotten: %s", got)
	}
}
