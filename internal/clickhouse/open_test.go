package clickhouse_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

func TestOpen(t *testing.T) {
	server := engines.ClickHouse(t)
	databases := &names{}
	for _, c := range []struct {
		name string
		test func(*testing.T, *engines.ClickHouseServer, string)
	}{
		{"again", testOpenAgain},
		{"another precision", testOpenAnotherPrecision},
		{"refuses", testOpenRefuses},
		{"two at once", testOpenTwoAtOnce},
		{"after a migration that was cut short", testOpenAfterPart},
		{"backup", testBackup},
		{"only what is there", testOpenExisting},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, server, databases.dsn(server)) })
	}
}

func testOpenAgain(t *testing.T, _ *engines.ClickHouseServer, dsn string) {
	s := openStore(t, dsn, clickhouse.Options{K: 13})
	mergeDeltas(t, s, storetest.Draw(rand.New(rand.NewPCG(1, 1)), 13, 20, 200).Deltas())
	want, id := storetest.Dump(t, s), s.ID()
	for _, k := range []int{0, 13} {
		again := openStore(t, dsn, clickhouse.Options{K: k})
		if again.ID() != id || again.K() != 13 {
			t.Errorf("opened for K %d: id %s, want %s; K %d, want 13", k, again.ID(), id, again.K())
		}
		if err := again.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		storetest.RequireSame(t, storetest.Dump(t, again), want)
	}
}

func testOpenAnotherPrecision(t *testing.T, _ *engines.ClickHouseServer, dsn string) {
	openStore(t, dsn, clickhouse.Options{K: 12})
	_, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{K: 14})
	if !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "12") || !strings.Contains(err.Error(), "14") {
		t.Errorf("a store of K 12 opened for 14: %v", err)
	}
	if _, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{K: 19}); err == nil {
		t.Error("a store of K 19 is opened")
	}
}

func testOpenRefuses(t *testing.T, server *engines.ClickHouseServer, dsn string) {
	_, database, _ := strings.Cut(strings.TrimPrefix(dsn, "clickhouse://"), "/")
	server.Query("CREATE DATABASE " + database)
	server.Query("CREATE TABLE " + database + ".theirs (x UInt8) ENGINE = Log")
	if _, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{}); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a database of other tables: %v", err)
	}
	server.Query("DROP TABLE " + database + ".theirs")
	openStore(t, dsn, clickhouse.Options{})
	server.Query("INSERT INTO " + database + ".migrations VALUES (99, 'later')")
	if _, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{}); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a newer Rollcall's store: %v", err)
	}
	for name, bad := range map[string]clickhouse.Options{
		"a cluster that isn't there":        {Cluster: "none"},
		"replicated tables on no cluster":   {Replicated: true},
		"a cluster of more than the server": {Cluster: "test_shard_localhost"},
	} {
		_, err := clickhouse.Open(t.Context(), dsn, bad)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "clickhouse://", "http://127.0.0.1:8123/x", "clickhouse://user:secret@%zz/"} {
		_, err := clickhouse.Open(t.Context(), bad, clickhouse.Options{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("DSN %q: %v", bad, err)
		}
	}
}

