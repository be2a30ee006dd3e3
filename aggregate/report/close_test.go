package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/coherence"
)

// small is a panel of six, half men, half women, all metered at both places.
const (
	smallRoster   = "panelist,home,work,sex\nP1,1,1,M\nP2,1,1,M\nP3,1,0,M\nP4,1,1,F\nP5,1,1,F\nP6,1,1,F\n"
	smallUniverse = "margin,category,population,source,source_date\nsex,M,300,study,2002-06-30\nsex,F,600,study,2002-06-30\n"
)

func smallSite(t testing.TB) *site {
	h := newSite(t)
	h.load(october, smallRoster, smallUniverse)
	f := facts{}
	f.add(1, "msn", rollcall.Home, rollcall.Use, stretch{1, 600, 660})
	f.add(4, "msn", rollcall.Work, rollcall.Presence, stretch{2, 600, 610})
	f.add(4, "icq", rollcall.Home, rollcall.Use, stretch{2, 700, 710})
	h.merge(f)
	return h
}

func value(t testing.TB, table *rollcall.Table, row, column string) float64 {
	t.Helper()
	m, ok := find(t, table, row)[column].(rollcall.Measure)
	if !ok {
		t.Fatalf("%s of %s is no measure", column, row)
	}
	return m.Value
}

// TestLateEventsChangeNoVersion: what a version was computed from is frozen.
func TestLateEventsChangeNoVersion(t *testing.T) {
	h := smallSite(t)
	first := h.close(closing(october, all()))
	var before [][]byte
	for _, name := range Reports() {
		before = append(before, body(t, h.report(rollcall.Query{Report: name, Version: 1})))
	}
	late := facts{}
	late.add(5, "msn", rollcall.Home, rollcall.Use, stretch{9, 60, 90})
	h.merge(late)
	h.load(october, strings.Replace(smallRoster, "P6,1,1,F", "P7,1,1,F", 1), smallUniverse)

	other := newSiteOver(t, h.store, h.Catalogue()) // with nothing in its caches
	for i, name := range Reports() {
		sameBytes(t, name, body(t, other.report(rollcall.Query{Report: name, Version: 1})), before[i])
	}
	live := h.report(rollcall.Query{Report: "ranking", Live: true})
	if live.Meta.Status != "provisional" || live.Meta.Version != 0 {
		t.Errorf("a live report is %q, version %d", live.Meta.Status, live.Meta.Version)
	}
	second := h.close(closing(october, all()))
	if second.Version != 2 || second.Document == first.Document {
		t.Errorf("the second version is %d with document %s, the first's is %s", second.Version, second.Document, first.Document)
	}
	one, two := h.report(rollcall.Query{Report: "ranking", Version: 1}), h.report(rollcall.Query{Report: "ranking", Version: 2})
	if a, b := value(t, one, "msn", "unique_audience"), value(t, two, "msn", "unique_audience"); a != 300 || b != 500 {
		t.Errorf("msn is %g in version 1 and %g in version 2, want 300 and 500", a, b)
	}
	diff, err := h.Diff(context.Background(), rollcall.Query{Of: october}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	row := find(t, diff, "home+work", "msn", "service", "unique_audience")
	if a, b := row["before"].(rollcall.Measure).Value, row["after"].(rollcall.Measure).Value; a != 300 || b != 500 {
		t.Errorf("the difference is from %g to %g, want from 300 to 500", a, b)
	}
	if err := h.VerifyPublication(context.Background(), first); err != nil {
		t.Errorf("verify version 1: %v", err)
	}
}

// TestDiffOfInternalIsInternal: whoever may not see one version may not see it
// beside another.
func TestDiffOfInternalIsInternal(t *testing.T) {
	h := smallSite(t)
	h.close(closing(october, all()))
	h.close(rollcall.ClosePlan{Of: october})
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		diff, err := h.Diff(context.Background(), rollcall.Query{Of: october}, order[0], order[1])
		if err != nil {
			t.Fatal(err)
		}
		limits := map[int][2]int{1: {0, 0}, 2: {30, 60}}
		if got, want := diff.Meta.Thresholds, limits[order[1]]; got["low"] != want[0] || got["caution"] != want[1] {
			t.Errorf("versions %v: the limits are %v, want the second one's %v", order, got, want)
		}
		if got, want := diff.Meta.Thresholds, limits[order[0]]; got["low_before"] != want[0] || got["caution_before"] != want[1] {
			t.Errorf("versions %v: the limits are %v, want the first one's %v", order, got, want)
		}
		if !diff.Meta.Internal || len(diff.Rows) == 0 {
			t.Errorf("versions %v, of which one is internal: internal %v, %d rows", order, diff.Meta.Internal, len(diff.Rows))
		}
	}
}

