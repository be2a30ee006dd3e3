package publish_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// TestSameFactsSameDocument closes twice, on two sites, at two times: the second
// gets the first's version.
func TestSameFactsSameDocument(t *testing.T) {
	h := newPanel(t).filled()
	a := h.close(rollcall.ClosePlan{Of: october})
	h.now = h.now.Add(time.Hour)
	b := panelOver(t, h.store).close(rollcall.ClosePlan{Of: october})
	if a.Unchanged || !b.Unchanged {
		t.Errorf("unchanged: %v, and then %v", a.Unchanged, b.Unchanged)
	}
	if b.Unchanged = false; a != b {
		t.Errorf("%+v, and then %+v", a, b)
	}
	c := newPanel(t).filled().close(rollcall.ClosePlan{Of: october})
	if a.Document != c.Document {
		t.Errorf("the same facts in another store have the document %s, not %s", c.Document, a.Document)
	}
}

// TestChangedFacts: what came since, or counts no longer, makes a version; where
// it is as it was, the latest is still another's.
func TestChangedFacts(t *testing.T) {
	h := newPanel(t).filled()
	first := h.close(rollcall.ClosePlan{Of: october})
	late := facts{}
	late.add(3, "msn", rollcall.Home, rollcall.Use, 9)
	h.merge(late)
	if second := h.close(rollcall.ClosePlan{Of: october}); second.Version != 2 || second.Unchanged || second.Document == first.Document {
		t.Errorf("after a late event: %+v", second)
	}
	rule := rollcall.Exclusion{PanelMonth: october, Day: october.Month.First() + 8, Service: "msn", Reason: "a meter"}
	if err := h.Exclude(context.Background(), rule, ""); err != nil {
		t.Fatal(err)
	}
	if third := h.close(rollcall.ClosePlan{Of: october}); third.Version != 3 || third.Unchanged {
		t.Errorf("after an exclusion: %+v", third)
	}
}

// TestCloseAfterWithdrawal: a version that was withdrawn is not given back,
// though nothing changed since; the one that stands for it is.
func TestCloseAfterWithdrawal(t *testing.T) {
	h := newPanel(t).filled()
	withdraw := func(version int) {
		t.Helper()
		if _, err := h.Withdraw(context.Background(), rollcall.Withdrawal{PanelMonth: october, Version: version, Reason: "wrong", Time: h.now}); err != nil {
			t.Fatal(err)
		}
	}
	usual, wide := rollcall.ClosePlan{Of: october}, rollcall.ClosePlan{Of: october, Confidence: new(0.9)}
	for _, step := range []struct {
		plan      rollcall.ClosePlan
		version   int
		unchanged bool
		withdraw  bool // the version, then
	}{
		{usual, 1, false, false},
		{wide, 2, false, true},
		{usual, 1, true, false}, // stands again
		{wide, 3, false, true},
		{wide, 4, false, false},
		{usual, 5, false, true},
		{wide, 4, true, true},
		{usual, 1, true, true}, // none stands
		{usual, 6, false, false},
	} {
		p := h.close(step.plan)
		if p.Version != step.version || p.Unchanged != step.unchanged || !p.Withdrawn.IsZero() {
			t.Errorf("%+v: %+v", step, p)
		}
		if step.withdraw {
			withdraw(p.Version)
		}
	}
}

