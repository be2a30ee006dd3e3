package report

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rollcall"
)

const agedUniverse = smallUniverse + "age,15-24,450,study,2002-06-30\nage,25+,450,study,2002-06-30\n"

// aged gives the small roster an age: every other person is young.
func aged() string {
	lines := strings.Split(strings.TrimSpace(smallRoster), "\n")
	for i := range lines {
		lines[i] += []string{",25+", ",15-24"}[i%2]
	}
	lines[0] = strings.Split(smallRoster, "\n")[0] + ",age"
	return strings.Join(lines, "\n") + "\n"
}

// TestTargetUnknownLastMonth: a roster without the target's column doesn't say
// who is in the target, and no more who isn't.
func TestTargetUnknownLastMonth(t *testing.T) {
	h := newSite(t)
	h.Store = public{h.store}
	f := facts{}
	for _, of := range []rollcall.PanelMonth{september, october} {
		for person := range 6 {
			f.addTo(of, person+1, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 630})
		}
	}
	h.merge(f)
	h.load(september, smallRoster, smallUniverse)
	h.close(closing(september, all()))
	h.load(october, aged(), agedUniverse)
	h.close(closing(october, all()))
	if got := value(t, h.report(rollcall.Query{Report: "ranking"}), "msn", "change"); got != 0 {
		t.Errorf("without a target the change is %g, want 0", got)
	}
	for _, target := range []string{"age=15-24", "!age=15-24", "age!=25+", "sex=F|!age=25+"} {
		ranking := h.report(rollcall.Query{Report: "ranking", Target: target})
		for _, column := range []string{"change", "change_percent"} {
			if m := find(t, ranking, "msn")[column].(rollcall.Measure); m.Status != rollcall.Undefined {
				t.Errorf("%s: %s is %+v, though September has no ages", target, column, m)
			}
		}
		if notes := strings.Join(ranking.Meta.Notes, " "); !strings.Contains(notes, `2002-09 can't be compared: target column "age": is not known`) {
			t.Errorf("%s: notes %s", target, notes)
		}
		if months := keys(h.report(rollcall.Query{Report: "trend", Target: target})); fmt.Sprint(months) != "[2002-10 msn 2002-10 any]" {
			t.Errorf("%s: the trend has the rows %s", target, months)
		}
	}
}

// TestMonthsWithNobodyInCommon: who came and went is not defined, and the rest
// of the report is.
func TestMonthsWithNobodyInCommon(t *testing.T) {
	h := newSite(t)
	h.Store = public{h.store}
	f := facts{}
	f.addTo(september, 1, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 630})
	f.addTo(october, 11, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 630})
	h.merge(f)
	h.load(september, smallRoster, smallUniverse)
	h.close(closing(september, all()))
	h.load(october, strings.ReplaceAll(smallRoster, "P", "P1"), smallUniverse)
	h.close(closing(october, all()))
	loyalty := h.report(rollcall.Query{Report: "loyalty"})
	row := find(t, loyalty, "msn")
	for _, column := range []string{"new", "returned", "retained", "lapsed"} {
		if m := row[column].(rollcall.Measure); m.Status != rollcall.Undefined {
			t.Errorf("%s is %+v, want undefined", column, m)
		}
	}
	if got := row["daily_audience"].(rollcall.Measure); got.Value != 100.0/31 {
		t.Errorf("the daily audience is %+v, want %g", got, 100.0/31)
	}
	if notes := strings.Join(loyalty.Meta.Notes, " "); !strings.Contains(notes, "2002-09 can't be compared") {
		t.Errorf("notes: %s", notes)
	}
}

