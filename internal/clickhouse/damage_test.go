package clickhouse_test

import (
	"fmt"
	"testing"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
)

// TestDamage stores what the server takes and Rollcall can't read: a minute
// after the day's end, and a sketch with a rank that no hash can have, which the
// server keeps when it merges it. (Of a state whose counts are wrong it makes a
// sound one.)
func TestDamage(t *testing.T) {
	server := engines.ClickHouse(t)
	databases := names{}
	var dsn string
	var precision int
	storetest.Damage(t, func(t *testing.T, k int) storetest.Store {
		dsn, precision = databases.dsn(server), k
		return openStore(t, dsn, clickhouse.Options{K: k})
	}, func(t *testing.T, _ storetest.Store, service rollcall.ServiceID) (cells, diaries int) {
		database := fmt.Sprintf("store%d", databases.last.Load())
		server.Query(fmt.Sprintf(`INSERT INTO %s.diaries (market, panel, panelist, day, service, location, kind, key, minutes)
			VALUES ('FR', 'nn', 5, '2002-10-20', '%s', 'home', 'use', 1, [60000]), ('FR', 'nn', 6, '2002-10-21', '%[2]s', 'home', 'use', 1, [1, 60000])`, database, service))
		server.Query(fmt.Sprintf(`INSERT INTO %s.cells (market, service, location, kind, day, key, raw_visitors)
			VALUES ('FR', '%s', 'home', 'use', '2002-10-20', 99, unhex('%x'))`, database, service, impossible(precision)))
		return 1, 2
	})
}

// impossible is the state of many ids, of which one register has a rank one over
// the highest, 64-K+1.
func impossible(k int) []byte {
	s := hll.New(k)
	for i := range uint64(1) << k {
		s.Add(i * 0x9e3779b97f4a7c15)
	}
	state := s.Append(nil)
	state[1] = state[1]&^0x3f | byte(64-k+2) // the first of the ranks of 6 bits
	return state
}
