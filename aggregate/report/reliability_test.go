package report

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/audience"
)

// panelOf is a panel of men and women of one weight each in which known
// numbers of persons use each service, those of a service from the first
// person on.
func panelOf(t *testing.T, s audience.Settings, users map[rollcall.ServiceID]int, minutes func(person int) int) *site {
	t.Helper()
	h := newSite(t)
	f := facts{}
	var roster strings.Builder
	roster.WriteString("panelist,home,work,sex\n")
	for i := range 200 {
		fmt.Fprintf(&roster, "P%d,1,1,%c\n", i+1, "MF"[i%2])
		f.add(i+1, rollcall.Online, rollcall.Home, rollcall.Presence, stretch{1, 0, 1})
		for service, n := range users {
			if i < n {
				f.add(i+1, service, rollcall.Home, rollcall.Use, stretch{2, 0, minutes(i)})
			}
		}
	}
	h.load(october, roster.String(), "margin,category,population,source,source_date\nsex,M,100000,study,2002-06-30\nsex,F,100000,study,2002-06-30\n")
	h.merge(f)
	h.Store = public{h.store}
	h.close(closing(october, s))
	return h
}

func tenMinutes(int) int { return 10 }

func status(t *testing.T, table *rollcall.Table, column string, key ...any) rollcall.Status {
	t.Helper()
	m, ok := find(t, table, key...)[column].(rollcall.Measure)
	if !ok {
		t.Fatalf("%s of %v is no measure", column, key)
	}
	return m.Status
}

// TestEachFigureByItsOwnPersons: every figure of a ranking at the limits'
// edges. One service that is withheld withholds nothing else.
func TestEachFigureByItsOwnPersons(t *testing.T) {
	h := panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 60, "aim": 59, "icq": 30, "yahoo": 29, "jabber": 100}, tenMinutes)
	table := h.report(rollcall.Query{Report: "ranking"})
	for service, want := range map[string]rollcall.Status{"jabber": rollcall.OK, "msn": rollcall.OK, "aim": rollcall.Caution, "icq": rollcall.Caution, "yahoo": rollcall.Below} {
		for _, column := range []string{"unique_audience", "reach", "coverage", "sessions_per_person", "minutes_per_person", "days_per_person", "audience_share", "time_share"} {
			if got := status(t, table, column, service); got != want {
				t.Errorf("%s of %s is %s, want %s", column, service, got, want)
			}
		}
		if ranked := find(t, table, service)["rank"] != nil; ranked == want.Withheld() {
			t.Errorf("%s, which is %s, has a rank: %v", service, want, ranked)
		}
		// All users of the others use jabber, and 40 of jabber's use nothing else.
		if got := status(t, table, "exclusive", service); (got == rollcall.Caution) != (service == "jabber") || service != "jabber" && got != rollcall.Below {
			t.Errorf("the exclusive audience of %s is %s", service, got)
		}
	}
	for _, column := range []string{"unique_audience", "gross", "services_per_user", "reach"} {
		if got := status(t, table, column, "any", "any"); got != rollcall.OK {
			t.Errorf("%s of any is %s beside a service that is withheld", column, got)
		}
	}
}

// TestWithheldHasNoNumber: no report shows a number of what is withheld, n
// included, and every figure that is shown has persons enough.
func TestWithheldHasNoNumber(t *testing.T) {
	h := panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 60, "aim": 59, "icq": 30, "yahoo": 29, "jabber": 100}, tenMinutes)
	for _, name := range Reports() {
		if name == "quality" { // which is the enumeration study's
			continue
		}
		for _, place := range rollcall.Places() {
			table, shown, withheld := h.report(rollcall.Query{Report: name, Place: place}), 0, 0
			for _, row := range table.Rows {
				for k, cell := range row {
					m, ok := cell.(rollcall.Measure)
					switch {
					case !ok:
					case !m.Status.Withheld():
						shown++
						if m.N < 30 {
							t.Errorf("%s at %s: %s of %v shows %+v", name, place, table.Columns[k].Name, row[0], m)
						}
					default:
						withheld++
						if !math.IsNaN(m.Value) || !math.IsNaN(m.SE) || !math.IsNaN(m.Low) || !math.IsNaN(m.High) || m.N != 0 {
							t.Errorf("%s at %s: %s of %v is withheld as %+v", name, place, table.Columns[k].Name, row[0], m)
						}
					}
				}
			}
			if place == rollcall.HomeWork && name != "consistency" && name != "trend" && name != "loyalty" && (shown == 0 || withheld == 0) {
				t.Errorf("%s shows %d figures and withholds %d", name, shown, withheld)
			}
		}
	}
}

