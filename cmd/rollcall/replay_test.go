package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/aggregate/hll"
	"rollcall/internal/server"
	"rollcall/internal/sqlite"
)

// TestReplay loads the same events in every way that the log may bring them,
// and wants the same store, byte for byte.
func TestReplay(t *testing.T) {
	lines := replayEvents(20_000)
	want := replayed(t, func(dir string) { load(t, dir, write(t, dir, "a.ndjson", lines)) })
	ways := map[string]func(dir string){
		"twice": func(dir string) {
			file := write(t, dir, "a.ndjson", lines)
			load(t, dir, file, file)
			load(t, dir, file)
		},
		"shuffled": func(dir string) {
			shuffled := append([]string(nil), lines...)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			load(t, dir, write(t, dir, "a.ndjson", shuffled))
		},
		"two aggregators": func(dir string) { loadWithTwo(t, dir, write(t, dir, "a.ndjson", lines)) },
		"kill -9": func(dir string) {
			file := write(t, dir, "a.ndjson", lines)
			killWhileLoading(t, dir, file)
			load(t, dir, file)
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			if got := replayed(t, way); got != want {
				t.Fatalf("the store differs from an undisturbed run's: %s", firstDifference(got, want))
			}
		})
	}
}

// replayed gives the dump of a fresh store after f loaded events into it.
func replayed(t *testing.T, f func(dir string)) string {
	t.Helper()
	dir := keyedFolder(t)
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	f(dir)
	return dumpOf(t, dir)
}

// keyedFolder is an empty data folder with a key that is always the same.
func keyedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "master.key"), []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// dumpOf gives the facts of a data folder's store.
func dumpOf(t *testing.T, dir string) string {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "rollcall.db"), sqlite.Options{K: hll.DefaultK})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var dump bytes.Buffer
	if err := store.Dump(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dump.String(), "cells") || dump.Len() < 10_000 {
		t.Fatalf("the store holds next to nothing: %d bytes of dump", dump.Len())
	}
	return dump.String()
}

func rollcallRun(t *testing.T, args ...string) {
	t.Helper()
	if err := run(t.Context(), args, nil, io.Discard, io.Discard); err != nil {
		t.Fatalf("rollcall %s: %v", strings.Join(args, " "), err)
	}
}

func load(t *testing.T, dir string, files ...string) {
	t.Helper()
	rollcallRun(t, append([]string{"events", "load", "--backfill", "--data", dir}, files...)...)
}

// loadWithTwo loads while a second aggregator of the same group folds too.
func loadWithTwo(t *testing.T, dir, file string) {
	t.Helper()
	p, err := server.Start(t.Context(), &server.Engine{Data: dir}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := p.Fold(t.Context(), prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	load(t, dir, file)
}

// killWhileLoading starts a load in a process of its own and kills it once the
// aggregator has folded something.
func killWhileLoading(t *testing.T, dir, file string) {
	t.Helper()
	child := exec.Command("rollcall", "events", "load", "--backfill", "--data", dir, file) // TestMain put it on the PATH
	child.Stdout, child.Stderr = io.Discard, io.Discard
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	api := server.SocketClient(dir)
	await(t, func() bool { return folded(t.Context(), api) > 0 })
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
}

var foldedMetric = regexp.MustCompile(`(?m)^rollcall_events_folded_total (\d+)`)

// folded reads the aggregator's own count, 0 while nobody answers.
func folded(ctx context.Context, api *http.Client) (n int) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/metrics", nil)
	if err != nil {
		return 0
	}
	answer, err := api.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	if m := foldedMetric.FindSubmatch(text); m != nil {
		_, _ = fmt.Sscan(string(m[1]), &n)
	}
	return n
}

// await polls a condition until a deadline.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	awaitEvery(t, 5*time.Millisecond, ok)
}

func awaitEvery(t *testing.T, every time.Duration, ok func() bool) {
	t.Helper()
	awaitFor(t, time.Minute, every, ok)
}

// awaitFor waits for the condition for so long.
func awaitFor(t *testing.T, most, every time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.After(most)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it did not happen within %s", most)
		case <-tick.C:
		}
	}
}

// replayEvents draws census and panel events with all that is awkward: time
// zones' edges, midnights, intervals, duplicates, kinds that count nothing.
func replayEvents(n int) []string { return seededEvents(10, n) }

func seededEvents(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(2002, seed))
	services := []string{"msn", "aim", "icq", "yahoo", "jabber", "online"}
	kinds := []string{"login", "presence", "use", "logout", "login_failed"}
	places := []string{"home", "work", "elsewhere"}
	first := time.Date(2002, 10, 25, 20, 0, 0, 0, time.UTC)
	lines := make([]string, n)
	for i := range lines {
		at := first.Add(time.Duration(r.Int64N(int64(72 * time.Hour))))
		who := fmt.Sprintf(`"account":"user%d@example.org"`, r.IntN(n/4))
		if r.IntN(3) == 0 {
			who = fmt.Sprintf(`"panel":"nn","panelist":"P%04d"`, r.IntN(300))
		}
		until := ""
		if r.IntN(2) == 0 {
			until = fmt.Sprintf(`"until":%q,`, at.Add(time.Duration(r.Int64N(int64(5*time.Hour)))).Format(time.RFC3339Nano))
		}
		lines[i] = fmt.Sprintf(`{"time":%q,%s"market":"FR","service":%q,"location":%q,"kind":%q,%s}`,
			at.Format(time.RFC3339Nano), until, services[r.IntN(len(services))], places[r.IntN(len(places))], kinds[r.IntN(len(kinds))], who)
	}
	return lines
}

func write(t *testing.T, dir, name string, lines []string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n got %.200s\nwant %.200s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines against %d", len(a), len(b))
}