// testOpenTwoAtOnce makes one new store by several processes, of one mind or
// not: all that open it have the same id and K.
func testOpenTwoAtOnce(t *testing.T, _ *engines.ClickHouseServer, dsn string) {
	stores, errs := make([]*clickhouse.Store, 4), make([]error, 4)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() { stores[i], errs[i] = clickhouse.Open(t.Context(), dsn, clickhouse.Options{K: 12 + i%2}) })
	}
	wg.Wait()
	last := openStore(t, dsn, clickhouse.Options{})
	opened := 0
	for i, s := range stores {
		if errs[i] != nil {
			if !errors.Is(errs[i], rollcall.ErrConflict) {
				t.Errorf("opener %d: %v", i, errs[i])
			}
			continue
		}
		opened++
		if s.ID() != last.ID() || s.K() != last.K() {
			t.Errorf("opener %d has id %s and K %d, the store %s and %d", i, s.ID(), s.K(), last.ID(), last.K())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if opened == 0 {
		t.Error("nobody opened the store")
	}
}

// testOpenAfterPart: the statements of the last migration run again, if they ran
// before a record of them was written, or some of them did. One before it never
// does: it would take from the key of cells what the last one adds.
func testOpenAfterPart(t *testing.T, server *engines.ClickHouseServer, dsn string) {
	s := openStore(t, dsn, clickhouse.Options{K: 12})
	mergeDeltas(t, s, storetest.Draw(rand.New(rand.NewPCG(2, 1)), 12, 20, 200).Deltas())
	want := storetest.Dump(t, s)
	_, database, _ := strings.Cut(strings.TrimPrefix(dsn, "clickhouse://"), "/")
	last := server.Query("SELECT max(number) FROM " + database + ".migrations")
	server.Query("ALTER TABLE " + database + ".migrations DELETE WHERE number = " + last + " SETTINGS mutations_sync = 2")
	server.Query("DROP TABLE " + database + ".corrections")
	again := openStore(t, dsn, clickhouse.Options{K: 12})
	if again.ID() != s.ID() {
		t.Error("the store has another id")
	}
	storetest.RequireSame(t, storetest.Dump(t, again), want)
}

// testOpenExisting: who only reads makes no database and no table.
func testOpenExisting(t *testing.T, server *engines.ClickHouseServer, dsn string) {
	_, database, _ := strings.Cut(strings.TrimPrefix(dsn, "clickhouse://"), "/")
	refused := func(what string) {
		t.Helper()
		if _, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{Existing: true}); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("no database")
	if n := server.Query("SELECT count() FROM system.databases WHERE name = '" + database + "'"); n != "0" {
		t.Error("the database was made")
	}
	server.Query("CREATE DATABASE " + database)
	refused("an empty database")
	if n := server.Query("SELECT count() FROM system.tables WHERE database = '" + database + "'"); n != "0" {
		t.Errorf("%s tables were made", n)
	}
	id := openStore(t, dsn, clickhouse.Options{}).ID()
	if again := openStore(t, dsn, clickhouse.Options{Existing: true}); again.ID() != id {
		t.Error("the store is another")
	}
}

func testBackup(t *testing.T, _ *engines.ClickHouseServer, dsn string) {
	s := openStore(t, dsn, clickhouse.Options{})
	err := s.Backup(t.Context(), "/tmp/x")
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "BACKUP DATABASE") {
		t.Errorf("backup: %v", err)
	}
}

// TestOpenShards: a cluster is opened as it was made, by a DSN of all its servers.
func TestOpenShards(t *testing.T) {
	servers := engines.ClickHouseCluster(t, 2)
	databases := &names{}
	dsn := databases.dsn(servers...)
	s := openStore(t, dsn, clickhouse.Options{Cluster: engines.Cluster})
	again := openStore(t, dsn, clickhouse.Options{Cluster: engines.Cluster})
	if s.ID() != again.ID() {
		t.Errorf("the store has ids %s and %s", s.ID(), again.ID())
	}
	if _, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{}); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("shards opened as one server: %v", err)
	}
	one := databases.dsn(servers[0])
	if _, err := clickhouse.Open(t.Context(), one, clickhouse.Options{Cluster: engines.Cluster}); !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("two shards opened by one's address: %v", err)
	}
	facts := storetest.Draw(rand.New(rand.NewPCG(3, 1)), s.K(), 100, 1000)
	mergeDeltas(t, s, facts.Deltas())
	_, database, _ := strings.Cut(dsn, "/store")
	for i, server := range servers {
		if n := server.Query("SELECT count() > 0 FROM store" + database + ".cells_local"); n != "1" {
			t.Errorf("shard %d has no cells", i)
		}
	}
}