// TestDiffOfAnyReport: every report with measures can be compared, and the
// rows that only one version has are there.
func TestDiffOfAnyReport(t *testing.T) {
	h := smallSite(t)
	h.close(closing(october, all()))
	late := facts{}
	late.add(5, "jabber", rollcall.Home, rollcall.Use, stretch{9, 60, 90})
	h.merge(late)
	h.close(closing(october, all()))
	for _, name := range []string{"ranking", "duplication", "combinations", "incremental", "profile", "frequency", "curve", "loyalty"} {
		for _, order := range [][2]int{{1, 2}, {2, 1}} {
			diff, err := h.Diff(context.Background(), rollcall.Query{Of: october, Report: name, Place: rollcall.AtHome}, order[0], order[1])
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(diff.Rows, func(row rollcall.Row) bool { return strings.Contains(fmt.Sprint(row[1:3]), "jabber") })
			if !found {
				t.Errorf("%s, versions %v: jabber is new, and in none of the %d rows", name, order, len(diff.Rows))
			}
		}
	}
}

// TestInternalIsNotServed: limits under the usual make a version that only
// those who name it see.
func TestInternalIsNotServed(t *testing.T) {
	h := smallSite(t)
	if p := h.close(closing(october, all())); !p.Internal {
		t.Fatal("a version without limits is not internal")
	}
	_, err := h.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october})
	if !errors.Is(err, rollcall.ErrNotClosed) || err.Error() != "2002-10 of panel nn in FR is not closed for readers: every version of it is internal; close it with the usual limits, or name a version" {
		t.Errorf("asked for the latest: %v", err)
	}
	h.close(rollcall.ClosePlan{Of: october})
	other := all()
	other.Confidence = 0.9
	h.close(closing(october, other))
	got := h.report(rollcall.Query{Report: "ranking"})
	if got.Meta.Version != 2 || got.Meta.Internal {
		t.Errorf("the latest is version %d, internal %v; want 2", got.Meta.Version, got.Meta.Internal)
	}
	if m := find(t, got, "msn")["unique_audience"].(rollcall.Measure); m.Status != rollcall.Below || m.N != 0 {
		t.Errorf("two persons are shown: %+v", m)
	}
	if got := h.report(rollcall.Query{Report: "ranking", Version: 3}); !got.Meta.Internal {
		t.Error("version 3 does not say that it is internal")
	}
}

