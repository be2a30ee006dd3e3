package clickhouse_test

import (
	"fmt"
	"testing"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

// TestDamage stores what the server takes and Rollcall can't read: a minute
// after the day's end. (Of a state whose counts are wrong the server makes a
// sound one when it merges it.)
func TestDamage(t *testing.T) {
	server := engines.ClickHouse(t)
	databases := names{}
	var dsn string
	storetest.Damage(t, func(t *testing.T, k int) storetest.Store {
		dsn = databases.dsn(server)
		return openStore(t, dsn, clickhouse.Options{K: k})
	}, func(t *testing.T, _ storetest.Store, service rollcall.ServiceID) (cells, diaries int) {
		database := fmt.Sprintf("store%d", databases.last.Load())
		server.Query(fmt.Sprintf(`INSERT INTO %s.diaries (market, panel, panelist, day, service, location, kind, key, minutes)
			VALUES ('FR', 'nn', 5, '2002-10-20', '%s', 'home', 'use', 1, [60000]), ('FR', 'nn', 6, '2002-10-21', '%[2]s', 'home', 'use', 1, [1, 60000])`, database, service))
		return 0, 2
	})
}