// TestTwoClosersAtOnce: of the same facts one closer makes the version and the
// others get it; with settings of its own each gets a version of its own.
func TestTwoClosersAtOnce(t *testing.T) {
	const closers = 8
	for name, settings := range map[string]func(n int) *float64{
		"the same":    func(int) *float64 { return nil },
		"each others": func(n int) *float64 { return new(0.9 + float64(n)/100) },
	} {
		h := newPanel(t).filled()
		var wait sync.WaitGroup
		got := make([]rollcall.Publication, closers)
		errs := make([]error, closers)
		for i := range closers {
			wait.Go(func() {
				got[i], errs[i] = h.Close(context.Background(), rollcall.ClosePlan{Of: october, Confidence: settings(i)})
			})
		}
		wait.Wait()
		made, want := map[int]bool{}, closers
		if settings(0) == nil {
			want = 1
		}
		for i, p := range got {
			if errs[i] != nil || p.Version < 1 || p.Version > want || !p.Unchanged && made[p.Version] {
				t.Errorf("%s, closer %d: %+v, %v", name, i, p, errs[i])
			}
			made[p.Version] = made[p.Version] || !p.Unchanged
		}
		if len(made) != want {
			t.Errorf("%s: versions %v were made", name, made)
		}
	}
}

func TestStatusesFollow(t *testing.T) {
	type step struct {
		status  rollcall.PublicationStatus
		reason  string
		limits  audience.Settings
		version int    // 0: want says why there is none
		want    string // of the error
	}
	usual, wide := audience.DefaultSettings(), audience.DefaultSettings()
	wide.Confidence = 0.9
	for _, steps := range [][]step{
		{{"restated", "why", usual, 0, `status "restated": can't be the first version: there is nothing to restate`}},
		{{"preliminary", "", usual, 1, ""}, {"", "", usual, 1, ""}, {"", "", wide, 2, ""}, {"final", "", wide, 3, ""},
			{"preliminary", "", wide, 0, `status "preliminary": can't follow version 3, which is final; restate it, with a reason`},
			{"final", "", wide, 3, ""}, {"final", "", usual, 0, `status "final": can't follow version 3, which is final; restate it, with a reason`},
			{"restated", " ", usual, 0, `reason: is missing: a restatement says why`},
			{"restated", "late events", wide, 4, ""}, // the same facts under another status
			{"restated", "other words", wide, 4, ""},
			{"final", "", wide, 0, `status "final": can't follow version 4, which is restated; restate it, with a reason`},
			{"preliminary", "", all(), 5, ""}, // internal: not in the readers' sequence
			{"preliminary", "", all(), 5, ""},
			{"restated", "other words", wide, 4, ""},
			{"restated", "again", usual, 6, ""},
			{"preliminary", "", all(), 5, ""}},
		{{"closed", "", usual, 0, `status "closed": is not preliminary, final or restated`}},
		{{"", "", audience.Settings{Thresholds: panel.Thresholds{Low: -1}, Confidence: 0.95}, 0, `low "-1": is under 0`}},
	} {
		h := newPanel(t).filled()
		made := 0
		for i, s := range steps {
			plan := closing(october, s.limits)
			plan.Status, plan.Reason = s.status, s.reason
			p, err := h.Close(context.Background(), plan)
			if s.want != "" {
				if err == nil || err.Error() != s.want || !errors.Is(err, rollcall.ErrInvalid) {
					t.Errorf("step %d: %v, want %s", i+1, err, s.want)
				}
				continue
			}
			if err != nil || p.Version != s.version || p.Unchanged != (s.version <= made) {
				t.Errorf("step %d: version %d, unchanged %v, %v; want %d", i+1, p.Version, p.Unchanged, err, s.version)
			}
			if s.version <= made && p.Reason == "other words" {
				t.Errorf("step %d: version %d has another's reason", i+1, p.Version)
			}
			made = max(made, s.version)
		}
	}
}

