package storetest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"rollcall"
)

// Store is an engine, and its dump: the same text for two stores of one engine
// that hold the same facts. Cells of one service come in an order that is the
// same at each call.
type Store interface {
	rollcall.Store
	rollcall.AuditLog
	rollcall.DeliveryLog
	Dump(context.Context, io.Writer) error
}

// Run tests an engine. open gives an empty store whose sketches have precision
// k, and closes it with t.
func Run(t *testing.T, open func(t *testing.T, k int) Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T, int) Store)
	}{
		{"identity", testIdentity},
		{"merge laws", testMergeLaws},
		{"merge makes the union", testMergeUnion},
		{"merge of what raises nothing", testMergeRaisesNothing},
		{"merge refuses", testMergeRefuses},
		{"cells by query", testCellQueries},
		{"diaries by query", testDiaryQueries},
		{"diaries of one day", testDiaryOfManyKeys},
		{"iterators stop", testIteratorsStop},
		{"erase", testErase},
		{"corrections", testCorrections},
		{"removal", testRemoval},
		{"removal of a segment", testRemovalOfSegment},
		{"erasing", testErasing},
		{"ageing", testAgeing},
		{"ageing at once", testAgeingAtOnce},
		{"catalogue", testCatalogue},
		{"segments", testSegments},
		{"objects", testObjects},
		{"panel files", testPanelObjects},
		{"exclusions", testExclusions},
		{"publications", testPublications},
		{"withdrawals", testWithdrawals},
		{"deliveries", testDeliveries},
		{"holders at once", testHoldersAtOnce},
		{"audit", testAudit},
		{"masters", testMasters},
		{"facts of a market", testHasFacts},
		{"months of a census", testCensusMonths},
		{"revision", testRevision},
		{"closers at once", testClosersAtOnce},
		{"hostile strings", testHostileStrings},
		{"hostile ids", testHostileIDs},
		{"check", testCheck},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

const k = 12

func testIdentity(t *testing.T, open func(*testing.T, int) Store) {
	a, b := open(t, 12), open(t, 14)
	if a.K() != 12 || b.K() != 14 {
		t.Errorf("stores of K 12 and 14 say %d and %d", a.K(), b.K())
	}
	if a.ID() == "" || a.ID() == b.ID() {
		t.Errorf("two stores have ids %q and %q", a.ID(), b.ID())
	}
}

// Dump gives the store's dump.
func Dump(t *testing.T, s interface {
	Dump(context.Context, io.Writer) error
}) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Dump(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// RequireSame fails at the first line in which two dumps differ.
func RequireSame(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("dumps differ at line %d:\ngot  %.300s\nwant %.300s", i+1, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("dumps have %d lines, want %d", len(g), len(w))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
