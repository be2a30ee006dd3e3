package report

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall"
)

var august = rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: october.Month - 2}

// agedQuarter is the quarter after August has aged out. August had two rosters,
// of which the last is October's too.
func agedQuarter(t *testing.T) (h *site, before map[string][]byte, gone []rollcall.Hash) {
	t.Helper()
	h = newSite(t)
	first := h.load(august, strings.Replace(smallRoster, "P3,1,0,M\n", "", 1), smallUniverse)
	h = fillQuarter(h)
	before = map[string][]byte{}
	for _, name := range Reports() {
		before[name] = body(t, h.report(rollcall.Query{Report: name}))
	}
	list, err := h.Publications(context.Background(), "FR", "nn")
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Month(context.Background(), list[0].Document)
	if err != nil {
		t.Fatal(err)
	}
	h.now = time.Date(2002, 12, 1, 0, 10, 0, 0, time.UTC)
	removed, err := h.Age(context.Background(), september.Month)
	if err != nil || removed == 0 {
		t.Fatalf("removed %d: %v", removed, err)
	}
	return h, before, []rollcall.Hash{first.Roster, list[0].Document, m.Doc.Diaries}
}

const augustIsGone = "2002-08 of panel nn in FR has aged out: its facts were removed on 2002-12-01, and no figure can be computed from them"

// TestAge: what was frozen of the month is gone, the others are whole, and a
// second time nothing is removed.
func TestAge(t *testing.T) {
	h, before, gone := agedQuarter(t)
	ctx := context.Background()
	for _, object := range gone[1:] {
		if _, err := h.store.Object(ctx, object); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("object %s of August: %v", object, err)
		}
	}
	if _, err := h.store.Object(ctx, gone[0]); err != nil {
		t.Errorf("the roster that September has too: %v", err)
	}
	list, err := h.Publications(ctx, "FR", "nn")
	if err != nil || len(list) != 3 || !list[0].AgedOut.Equal(h.now) || !list[1].AgedOut.IsZero() {
		t.Fatalf("publications %+v, %v", list, err)
	}
	if err := h.VerifyPublication(ctx, list[0]); !errors.Is(err, rollcall.ErrAgedOut) || err.Error() != "verify version 1: "+augustIsGone {
		t.Errorf("verify August: %v", err)
	}
	for _, p := range list[1:] {
		p.Internal = true // as its limits of 0 make it; the store of this test says otherwise
		if err := h.VerifyPublication(ctx, p); err != nil {
			t.Errorf("verify %s: %v", p.Month, err)
		}
	}
	for _, name := range []string{"ranking", "duplication", "combinations", "incremental", "profile", "frequency", "curve", "quality", "consistency"} {
		sameBytes(t, name, body(t, h.report(rollcall.Query{Report: name})), before[name])
	}
	if n, err := h.Age(ctx, september.Month); n != 0 || err != nil {
		t.Errorf("the second time removed %d: %v", n, err)
	}
	if _, err := h.Age(ctx, october.Month+1); err != nil {
		t.Fatal(err)
	}
	for _, object := range gone {
		if _, err := h.store.Object(ctx, object); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("object %s, of no month that is left: %v", object, err)
		}
	}
	if n, err := h.Age(ctx, september.Month); n != 0 || err != nil {
		t.Errorf("asked to keep more again, removed %d: %v", n, err)
	}
	if _, err := h.Report(ctx, rollcall.Query{Report: "ranking", Of: october}); !errors.Is(err, rollcall.ErrAgedOut) {
		t.Errorf("October is not back: %v", err)
	}
}

// TestAgedMonthIsRefused: whatever is asked of it, or done to it.
func TestAgedMonthIsRefused(t *testing.T) {
	h, _, _ := agedQuarter(t)
	ctx := context.Background()
	for what, err := range map[string]error{
		"report":  second(h.Report(ctx, rollcall.Query{Report: "ranking", Of: august})),
		"version": second(h.Report(ctx, rollcall.Query{Report: "curve", Of: august, Version: 1})),
		"live":    second(h.Report(ctx, rollcall.Query{Report: "ranking", Of: august, Live: true})),
		"period":  second(h.Report(ctx, rollcall.Query{Report: "ranking", From: august.Month.First(), To: october.Month.Last(), Of: october})),
		"diff":    second(h.Diff(ctx, rollcall.Query{Of: august}, 1, 1)),
		"close":   second(h.Close(ctx, rollcall.ClosePlan{Of: august, Status: rollcall.Restated, Reason: "late events"})),
		"load":    second(h.LoadPanel(ctx, august, input(smallRoster, smallUniverse))),
		"exclude": h.exclude(ctx, rollcall.Exclusion{PanelMonth: august, Panelist: 1, Reason: "a faulty meter"}),
	} {
		if !errors.Is(err, rollcall.ErrAgedOut) || err.Error() != augustIsGone {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n, err := h.erased(ctx, []rollcall.PanelMonth{august, september}, "P4"); n != 1 || err != nil {
		t.Errorf("a panelist is erased from %d rosters: %v", n, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestReportsOverAgedMonths: what needs the month is undefined and said to be;
// the rest is as it was.
func TestReportsOverAgedMonths(t *testing.T) {
	h, _, _ := agedQuarter(t)
	const note = "Aged out, and so left out: 2002-08."
	said := func(got *rollcall.Table) {
		t.Helper()
		if !strings.Contains(strings.Join(got.Meta.Notes, " "), note) {
			t.Errorf("%s of %s says nothing: %q", got.Meta.Report, got.Meta.Month, got.Meta.Notes)
		}
	}
	undefined := func(got *rollcall.Table, column string, key ...any) {
		t.Helper()
		if m := find(t, got, key...)[column].(rollcall.Measure); m.Status != rollcall.Undefined {
			t.Errorf("%s of %s is %+v", column, key, m)
		}
	}
	trend := h.report(rollcall.Query{Report: "trend"})
	said(trend)
	if got := strings.Join(keys(trend), ", "); got != "2002-09 msn, 2002-09 any, 2002-10 msn, 2002-10 any" {
		t.Errorf("the trend has %s", got)
	}
	undefined(trend, "change", "2002-09", "msn")
	if m := find(t, trend, "2002-10", "msn")["change"].(rollcall.Measure); m.Value != 50 {
		t.Errorf("October's change is %g, want 50", m.Value)
	}
	short := h.report(rollcall.Query{Report: "trend", From: september.Month.First(), To: october.Month.Last()})
	said(short)
	undefined(short, "change", "2002-09", "msn")

	loyalty := h.report(rollcall.Query{Report: "loyalty"})
	said(loyalty)
	for _, column := range []string{"new", "returned", "retained", "lapsed"} {
		undefined(loyalty, column, "msn")
	}
	if m := find(t, loyalty, "msn")["daily_audience"].(rollcall.Measure); m.Value != 400.0/31 {
		t.Errorf("October's daily audience is %g", m.Value)
	}
	ranking := h.report(rollcall.Query{Report: "ranking", Of: september})
	said(ranking)
	undefined(ranking, "change", "msn")
	if got := value(t, ranking, "msn", "unique_audience"); got != 350 {
		t.Errorf("September's audience is %g, want 350", got)
	}
}