// TestLoadPanelRefuses: every fault names its file, line, column and value, and
// nothing is stored.
func TestLoadPanelRefuses(t *testing.T) {
	for _, c := range []struct{ roster, universe, want string }{
		{strings.Replace(smallRoster, "P3,1,0,M", "P3,1,2,M", 1), smallUniverse, `panelists.csv line 4, column work "2": is not 0 or 1`},
		{strings.Replace(smallRoster, "P3,1,0,M", "P2,1,0,M", 1), smallUniverse, `panelists.csv line 4, column panelist "P2": repeats that of line 3`},
		{smallRoster, strings.Replace(smallUniverse, "600", "many", 1), `universe.csv line 3, column population "many": is not a number of persons`},
		{strings.Replace(smallRoster, "P6,1,1,F", "P6,1,1,X", 1), smallUniverse, `panelists.csv line 7, column sex "X": is a category that margin sex of the universe does not have (panelists: 1)`},
	} {
		h := newPanel(t)
		_, err := h.LoadPanel(context.Background(), october, input(c.roster, c.universe))
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
		if _, err := h.store.PanelObjects(context.Background(), october); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("after %s, the files are there: %v", c.want, err)
		}
	}
	h := newPanel(t)
	got := h.load(october, smallRoster, smallUniverse)
	if got.Panelists != 6 || got.Home != 6 || got.Work != 5 || got.Population != 900 || got.Margins != 2 {
		t.Errorf("loaded %+v", got)
	}
}

// TestPanelLimits: a close uses the panel's own limits, and is internal under
// them alone; other panels have the usual.
func TestPanelLimits(t *testing.T) {
	h := newPanel(t).filled()
	limits := func(p rollcall.Publication) panel.Thresholds {
		m, err := h.Month(context.Background(), p.Document)
		if err != nil {
			t.Fatal(err)
		}
		return m.Doc.Settings.Thresholds
	}
	number := func(n int) *int { return &n }
	for _, step := range []struct {
		set      rollcall.ClosePlan // Low and Caution alone
		plan     rollcall.ClosePlan
		want     panel.Thresholds
		internal bool
	}{
		{rollcall.ClosePlan{}, rollcall.ClosePlan{}, panel.Thresholds{Low: 30, Caution: 60}, false},
		{rollcall.ClosePlan{Low: number(2)}, rollcall.ClosePlan{}, panel.Thresholds{Low: 2, Caution: 60}, false},
		{rollcall.ClosePlan{Caution: number(4)}, rollcall.ClosePlan{}, panel.Thresholds{Low: 2, Caution: 4}, false},
		{rollcall.ClosePlan{}, rollcall.ClosePlan{Low: number(1)}, panel.Thresholds{Low: 1, Caution: 4}, true},
		{rollcall.ClosePlan{Low: number(50), Caution: number(100)}, rollcall.ClosePlan{Low: number(30), Caution: number(60)}, panel.Thresholds{Low: 30, Caution: 60}, true},
		{rollcall.ClosePlan{}, rollcall.ClosePlan{Low: number(51)}, panel.Thresholds{Low: 51, Caution: 100}, false},
	} {
		if step.set.Low != nil || step.set.Caution != nil {
			if _, err := h.SetLimits(context.Background(), "FR", "nn", step.set.Low, step.set.Caution); err != nil {
				t.Fatal(err)
			}
		}
		step.plan.Of = october
		p := h.close(step.plan)
		if got := limits(p); got != step.want || p.Internal != step.internal {
			t.Errorf("%+v: limits %+v, internal %v; want %+v, %v", step, got, p.Internal, step.want, step.internal)
		}
	}
	for version := 1; version <= 6; version++ {
		if err := h.Verify(context.Background(), october, version); err != nil {
			t.Errorf("version %d, closed under the limits of its day: %v", version, err)
		}
	}
	live, err := h.Live(context.Background(), october)
	if err != nil || live.Doc.Settings.Thresholds != (panel.Thresholds{Low: 50, Caution: 100}) {
		t.Errorf("live: %+v, %v", live, err)
	}
	for what, err := range map[string]error{
		`panel "n" is not known`: second(h.SetLimits(context.Background(), "FR", "n", number(1), nil)),
		`low "-1": is under 0`:   second(h.SetLimits(context.Background(), "FR", "nn", number(-1), nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), what[:8]) {
			t.Errorf("%v, want %s", err, what)
		}
	}
}

func second[T any](_ T, err error) error { return err }