func TestExclusions(t *testing.T) {
	h := smallSite(t)
	for _, e := range []struct {
		rule rollcall.Exclusion
		want string
	}{
		{rollcall.Exclusion{Panelist: 1}, "reason: is missing: an exclusion says why"},
		{rollcall.Exclusion{Reason: "all"}, "panelist: is missing: name a panelist, a service or a day"},
		{rollcall.Exclusion{Reason: "day", Day: october.Month.Last() + 1}, `day "2002-11-01": is not in 2002-10`},
		{rollcall.Exclusion{Reason: "service", Service: "nope"}, `service "nope": is not known; the nearest are aim, icq, msn`},
		{rollcall.Exclusion{Reason: "typo", Panelist: 77}, "panelist: is not on the roster of nn for 2002-10"},
	} {
		e.rule.PanelMonth = october
		if err := h.exclude(context.Background(), e.rule); err == nil || err.Error() != e.want {
			t.Errorf("%+v: %v, want %s", e.rule, err, e.want)
		}
	}
	h.close(closing(october, all()))
	for _, e := range []rollcall.Exclusion{
		{Panelist: 1, Reason: "faulty meter"},
		{Panelist: 4, Service: "icq", Day: october.Month.First() + 1, Reason: "robot"},
	} {
		e.PanelMonth = october
		if err := h.exclude(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(time.Second)
	}
	h.close(closing(october, all()))
	before, after := h.report(rollcall.Query{Report: "ranking", Version: 1}), h.report(rollcall.Query{Report: "ranking", Version: 2})
	if got := value(t, before, "msn", "unique_audience"); got != 300 {
		t.Errorf("before: msn %g, want 300", got)
	}
	// P1 is out of tab: two men stand for 300, three women for 600; P4 alone uses msn.
	if got := value(t, after, "msn", "unique_audience"); got != 200 {
		t.Errorf("after: msn %g, want 200", got)
	}
	s := after.Meta.Sample
	if s.InTab != 5 || s.Excluded != 2 {
		t.Errorf("after: %d in tab and %d diaries excluded, want 5 and 2", s.InTab, s.Excluded)
	}
	if got := fmt.Sprint(after.Meta.Exclusions); got != "[one panelist: faulty meter one panelist, icq, 2002-10-02: robot]" {
		t.Errorf("exclusions: %s", got)
	}
}

// TestNotCounted: what is kept but counts in no figure is said.
func TestNotCounted(t *testing.T) {
	h := smallSite(t)
	f := facts{}
	f.add(3, "msn", rollcall.Work, rollcall.Use, stretch{1, 0, 10})      // P3 has no meter at work
	f.add(2, "msn", rollcall.Elsewhere, rollcall.Use, stretch{1, 0, 10}) // nor has anyone elsewhere
	f.add(99, "msn", rollcall.Home, rollcall.Use, stretch{1, 0, 10})     // not in tab
	h.merge(f)
	h.close(closing(october, all()))
	got := h.report(rollcall.Query{Report: "ranking", Version: 1})
	if s := got.Meta.Sample; s.NotInTab != 1 || s.Unmetered != 2 || s.Home != 6 || s.Work != 5 {
		t.Errorf("sample: %+v", s)
	}
	if ua := value(t, got, "msn", "unique_audience"); ua != 300 {
		t.Errorf("msn %g, want 300", ua)
	}
}

func TestRefusals(t *testing.T) {
	h := smallSite(t)
	ctx := context.Background()
	other := october
	other.Month++
	if _, err := h.Close(ctx, rollcall.ClosePlan{Of: other}); !errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("close without a roster: %v", err)
	}
	h.close(rollcall.ClosePlan{Of: october})
	day := october.Month.First()
	for _, c := range []struct {
		request rollcall.Query
		kind    error
		want    string
	}{
		{rollcall.Query{Report: "rank"}, rollcall.ErrInvalid, `report "rank": is not one of ` + strings.Join(Reports(), ", ")},
		{rollcall.Query{Report: "ranking", Of: other}, rollcall.ErrNotFound, `month "2002-11": is not known of panel nn in FR; the nearest is 2002-10`},
		{rollcall.Query{Report: "ranking", Version: 7}, rollcall.ErrNotFound, "version 7 of 2002-10 of panel nn in FR: not found; there is version 1"},
		{rollcall.Query{Report: "ranking", Version: -1}, rollcall.ErrInvalid, `version "-1": is not a version: they count from 1`},
		{rollcall.Query{Report: "ranking", Place: "office"}, rollcall.ErrInvalid, `location "office": is not home, work, home+work, both, home-only or work-only`},
		{rollcall.Query{Report: "ranking", Credit: "clicks"}, rollcall.ErrInvalid, `credit "clicks": is not presence or use`},
		{rollcall.Query{Report: "ranking", From: day + 3, To: day}, rollcall.ErrInvalid, `from "2002-10-04": is after to, 2002-10-01`},
		{rollcall.Query{Report: "ranking", From: day - 5}, rollcall.ErrNotClosed, "2002-09 of panel nn in FR was not closed when version 1 of 2002-10 was, nor is it now"},
		{rollcall.Query{Report: "ranking", From: day - 500}, rollcall.ErrInvalid, `from "2001-05-19": is more than 12 months before 2002-10`},
		{rollcall.Query{Report: "ranking", Services: []rollcall.ServiceID{"online"}}, rollcall.ErrNotFound, `service "online": is not known in 2002-10; the nearest are aim, icq, msn`},
		{rollcall.Query{Report: "ranking", Target: "sex=X"}, rollcall.ErrNotFound, `target category "sex=X": is not known; the nearest are F, M`},
		{rollcall.Query{Report: "ranking", Target: "size=F"}, rollcall.ErrNotFound, `target column "size": is not known; the nearest are home, sex, work`},
	} {
		if c.request.Of == (rollcall.PanelMonth{}) {
			c.request.Of = october
		}
		_, err := h.Report(ctx, c.request)
		if err == nil || !errors.Is(err, c.kind) || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.request, err, c.want)
		}
	}
}

// TestErase takes a person off the roster and out of the diaries of an open month.
func TestErase(t *testing.T) {
	h := smallSite(t)
	n, err := h.erased(context.Background(), []rollcall.PanelMonth{october}, "P4")
	if n != 1 || err != nil {
		t.Fatalf("erased from %d months: %v", n, err)
	}
	h.close(closing(october, all()))
	if got := h.report(rollcall.Query{Report: "ranking", Version: 1}).Meta.Sample; got.InTab != 5 || got.NotInTab != 0 {
		t.Errorf("after erasing: %+v", got)
	}
}

