package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/storetest"
	"rollcall/internal/transfer"
)

const k = 12

var noon = time.Unix(1e9, 123456789).UTC()

// source is an embedded store that holds some of everything.
func source(t *testing.T, seed uint64) *sqlite.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{K: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	fill(t, s, seed)
	spoil(t, path)
	if _, err := s.Check(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	return s
}

func fill(t *testing.T, s *sqlite.Store, seed uint64) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.AddMaster(ctx, rollcall.Master{ID: 0xfedcba9876543210, Time: noon}))
	must(s.AddMaster(ctx, rollcall.Master{ID: 2, From: rollcall.DayOf(2002, 11, 1), Lost: true, Time: noon.Add(time.Hour)}))
	must(s.PutMarket(ctx, rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris"}))
	must(s.PutMarket(ctx, rollcall.Market{ID: "DE", Name: "L'Allemagne \"simulée\"", Zone: "Europe/Berlin", Simulated: true}))
	must(s.PutService(ctx, rollcall.Service{ID: "mychat", Name: "MyChat", Brand: "My", Owner: "Me"}))
	must(s.PutSegment(ctx, rollcall.Segment{ID: "lyon", Name: "Lyon", Into: "paris"}))
	must(s.SaveTarget(ctx, "young", "age=15-24"))
	must(s.Merge(ctx, storetest.Draw(rand.New(rand.NewPCG(seed, 1)), k, 300, 3000).Deltas()))
	object := func(text string) rollcall.Hash {
		h, err := s.PutObject(ctx, []byte(text))
		must(err)
		return h
	}
	of := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.DayOf(2002, 10, 1).Month()}
	for _, roster := range []string{"a roster", "the roster that replaced it"} {
		must(s.PutPanelObjects(ctx, rollcall.PanelObjects{PanelMonth: of, Roster: object(roster), Universe: object("a universe")}))
	}
	must(s.PutPanelLimits(ctx, rollcall.PanelLimits{Market: "FR", Panel: "nn", Low: 20, Caution: 50}))
	must(s.AddExclusion(ctx, rollcall.Exclusion{PanelMonth: of, Panelist: 9, Service: "msn", Day: of.Month.First(), Reason: "a faulty meter", Time: noon}))
	for version := 1; version <= 3; version++ {
		must(s.AddPublication(ctx, rollcall.Publication{PanelMonth: of, Version: version, Status: rollcall.Restated, Internal: version == 2, Reason: "because", Time: noon, Document: object(fmt.Sprint("document ", version))}))
	}
	must(s.Withdraw(ctx, rollcall.Withdrawal{PanelMonth: of, Version: 3, Reason: "wrong", Time: noon.Add(time.Minute)}))
	for step, state := range []rollcall.DeliveryState{rollcall.Waiting, rollcall.Held, rollcall.Delivered} {
		for _, to := range []string{"mail", "hook"} {
			if to == "mail" || state == rollcall.Waiting {
				must(s.AddDelivery(ctx, rollcall.Delivery{
					Errand: rollcall.Errand{PanelMonth: of, Version: 1, To: to}, Step: step + 1, State: state, Tries: step,
					Until: noon, Since: noon, Time: noon.Add(time.Duration(step)), Holder: "one", Text: "text",
				}))
			}
		}
	}
	must(s.AddAudit(ctx, rollcall.AuditEntry{Time: noon, Name: "operator", Action: "publish", Market: "FR", Object: "panel nn, 2002-10, version 1"}, rollcall.AuditEntry{Time: noon, Key: "1a2b3c4d", Name: "a key", Action: "use key"}))
	milli := noon.Truncate(time.Millisecond)
	_, err := s.AddCorrections(ctx,
		rollcall.Correction{Action: rollcall.Removal, Market: "FR", Service: "msn", Segment: "none", From: of.Month.First(), To: of.Month.First() + 3, Reason: "twice", Time: milli},
		rollcall.Correction{Action: rollcall.Erasing, Service: "msn", To: of.Month.Last(), Key: 1 << 63, Visitor: 7, Time: milli},
		rollcall.Correction{Action: rollcall.Outage, Market: "FR", From: of.Month.First(), To: of.Month.First(), Reason: "it was down", Time: milli})
	must(err)
	must(s.AddAgeing(ctx, rollcall.Ageing{Before: of.Month - 20, Time: noon}))
	must(s.AddAgeing(ctx, rollcall.Ageing{Before: of.Month - 10, Time: noon.Add(time.Hour)}))
}

// spoil makes some facts unreadable.
func spoil(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{
		`UPDATE cells SET minutes = CAST(substr(minutes, 1, length(minutes) - 1) AS BLOB) WHERE service = 'icq' AND kind = 'use'`,
		`UPDATE diaries SET diary = CAST(diary || x'00' AS BLOB) WHERE panelist LIKE '8%'`,
	} {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// target opens a database, which a first time it makes.
func target(t *testing.T, dsn string, of rollcall.Store) *clickhouse.Store {
	t.Helper()
	to, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{K: k, CopyOf: of.ID()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	return to
}

func silent(int, int) {}

func TestCopy(t *testing.T) {
	server := engines.ClickHouse(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, string, *engines.ClickHouseServer)
	}{
		{"everything", copyEverything},
		{"cut short", copyCutShort},
		{"into something else", copyIntoOther},
		{"of another store", copyOfAnother},
		{"into an older one", copyIntoOlder},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, "clickhouse://"+server.Addr()+"/"+strings.ReplaceAll(c.name, " ", "_"), server)
		})
	}
}

