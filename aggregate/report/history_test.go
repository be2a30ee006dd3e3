package report

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/audience"
)

// TestMain keeps the property tests short; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// quarter closes August, September and October 2002 for readers. Of six
// persons P1 uses msn in all, P2 in August and October, P4 in September, P5 in
// October; in September P3 is out of tab.
func quarter(t *testing.T) *site { return fillQuarter(newSite(t)) }

func fillQuarter(h *site) *site {
	h.Store = public{h.store}
	for back, users := range map[int][]int{2: {1, 2}, 1: {1, 4}, 0: {1, 2, 5}} {
		of := october
		of.Month -= rollcall.Month(back)
		f := facts{}
		for _, p := range users {
			f.addTo(of, p, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 630})
		}
		h.merge(f)
		roster := smallRoster
		if back == 1 {
			roster = strings.Replace(roster, "P3,1,0,M\n", "", 1)
		}
		h.load(of, roster, smallUniverse)
	}
	for back := 2; back >= 0; back-- {
		of := october
		of.Month -= rollcall.Month(back)
		h.close(closing(of, all()))
	}
	return h
}

func TestTrendAndLoyalty(t *testing.T) {
	h := quarter(t)
	trend := h.report(rollcall.Query{Report: "trend"})
	for month, want := range map[string]float64{"2002-08": 200, "2002-09": 350, "2002-10": 400} {
		// August: two men of three. September: one man of two, one woman of three.
		row := find(t, trend, month, "msn")
		if got := row["unique_audience"].(rollcall.Measure).Value; got != want {
			t.Errorf("%s: msn %g, want %g", month, got, want)
		}
	}
	if got := fmt.Sprint(keys(trend)); got != "[2002-08 msn 2002-08 any 2002-09 msn 2002-09 any 2002-10 msn 2002-10 any]" {
		t.Errorf("rows %s", got)
	}
	if m := trend.Meta; m.From != "2002-08-01" || m.To != "2002-10-31" || !strings.Contains(m.Method, "period=2002-08-01/2002-10-31") {
		t.Errorf("the trend is of %s to %s (%s): it has no figures before August", m.From, m.To, m.Method)
	}
	change := find(t, trend, "2002-10", "msn")["change"].(rollcall.Measure)
	if change.Value != 50 || change.N != 2 {
		t.Errorf("October's change is %g of %d persons, want 50 of 2", change.Value, change.N)
	}
	if got := find(t, trend, "2002-08", "msn")["change"].(rollcall.Measure); got.Status != rollcall.Undefined {
		t.Errorf("August's change is %+v, want undefined", got)
	}
	// In tab in both months: two men at 150 each, three women at 200 each.
	row := find(t, h.report(rollcall.Query{Report: "loyalty"}), "msn")
	for column, want := range map[string]float64{
		"new": 100 * 200.0 / 500, "returned": 100 * 150.0 / 500, "retained": 100 * 150.0 / 500, "lapsed": 100 * 200.0 / 350,
		"daily_audience": 400.0 / 31, "stickiness": 100.0 / 31,
	} {
		if got := row[column].(rollcall.Measure).Value; got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s is %g, want %g", column, got, want)
		}
	}
	ranking := h.report(rollcall.Query{Report: "ranking"})
	if c := ranking.Meta.Compared; c == nil || c.Month != "2002-09" || c.Version != 1 {
		t.Errorf("compared with %+v", c)
	}
}

// TestPinnedMonthsStay: a version goes on comparing with what it pinned, though
// the month before is restated.
func TestPinnedMonthsStay(t *testing.T) {
	h := quarter(t)
	before := map[string][]byte{}
	for _, name := range Reports() {
		before[name] = body(t, h.report(rollcall.Query{Report: name}))
	}
	late := facts{}
	late.addTo(september, 5, "msn", rollcall.Home, rollcall.Use, stretch{9, 0, 10})
	h.merge(late)
	h.close(closing(september, all()))
	other := newSiteOver(t, h.store, h.Catalogue())
	for _, name := range Reports() {
		sameBytes(t, name, body(t, other.report(rollcall.Query{Report: name})), before[name])
	}
	h.close(closing(october, all()))
	if got := []any{versionIn(t, other, 1, "2002-09"), versionIn(t, h, 2, "2002-09"), versionIn(t, h, 2, "2002-10")}; fmt.Sprint(got) != "[1 2 2]" {
		t.Errorf("the trends' rows are of the versions %v, want those that each pins, and its own", got)
	}
	if got := value(t, h.report(rollcall.Query{Report: "ranking"}), "msn", "change"); got != 400-550 {
		t.Errorf("after the restatement the change is %g, want %d", got, 400-550)
	}
}