// TestViolationBlocksPublication: what breaks a rule is neither published nor
// reported.
func TestViolationBlocksPublication(t *testing.T) {
	h := smallSite(t)
	p := h.close(rollcall.ClosePlan{Of: october})
	m, err := h.Month(context.Background(), p.Document)
	if err != nil {
		t.Fatal(err)
	}
	broken := &coherence.Comparisons{Violations: []coherence.Violation{{Rule: "union", Text: "any against the sum of its services: 3 is above 2"}}}
	h.Check = func(m *audience.Month) error { return broken.Refusal(m.Doc.Of) }
	_, err = h.Close(context.Background(), rollcall.ClosePlan{Of: october})
	var incoherent *coherence.Incoherent
	if !errors.As(err, &incoherent) {
		t.Fatalf("an incoherent month is closed: %v", err)
	}
	women, err := audience.ParseTarget("sex=F", nil)
	if err != nil {
		t.Fatal(err)
	}
	audience.Once(m.Whole.View(rollcall.ByPresence, rollcall.HomeWork, women), "rules", func() *coherence.Comparisons { return broken })
	if _, err := h.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, Target: "sex=F"}); !errors.As(err, &incoherent) {
		t.Errorf("an incoherent report is given: %v", err)
	}
	list, err := h.Publications(context.Background(), "FR", "nn")
	if err != nil || len(list) != 1 {
		t.Errorf("publications: %v, %v", list, err)
	}
}

// TestSilentMeters: who sent anything at all is not silent, though it counts
// nowhere; who is excluded is not in tab.
func TestSilentMeters(t *testing.T) {
	h, f := newSite(t), facts{}
	f.add(1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
	f.add(2, "online", rollcall.Home, rollcall.Presence, stretch{2, 0, 10})
	f.add(3, "unheard-of", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
	f.add(4, "msn", rollcall.Work, rollcall.Use, stretch{2, 0, 10}) // where no meter is known
	f.addTo(september, 5, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
	h.merge(f)
	h.load(october, strings.ReplaceAll(plainRoster(12), ",1,1,", ",1,0,"), evenUniverse)
	for want, rule := range []rollcall.Exclusion{{PanelMonth: october, Panelist: 7}, {PanelMonth: october, Panelist: 1, Service: "msn"}} {
		h.close(closing(october, all()))
		quality := h.report(rollcall.Query{Report: "quality", Version: want + 1})
		silent := 8 - want
		if got := quality.Meta.Sample.Silent; got == nil || *got != silent {
			t.Errorf("version %d: %v are silent, want %d", want+1, got, silent)
		}
		note := fmt.Sprintf("%d of the %d panelists in tab sent no event of any kind in the month: their meters may be silent.", silent, 12-want)
		if !slices.Contains(quality.Meta.Notes, note) {
			t.Errorf("notes %q, want %q", quality.Meta.Notes, note)
		}
		rule.Reason = "a test"
		if err := h.exclude(context.Background(), rule); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLateDays: what came since a version was closed, or grew, is counted; what
// counts in no figure, and what was erased, is not.
func TestLateDays(t *testing.T) {
	h, f := newSite(t), facts{}
	h.load(october, plainRoster(9), evenUniverse)
	for i := range 8 {
		f.add(i+1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
	}
	h.merge(f)
	h.close(closing(october, all()))
	f = facts{}
	f.add(1, "msn", rollcall.Home, rollcall.Use, stretch{2, 5, 8})         // is there
	f.add(2, "msn", rollcall.Home, rollcall.Use, stretch{2, 5, 11})        // grows
	f.add(3, "msn", rollcall.Home, rollcall.Use, stretch{3, 0, 1})         // comes
	f.add(4, "msn", rollcall.Work, rollcall.Use, stretch{2, 0, 1})         // comes
	f.add(5, "unheard-of", rollcall.Home, rollcall.Use, stretch{2, 0, 1})  // counts in nothing
	f.add(77, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 1})        // not in tab
	f.add(6, "online", rollcall.Home, rollcall.Presence, stretch{4, 0, 1}) // comes
	h.merge(f)
	h.close(closing(october, all()))
	if _, err := h.Erase(context.Background(), "nn", "P8"); err != nil {
		t.Fatal(err)
	}
	list, err := h.Publications(context.Background(), "FR", "nn")
	if err == nil {
		err = h.CountLate(context.Background(), list)
	}
	if err != nil || len(list) != 2 || *list[0].Late != 4 || *list[1].Late != 0 {
		t.Errorf("%v, late %v and %v, want 4 and 0", err, *list[0].Late, *list[1].Late)
	}
}
