package clickhouse_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

func mergeDeltas(tb testing.TB, s *clickhouse.Store, d rollcall.Deltas) {
	tb.Helper()
	if err := s.Merge(tb.Context(), d); err != nil {
		tb.Fatal(err)
	}
}

// mergeUntil sends a flush until it is stored, as the aggregator does.
func mergeUntil(t *testing.T, s *clickhouse.Store, d rollcall.Deltas) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	wait := time.NewTicker(20 * time.Millisecond)
	defer wait.Stop()
	for {
		err := s.Merge(ctx, d)
		if err == nil {
			return
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %v", err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never stored: %v", err)
		case <-wait.C:
		}
	}
}

// TestKill kills the server again and again while flushes are sent, each until
// it is stored: in the end the store is what an undisturbed one is.
func TestKill(t *testing.T) {
	server := engines.ClickHouse(t)
	databases := &names{}
	s := openStore(t, databases.dsn(server), clickhouse.Options{K: 12})
	flushes := make([]storetest.Facts, 24)
	for i := range flushes {
		flushes[i] = storetest.Draw(rand.New(rand.NewPCG(7, uint64(i))), 12, 60, 600)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	done, sent := make(chan struct{}), make(chan int, len(flushes))
	go func() {
		defer close(done)
		for i, f := range flushes {
			sent <- i
			mergeUntil(t, s, f.Deltas())
		}
	}()
	for kills := range 5 {
		await(t, sent, done, 1+rng.IntN(4))
		for range rng.IntN(40) { // some questions later, somewhere in a flush
			server.Query("SELECT 1")
		}
		server.Kill()
		server.Restart()
		t.Logf("kill %d", kills+1)
	}
	<-done
	alone := openStore(t, databases.dsn(server), clickhouse.Options{K: 12})
	for _, f := range flushes {
		mergeDeltas(t, alone, f.Deltas())
	}
	storetest.RequireSame(t, storetest.Dump(t, s), storetest.Dump(t, alone))
}

// await lets n flushes begin, or all be done.
func await(t *testing.T, sent <-chan int, done <-chan struct{}, n int) {
	t.Helper()
	for range n {
		select {
		case <-sent:
		case <-done:
		case <-t.Context().Done():
			t.Fatal("the test is over")
		}
	}
}

// TestAway: a store whose server is away says so in a line, and works when the
// server is back.
func TestAway(t *testing.T) {
	server := engines.ClickHouse(t)
	s := openStore(t, (&names{}).dsn(server), clickhouse.Options{K: 12})
	facts := storetest.Draw(rand.New(rand.NewPCG(9, 9)), 12, 20, 200)
	mergeDeltas(t, s, facts.Deltas())
	want := storetest.Dump(t, s)
	server.Kill()
	for range 3 {
		requireAway(t, s.Merge(t.Context(), facts.Deltas()))
	}
	requireAway(t, s.Ping(t.Context()))
	_, err := s.Markets(t.Context())
	requireAway(t, err)
	for _, err := range s.Cells(t.Context(), rollcall.CellQuery{Market: "FR"}) {
		requireAway(t, err)
	}
	server.Restart()
	mergeDeltas(t, s, facts.Deltas())
	storetest.RequireSame(t, storetest.Dump(t, s), want)
}

func requireAway(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "ClickHouse is away") || strings.Contains(err.Error(), "\n") {
		t.Errorf("with the server away: %v", err)
	}
}

// TestAwayInsideAFlush kills the server between a flush's first row and its end.
func TestAwayInsideAFlush(t *testing.T) {
	server := engines.ClickHouse(t)
	s := openStore(t, (&names{}).dsn(server), clickhouse.Options{K: 12})
	facts := storetest.Draw(rand.New(rand.NewPCG(9, 9)), 12, 20, 200)
	d := facts.Deltas()
	diaries, killed := d.Diaries, false
	d.Diaries = func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
		n := 0
		diaries(func(d rollcall.Diary, m *rollcall.Minutes) bool {
			if n++; n == 100 && !killed {
				killed = true
				server.Kill()
			}
			return yield(d, m)
		})
	}
	requireAway(t, s.Merge(t.Context(), d))
	server.Restart()
	mergeDeltas(t, s, d)
	want := storetest.Dump(t, s)
	mergeDeltas(t, s, facts.Deltas())
	storetest.RequireSame(t, storetest.Dump(t, s), want)
}