// TestDerivedFiguresByWhatTheyAreOf: overlaps by those in both, increments by
// those added and by both unions, curves and days by their own.
func TestDerivedFiguresByWhatTheyAreOf(t *testing.T) {
	h := panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 100, "aim": 29, "icq": 59}, tenMinutes)
	duplication := h.report(rollcall.Query{Report: "duplication"})
	steps := h.report(rollcall.Query{Report: "incremental", Services: []rollcall.ServiceID{"aim", "icq", "msn"}})
	incremental := func(s string) rollcall.Status { return status(t, steps, "incremental", s) }
	for what, c := range map[string]struct{ got, want rollcall.Status }{
		"msn with aim":                  {status(t, duplication, "duplication", "msn", "aim"), rollcall.Below},
		"msn's share with icq":          {status(t, duplication, "share_of_a", "msn", "icq"), rollcall.Caution},
		"aim first":                     {incremental("aim"), rollcall.Below},
		"icq, 30 more than the 29":      {incremental("icq"), rollcall.Below},
		"msn, 41 more than the 59":      {incremental("msn"), rollcall.Caution},
		"aim and icq":                   {status(t, steps, "unique_audience", "icq"), rollcall.Caution},
		"who used msn on two days":      {status(t, h.report(rollcall.Query{Report: "frequency"}), "unique_audience", "msn", "2-3"), rollcall.Below},
		"who used msn on a day":         {status(t, h.report(rollcall.Query{Report: "frequency"}), "share", "msn", "1"), rollcall.OK},
		"who used msn on the first day": {status(t, h.report(rollcall.Query{Report: "curve"}), "unique_audience", "msn", 1), rollcall.Below},
		"who used msn by the second":    {status(t, h.report(rollcall.Query{Report: "curve"}), "unique_audience", "msn", 2), rollcall.OK},
		"the women of icq, 29":          {status(t, h.report(rollcall.Query{Report: "profile"}), "composition", "icq", "sex=F"), rollcall.Below},
		"the men of icq, 30":            {status(t, h.report(rollcall.Query{Report: "profile"}), "composition", "icq", "sex=M"), rollcall.Caution},
		"the change without a month":    {status(t, h.report(rollcall.Query{Report: "ranking"}), "change", "msn"), rollcall.Undefined},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, want %s", what, c.got, c.want)
		}
	}
}

// TestChangeByTheSmallerMonth: of 29 users then and 100 now.
func TestChangeByTheSmallerMonth(t *testing.T) {
	for _, c := range []struct {
		before int
		want   rollcall.Status
	}{{29, rollcall.Below}, {30, rollcall.Caution}, {59, rollcall.Caution}, {60, rollcall.OK}} {
		h := panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 100}, tenMinutes)
		f := facts{}
		for i := range 200 {
			if i < c.before {
				f.addTo(september, i+1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
			}
			f.addTo(september, i+1, rollcall.Online, rollcall.Home, rollcall.Use, stretch{2, 0, 10})
		}
		h.merge(f)
		var roster strings.Builder
		roster.WriteString("panelist,home,work,sex\n")
		for i := range 200 {
			fmt.Fprintf(&roster, "P%d,1,1,%c\n", i+1, "MF"[i%2])
		}
		h.load(september, roster.String(), "margin,category,population,source,source_date\nsex,M,100000,study,2002-06-30\nsex,F,100000,study,2002-06-30\n")
		h.close(rollcall.ClosePlan{Of: september})
		h.close(rollcall.ClosePlan{Of: october})
		table := h.report(rollcall.Query{Report: "ranking"})
		for _, column := range []string{"change", "change_percent"} {
			if got := status(t, table, column, "msn"); got != c.want {
				t.Errorf("%s from %d persons to 100 is %s, want %s", column, c.before, got, c.want)
			}
		}
	}
}

