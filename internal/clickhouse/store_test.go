package clickhouse_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

func TestStore(t *testing.T) {
	server := engines.ClickHouse(t)
	databases := names{}
	storetest.Run(t, func(t *testing.T, k int) storetest.Store {
		return openStore(t, databases.dsn(server), clickhouse.Options{K: k})
	})
}

// TestStoreOnShards is the suite on two servers under Distributed tables.
func TestStoreOnShards(t *testing.T) {
	servers := engines.ClickHouseCluster(t, 2)
	databases := names{}
	storetest.Run(t, func(t *testing.T, k int) storetest.Store {
		return openStore(t, databases.dsn(servers...), clickhouse.Options{K: k, Cluster: engines.Cluster})
	})
}

// names gives databases that are not there yet.
type names struct{ last atomic.Int64 }

// dsn names a new database of the servers.
func (n *names) dsn(servers ...*engines.ClickHouseServer) string {
	addrs := make([]string, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
	}
	return fmt.Sprintf("clickhouse://%s/store%d", strings.Join(addrs, ","), n.last.Add(1))
}

func openStore(t testing.TB, dsn string, opt clickhouse.Options) *clickhouse.Store {
	t.Helper()
	s, err := clickhouse.Open(t.Context(), dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