// versionIn gives what a version's trend says a month's row is of.
func versionIn(t *testing.T, h *site, version int, month string) any {
	t.Helper()
	return find(t, h.report(rollcall.Query{Report: "trend", Version: version}), month, "msn")["version"]
}

// TestPeriodOfSeveralMonths: the persons in tab in both months, weighed anew;
// what is lost is said.
func TestPeriodOfSeveralMonths(t *testing.T) {
	h := quarter(t)
	got := h.report(rollcall.Query{Report: "ranking", From: september.Month.First() + 2, To: october.Month.First() + 2})
	if ua := value(t, got, "msn", "unique_audience"); ua != 2*150+2*200 {
		t.Errorf("msn over the turn of the month is %g, want 700: it is no sum of 350 and 400", ua)
	}
	if m := got.Meta; m.Month != "" || m.From != "2002-09-03" || m.To != "2002-10-03" || m.Sample.InTab != 5 {
		t.Errorf("month %q, from %s to %s, %d in tab", m.Month, m.From, m.To, m.Sample.InTab)
	}
	if notes := strings.Join(got.Meta.Notes, " "); !strings.Contains(notes, "touches 2 months") || !strings.Contains(notes, "16.7 % of its sample is lost") {
		t.Errorf("notes: %s", notes)
	}
	day := h.report(rollcall.Query{Report: "ranking", From: october.Month.First(), To: october.Month.First()})
	if ua := value(t, day, "msn", "unique_audience"); ua != 0 {
		t.Errorf("msn on the 1st is %g, want 0", ua)
	}
}

// TestMeta: what stands beside a report.
func TestMeta(t *testing.T) {
	h := fixtureSite(t, audience.DefaultSettings())
	m := h.report(rollcall.Query{Report: "ranking", Place: rollcall.AtWork, Credit: rollcall.ByUse, Target: "sex=F"}).Meta
	if m.Report != "ranking" || m.Month != "2002-10" || m.Location != "work" || m.Credit != "use" || m.Target != "sex=F" ||
		m.Version != 1 || m.Status != "preliminary" || m.Internal || m.Confidence != 0.95 || m.Thresholds["low"] != 30 || m.Thresholds["caution"] != 60 {
		t.Errorf("%+v", m)
	}
	if u := m.Universe; u.Population != fixtureUniverse || u.Source != "enumeration study" || u.SourceDate != "2002-06-30" || len(u.ID) != 64 {
		t.Errorf("universe %+v", u)
	}
	if w := m.Weights; w.N != 300 || w.Trimming != "none" || w.Iterations < 1 || len(w.ID) != 64 {
		t.Errorf("weights %+v", w)
	}
	near(t, "deff", m.Weights.Deff, 1.07570537)
	near(t, "n_eff", m.Weights.NEff, 278.8867736)
	want := "method=rollcall-1; population=persons; credit=use; location=work; base=work; period=2002-10-01/2002-10-31; zone=Europe/Paris; " +
		"idle_gap_minutes=30; weights=raking; variance=taylor-calibration-residuals; sketch=none; interval=t,logit,korn-graubard,hall,fieller; df=299; confidence=0.95; low=30; caution=60; caution_rse=0.3; trim=0,0; target=sex=F"
	if m.Method != want {
		t.Errorf("method %s", m.Method)
	}
	if notes := strings.Join(m.Notes, " "); !strings.Contains(notes, "lower bounds") {
		t.Errorf("notes: %s", notes)
	}
}

// TestColumns: every column of every report is defined.
func TestColumns(t *testing.T) {
	h := fixtureSite(t, all())
	for _, name := range Reports() {
		for _, c := range h.report(rollcall.Query{Report: name, Version: 1}).Columns {
			if c.Name == "" || c.Label == "" || c.Definition == "" || c.Role != dimension && c.Role != measure {
				t.Errorf("%s: column %+v", name, c)
			}
		}
	}
}