// TestUncertainLevelsAreFlagged: a figure of persons enough whose standard
// error is 30 % or more is flagged, if it is a level; coverage goes with its
// audience.
func TestUncertainLevelsAreFlagged(t *testing.T) {
	h := panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 100, "aim": 100}, func(person int) int {
		if person == 0 {
			return 1400
		}
		return 1
	})
	table := h.report(rollcall.Query{Report: "ranking"})
	for column, want := range map[string]rollcall.Status{
		"minutes_per_person": rollcall.Caution, "unique_audience": rollcall.OK, "coverage": rollcall.OK, "days_per_person": rollcall.OK, "time_share": rollcall.OK,
	} {
		if got := status(t, table, column, "msn"); got != want {
			t.Errorf("%s is %s, want %s", column, got, want)
		}
	}

	heavy := newSite(t)
	heavy.Store = public{heavy.store}
	f := facts{}
	var roster strings.Builder
	roster.WriteString("panelist,home,work,base_weight,sex\n")
	for i := range 200 { // one of the 100 users stands for half of them
		weight := 1
		switch {
		case i == 0:
			weight = 120
		case i >= 100:
			weight = 6
		}
		fmt.Fprintf(&roster, "P%d,1,1,%d,F\n", i+1, weight)
		f.add(i+1, rollcall.Online, rollcall.Home, rollcall.Presence, stretch{1, 0, 1})
		if i < 100 {
			f.add(i+1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
		}
	}
	heavy.load(october, roster.String(), "margin,category,population,source,source_date\nsex,F,100000,study,2002-06-30\n")
	heavy.merge(f)
	heavy.close(rollcall.ClosePlan{Of: october})
	table = heavy.report(rollcall.Query{Report: "ranking"})
	m := find(t, table, "msn")["unique_audience"].(rollcall.Measure)
	if !(m.N == 100 && m.SE >= 0.3*m.Value) {
		t.Fatalf("the audience is %+v: it must be of persons enough, and uncertain", m)
	}
	if m.Status != rollcall.Caution || status(t, table, "coverage", "msn") != rollcall.Caution || status(t, table, "reach", "msn") != rollcall.OK {
		t.Errorf("an audience with a standard error of %.0f %% is %s, its coverage %s, its reach %s",
			100*m.SE/m.Value, m.Status, status(t, table, "coverage", "msn"), status(t, table, "reach", "msn"))
	}
}

// TestLimitOfNothing: with limits of 0 a figure of nobody is shown too.
func TestLimitOfNothing(t *testing.T) {
	h := panelOf(t, all(), map[rollcall.ServiceID]int{"msn": 60, "jabber": 1}, tenMinutes)
	table := h.report(rollcall.Query{Report: "ranking"})
	if m := find(t, table, "jabber")["exclusive"].(rollcall.Measure); m.Status != rollcall.OK || m.N != 0 || m.Value != 0 {
		t.Errorf("jabber's exclusive audience of nobody is %+v", m)
	}
	h = panelOf(t, audience.DefaultSettings(), map[rollcall.ServiceID]int{"msn": 60, "jabber": 1}, tenMinutes)
	if got := status(t, h.report(rollcall.Query{Report: "ranking"}), "exclusive", "jabber"); got != rollcall.Below {
		t.Errorf("jabber's exclusive audience of nobody is %s under the usual limits", got)
	}
}
