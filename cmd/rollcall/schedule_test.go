package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// patron is a webhook's receiver. Its first request is never answered.
type patron struct {
	testing.TB
	first chan struct{} // closed when the first request is there

	mu  sync.Mutex // guards ids
	ids []string   // of the requests that said that a month is closed
}

func (p *patron) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.Error(err)
	}
	if !bytes.Contains(body, []byte(`"type":"month.closed"`)) {
		return
	}
	p.mu.Lock()
	p.ids = append(p.ids, r.Header.Get("webhook-id"))
	first := len(p.ids) == 1
	p.mu.Unlock()
	if first {
		close(p.first)
		<-r.Context().Done() // its sender was killed
	}
}

func (p *patron) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ids)
}

// lastMonth loads a panel's files for the month before this one.
func lastMonth(t *testing.T, flags []string) (month string) {
	t.Helper()
	month = time.Now().UTC().AddDate(0, 0, -time.Now().UTC().Day()).Format("2006-01")
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	var roster strings.Builder
	roster.WriteString("panelist,home,work,base_weight,sex\n")
	for i := range 200 {
		fmt.Fprintf(&roster, "P%03d,1,%d,1,%s\n", i, r.IntN(2), []string{"F", "M"}[i%2])
	}
	files := map[string]string{
		"panelists.csv": roster.String(),
		"universe.csv":  "margin,category,population,source,source_date\nsex,F,5200000,A study,2026-01-15\nsex,M,4800000,A study,2026-01-15\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"market", "add", "FR", "--zone", "UTC", "--name", "France"},
		{"panel", "load", "--market", "FR", "--panel", "nn", "--month", month, "--panelists", filepath.Join(dir, "panelists.csv"), "--universe", filepath.Join(dir, "universe.csv")},
	} {
		var out, logs bytes.Buffer
		if err := run(t.Context(), append(args, flags...), nil, &out, &logs); err != nil {
			t.Fatalf("rollcall %s: %v\n%s", strings.Join(args, " "), err, logs.String())
		}
	}
	return month
}

// TestServersKilledWhileTheyTell: a server is killed while it tells that it has
// closed a month; another on the same ClickHouse closes nothing, and tells under
// the same id. The first, started again, has nothing left to do.
func TestServersKilledWhileTheyTell(t *testing.T) {
	store, dir := engines.ClickHouse(t), t.TempDir()
	key, secret, figures := filepath.Join(dir, "key"), filepath.Join(dir, "secret"), filepath.Join(dir, "figures")
	for path, text := range map[string]string{key: strings.Repeat("5a", 32), secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := []string{"--clickhouse", "clickhouse://" + store.Addr() + "/schedule", "--key-file", key}
	month := lastMonth(t, flags)
	p := &patron{TB: t, first: make(chan struct{})}
	receiver := httptest.NewServer(p)
	t.Cleanup(receiver.Close)
	serve := func() *child {
		return spawn(t, append([]string{
			"serve", "--listen", "127.0.0.1:0", "--close-day", "1", "--close-time", "00:00", "--export-dir", figures,
			"--webhook", receiver.URL + "/hidden", "--webhook-secret-file", secret,
		}, flags...)...)
	}
	c := &cluster{T: t, server: store}
	first := serve()
	c.await(func() bool {
		select {
		case <-p.first:
			return true
		default:
			return false
		}
	})
	second := serve()
	first.kill()
	c.await(func() bool { return len(p.told()) > 1 && second.metric("rollcall_deliveries_pending") == 0 })
	again := serve()
	c.await(func() bool { return again.metric("rollcall_schedule_timestamp_seconds") > 0 })
	told := p.told()
	if len(told) != 2 || told[0] != told[1] {
		t.Errorf("told as %v", told)
	}
	requireOneVersion(t, again, month, figures)
	for _, server := range []*child{first, second, again} {
		if log := server.logs.tail(); strings.Contains(log, "hidden") || strings.Contains(log, "MfKQ9r8G") {
			t.Errorf("a log has what may be secret:\n%s", log)
		}
	}
}

// requireOneVersion: a month has one version, and one folder.
func requireOneVersion(t *testing.T, server *child, month, figures string) {
	t.Helper()
	answer, err := server.api.Get("http://localhost/v1/publications?market=FR")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var list struct {
		Rows []struct {
			Month   string
			Version int
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil || len(list.Rows) != 1 || list.Rows[0].Month != month || list.Rows[0].Version != 1 {
		t.Errorf("published %+v, %v", list.Rows, err)
	}
	folders, err := os.ReadDir(figures)
	if err != nil || len(folders) != 1 || folders[0].Name() != "rollcall_FR_nn_"+month+"_v1" {
		t.Errorf("folders %v, %v", folders, err)
	}
}