// TestTwoPanelsInOneRoster: where nobody is metered at both places, nobody is
// seen at both; what rounding leaves of home + work - home+work blocks no close.
func TestTwoPanelsInOneRoster(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 5 {
		h := newSite(t)
		roster, f := strings.Builder{}, facts{}
		roster.WriteString("panelist,home,work,base_weight,sex,age\n")
		for i := 1; i <= 400; i++ {
			fmt.Fprintf(&roster, "P%d,%d,%d,%g,%c,%d\n", i, i%2, 1-i%2, 0.2+r.Float64(), "MF"[r.IntN(2)], r.IntN(3))
			place := []rollcall.Location{rollcall.Work, rollcall.Home}[i%2]
			if r.IntN(2) == 0 {
				f.add(i, "msn", place, rollcall.Use, stretch{1 + r.IntN(31), 600, 630})
			}
		}
		h.merge(f)
		h.load(october, roster.String(), "margin,category,population,source,source_date\n"+
			"sex,M,17345678,s,2002-06-30\nsex,F,18234567,s,2002-06-30\nage,0,11111111,s,2002-06-30\nage,1,12345678,s,2002-06-30\nage,2,12123456,s,2002-06-30\n")
		if _, err := h.Close(context.Background(), rollcall.ClosePlan{Of: october}); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

// TestPeriodAndMonth: the month is that of the period's last day, and one that
// contradicts it is refused.
func TestPeriodAndMonth(t *testing.T) {
	h := quarter(t)
	first, last := october.Month.First(), october.Month.Last()
	for _, c := range []struct {
		r    rollcall.Query
		want string // the month reported, or "" where refused
	}{
		{rollcall.Query{From: first, To: last}, "2002-10"},
		{rollcall.Query{From: september.Month.First(), To: last}, ""},
		{rollcall.Query{Of: september, From: september.Month.First(), To: last}, " "},
		{rollcall.Query{Of: september, To: first + 14}, ""},
		{rollcall.Query{Of: september, Version: 1, From: september.Month.First(), To: first + 14}, ""},
		{rollcall.Query{Of: october, Version: 1, From: september.Month.First(), To: first + 14}, " "},
		{rollcall.Query{Of: october, From: september.Month.First(), To: september.Month.Last()}, ""},
	} {
		c.r.Report, c.r.Of.Market, c.r.Of.Panel = "ranking", "FR", "nn"
		if c.r.Of.Month == 0 && c.want == "" {
			c.want = " "
		}
		got, err := h.Report(context.Background(), c.r)
		switch {
		case c.want == "" && !errors.Is(err, rollcall.ErrInvalid):
			t.Errorf("%+v: %v, want it refused", c.r, err)
		case c.want != "" && err != nil:
			t.Errorf("%+v: %v", c.r, err)
		case c.want != "" && got.Meta.Month != strings.TrimSpace(c.want):
			t.Errorf("%+v: of month %q, want %q", c.r, got.Meta.Month, c.want)
		}
	}
	trend := h.report(rollcall.Query{Report: "trend", From: september.Month.First() + 9, To: first + 4})
	if m := trend.Meta; m.From != "2002-09-01" || m.To != "2002-10-31" {
		t.Errorf("a trend is of whole months, and this one of %s to %s", m.From, m.To)
	}
}

// TestServiceThatNobodyUsed: with limits of 0 its counts are 0, not withheld.
func TestServiceThatNobodyUsed(t *testing.T) {
	h := smallSite(t)
	h.close(closing(october, all()))
	row := find(t, h.report(rollcall.Query{Report: "ranking", Version: 1, Services: []rollcall.ServiceID{"jabber"}}), "jabber")
	for _, column := range []string{"unique_audience", "exclusive", "reach"} {
		if m := row[column].(rollcall.Measure); m.Status != rollcall.OK || m.Value != 0 || m.SE != 0 {
			t.Errorf("%s is %+v, want 0", column, m)
		}
	}
	pairs := h.report(rollcall.Query{Report: "duplication", Version: 1, Services: []rollcall.ServiceID{"jabber"}})
	for i := range pairs.Rows {
		if m := pairs.Cell(i, "duplication").(rollcall.Measure); m.Status != rollcall.OK || m.Value != 0 {
			t.Errorf("duplication is %+v, want 0", m)
		}
	}
	h.close(rollcall.ClosePlan{Of: october})
	row = find(t, h.report(rollcall.Query{Report: "ranking", Version: 2, Services: []rollcall.ServiceID{"jabber"}}), "jabber")
	if m := row["exclusive"].(rollcall.Measure); m.Status != rollcall.Below {
		t.Errorf("exclusive is %+v, want it below", m)
	}
}