// copyEverything: the copy holds the same of every kind of thing, and what it
// lacks then is named by its kind.
func copyEverything(t *testing.T, dsn string, server *engines.ClickHouseServer) {
	from := source(t, 1)
	to := target(t, dsn, from)
	lines := requireCopy(t, from, to)
	kinds := map[string]string{
		"cells": "cells", "diaries": "diaries", "simulated": "markets", "markets": "markets", "services": "services", "segments": "segments", "targets": "targets",
		"panel_files": "panels' files", "rosters": "rosters", "limits": "panels' limits", "exclusions": "exclusions", "objects": "objects",
		"publications": "publications", "withdrawals": "publications", "deliveries": "deliveries", "audit": "audit log", "ageings": "ageings",
		"masters": "master keys' ids", "corrections": "corrections", "quarantine": "rows set aside",
	}
	for _, table := range strings.Fields(server.Query("SELECT name FROM system.tables WHERE database = 'everything' AND name NOT IN ('migrations', 'settings') ORDER BY name = 'markets', name NOT IN ('simulated', 'withdrawals'), name")) {
		kind, known := kinds[table]
		if !known {
			t.Errorf("nobody copies the table %s", table)
			continue
		}
		server.Query("TRUNCATE TABLE everything." + table)
		now, err := transfer.Copy(t.Context(), from, to, silent)
		if err != nil {
			t.Fatal(err)
		}
		of := func(l transfer.Line) bool { return l.Kind == kind }
		if i := slices.IndexFunc(now, of); now[i].To == lines[i].To || !slices.Contains(transfer.Differing(now), kind) {
			t.Errorf("without the table %s the stores differ in %q", table, transfer.Differing(now))
		}
		lines = now
	}
}

// requireCopy copies, and wants the stores to be the same, and full.
func requireCopy(t *testing.T, from *sqlite.Store, to *clickhouse.Store) []transfer.Line {
	t.Helper()
	lines, err := transfer.Copy(t.Context(), from, to, silent)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.From != l.To || l.From.Rows == 0 {
			t.Errorf("%s: %d rows, sum %v; in the copy %d, sum %v", l.Kind, l.From.Rows, l.From, l.To.Rows, l.To)
		}
	}
	return lines
}

// copyCutShort: until a copy is whole nobody else opens it, and the same again
// goes on.
func copyCutShort(t *testing.T, dsn string, _ *engines.ClickHouseServer) {
	from := source(t, 1)
	to := target(t, dsn, from)
	for cut := 1; cut < 4; cut++ {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := transfer.Copy(ctx, from, to, func(done, _ int) {
			if done == cut {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cut after %d months: %v", cut, err)
		}
		_, err = clickhouse.Open(t.Context(), dsn, clickhouse.Options{})
		if !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), "store copy") {
			t.Errorf("an unfinished copy is opened: %v", err)
		}
	}
	requireCopy(t, from, to)
	whole, err := clickhouse.Open(t.Context(), dsn, clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Close(); err != nil {
		t.Error(err)
	}
	requireCopy(t, from, to) // which writes nothing
}

// copyIntoOther: a store that holds anything is no target.
func copyIntoOther(t *testing.T, dsn string, _ *engines.ClickHouseServer) {
	from := source(t, 1)
	to := target(t, dsn, from)
	if err := to.PutService(t.Context(), rollcall.Service{ID: "theirs", Name: "Theirs"}); err != nil {
		t.Fatal(err)
	}
	_, err := transfer.Copy(t.Context(), from, to, silent)
	if !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("copied over another store: %v", err)
	}
	if held, err := to.Inventory(t.Context()); err != nil || len(held.Facts)+len(held.Objects) > 0 {
		t.Errorf("the other store got %d months and %d objects, %v", len(held.Facts), len(held.Objects), err)
	}
}

// copyOfAnother: an unfinished copy goes on with its own source alone.
func copyOfAnother(t *testing.T, dsn string, _ *engines.ClickHouseServer) {
	one, other := source(t, 1), source(t, 2)
	to := target(t, dsn, one)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := transfer.Copy(ctx, one, to, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_, err = clickhouse.Open(t.Context(), dsn, clickhouse.Options{K: k, CopyOf: other.ID()})
	if !errors.Is(err, rollcall.ErrConflict) || !strings.Contains(err.Error(), one.ID()) {
		t.Errorf("another store's copy goes on: %v", err)
	}
}

// copyIntoOlder: a database that an older Rollcall made is brought up to date.
func copyIntoOlder(t *testing.T, dsn string, server *engines.ClickHouseServer) {
	from := source(t, 1)
	if err := target(t, dsn, from).Close(); err != nil {
		t.Fatal(err)
	}
	server.Query("DROP TABLE into_an_older_one.limits")
	server.Query("ALTER TABLE into_an_older_one.cells MODIFY ORDER BY (market, service, location, kind, day, key, platform, segment)")
	server.Query("ALTER TABLE into_an_older_one.cells DROP COLUMN since")
	server.Query("ALTER TABLE into_an_older_one.migrations DELETE WHERE number >= 7 SETTINGS mutations_sync = 2")
	requireCopy(t, from, target(t, dsn, from))
}
