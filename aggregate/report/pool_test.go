package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/audience"
)

// TestPool: a pooled total is the mean of the months', a ratio one of pooled
// totals, and both vary over the households of the months together.
func TestPool(t *testing.T) {
	h := homes{t}
	s := h.site()
	pooled := s.report(rollcall.Query{Report: "ranking", Pool: 2})
	then, now := s.report(rollcall.Query{Report: "ranking", Of: september}), s.report(rollcall.Query{Report: "ranking"})
	for _, service := range homeServices() {
		id := string(service)
		m := find(t, pooled, id)["unique_audience"].(rollcall.Measure)
		mean := func(column string) float64 { return (value(t, then, id, column) + value(t, now, id, column)) / 2 }
		near(t, "audience of "+id, m.Value, mean("unique_audience"))
		near(t, "its SE", m.SE, h.error(map[[2]any]float64{{1, service}: 0.5, {0, service}: 0.5}))
		if want := h.everyone(service); m.N != want {
			t.Errorf("%s has n %d, want %d persons", id, m.N, want)
		}
		near(t, "minutes of "+id, value(t, pooled, id, "minutes_per_person"), 10)
		near(t, "coverage of "+id, value(t, pooled, id, "coverage"), mean("coverage"))
		if m := find(t, pooled, id)["change"].(rollcall.Measure); m.Status != rollcall.Undefined {
			t.Errorf("a pooled change is %+v", m)
		}
	}
	if m := pooled.Meta; m.Pool != 2 || m.From != "2002-09-01" || m.To != "2002-10-31" || m.Sample.InTab != residents || !strings.Contains(strings.Join(m.Notes, " "), "Pooled over 2 months") {
		t.Errorf("meta is %+v", m)
	}
	women := s.report(rollcall.Query{Report: "duplication", Pool: 2, Target: "sex=F", Services: []rollcall.ServiceID{"msn", "aim"}})
	sum := 0.0
	for k, of := range []rollcall.PanelMonth{september, october} {
		one := s.report(rollcall.Query{Report: "duplication", Of: of, Target: "sex=F", Services: []rollcall.ServiceID{"msn", "aim"}})
		for i := 1; i < residents; i += 2 {
			sum += 500 * truth(h.uses(k, i, "msn") && h.uses(k, i, "aim"))
		}
		if v := value(t, one, "msn", "duplication"); v == 0 {
			t.Error("nobody uses both in a month: the test tests nothing")
		}
	}
	m := find(t, women, "msn", "aim")["duplication"].(rollcall.Measure)
	near(t, "women who use both", m.Value, sum)
}

// everyone counts the persons who used a service in either month.
func (h homes) everyone(s rollcall.ServiceID) int {
	n := 0
	for i := range residents {
		n += int(truth(h.uses(0, i, s) || h.uses(1, i, s)))
	}
	return n
}

// TestPoolReadsWhatIsBelow: a service that is below alone is told pooled, and
// the report of the month says so.
func TestPoolReadsWhatIsBelow(t *testing.T) {
	s := homes{t}.site()
	settings := audience.DefaultSettings()
	s.close(closing(september, settings))
	s.close(closing(october, settings))
	alone, pooled := s.report(rollcall.Query{Report: "ranking"}), s.report(rollcall.Query{Report: "ranking", Pool: 2})
	if got := status(t, alone, "unique_audience", "yahoo"); got != rollcall.Below || !strings.Contains(strings.Join(alone.Meta.Notes, " "), "ask for it with pool") {
		t.Errorf("alone it is %s; notes %q", got, alone.Meta.Notes)
	}
	if !strings.HasSuffix(alone.Meta.Method, "; below_pool=2-2") || !strings.Contains(strings.Join(alone.Meta.Notes, " "), "with pool, 2 months.") || strings.Contains(pooled.Meta.Method, "below_pool") {
		t.Errorf("the method of one month is %s, of two %s", alone.Meta.Method, pooled.Meta.Method)
	}
	for _, q := range []rollcall.Query{{Report: "ranking", Place: rollcall.EveryPlace}, {Report: "profile"}, {Report: "trend"}} {
		if table := s.report(q); !strings.Contains(table.Meta.Method, "below_pool") {
			t.Errorf("%s: the method is %s, the notes %q", q.Report, table.Meta.Method, table.Meta.Notes)
		}
	}
	if first := s.report(rollcall.Query{Report: "ranking", Of: september}); strings.Contains(first.Meta.Method, "below_pool") {
		t.Errorf("no month is there to pool with, and the method is %s", first.Meta.Method)
	}
	if n := (homes{t}).everyone("yahoo"); n >= settings.Low {
		if got := status(t, pooled, "unique_audience", "yahoo"); got.Withheld() {
			t.Errorf("pooled it is %s of %d persons", got, n)
		}
	} else {
		t.Errorf("%d persons used it: the test tests nothing", n)
	}
}

// TestPoolRefuses: in one line that names the month at fault.
func TestPoolRefuses(t *testing.T) {
	s := homes{t}.site()
	for text, q := range map[string]rollcall.Query{
		`pool "1": is not 2 to 12 months`:                                                                                      {Report: "ranking", Pool: 1},
		`pool "13": is not 2 to 12 months`:                                                                                     {Report: "ranking", Pool: 13},
		`pool "2": goes with a month, not with days`:                                                                           {Report: "ranking", Pool: 2, From: october.Month.First()},
		`pool "2": stands beside compare: changes are not pooled; ask for one of the two`:                                      {Report: "ranking", Pool: 2, Compare: "year"},
		`target "age=15-24": is not for quality, whose weights are the whole panel's`:                                          {Report: "quality", Target: "age=15-24"},
		`service "msn": is not for quality, whose weights are the whole panel's`:                                               {Report: "quality", Services: []rollcall.ServiceID{"msn"}},
		`service "msn,aim": is not for consistency, which compares all services with each other`:                               {Report: "consistency", Services: []rollcall.ServiceID{"msn", "aim"}},
		`pool "2": is not for quality, which tells how well one month's weights meet that month's margins: ask for each month`: {Report: "quality", Pool: 2},
	} {
		q.Of = october
		if _, err := s.Report(context.Background(), q); !errors.Is(err, rollcall.ErrInvalid) || err.Error() != text {
			t.Errorf("error is %v, want %s", err, text)
		}
	}
	if math.IsNaN(value(t, s.report(rollcall.Query{Report: "ranking", Pool: 2}), "msn", "unique_audience")) {
		t.Error("a pooled audience is no number")
	}
}

// TestWholePanel: a report whose figures are the same at every place, or under both
// credits, says so where one of them is asked for.
func TestWholePanel(t *testing.T) {
	s := homes{t}.site()
	const quality = "The weights are the whole panel's: the rows are the same for every location and credit."
	const consistency = "The rules are of every place, whatever the location: the rows are the same for each."
	for _, tt := range []struct {
		q    rollcall.Query
		note string
		has  bool
	}{
		{rollcall.Query{Report: "quality"}, quality, false},
		{rollcall.Query{Report: "quality", Place: rollcall.AtWork}, quality, true},
		{rollcall.Query{Report: "quality", Credit: rollcall.ByUse}, quality, true},
		{rollcall.Query{Report: "consistency", Credit: rollcall.ByUse}, consistency, false},
		{rollcall.Query{Report: "consistency", Place: rollcall.AtHome}, consistency, true},
	} {
		if has := slices.Contains(s.report(tt.q).Meta.Notes, tt.note); has != tt.has {
			t.Errorf("%s at %q by %q has the note: %v, want %v", tt.q.Report, tt.q.Place, tt.q.Credit, has, tt.has)
		}
	}
}

// TestPoolNamesTheMonth: what keeps a month out of a mean is said with the month.
func TestPoolNamesTheMonth(t *testing.T) {
	ctx := context.Background()
	ask := func(s *site, pool int) error {
		_, err := s.Report(ctx, rollcall.Query{Report: "ranking", Of: october, Pool: pool})
		return err
	}
	refused := func(what string, err, kind error, text string) {
		t.Helper()
		if !errors.Is(err, kind) || err.Error() != text {
			t.Errorf("%s: %v, want %s", what, err, text)
		}
	}
	s := homes{t}.site()
	_, err := s.Report(ctx, rollcall.Query{Report: "trend", Of: october, Pool: 3})
	refused("a trend of none", err, rollcall.ErrNotClosed, "2002-08 of panel nn in FR was not closed when version 1 of 2002-10 was, nor is it now")
	refused("never closed", ask(s, 3), rollcall.ErrNotClosed, "2002-08 of panel nn in FR was not closed when version 1 of 2002-10 was, nor is it now")
	s.report(rollcall.Query{Report: "ranking", Pool: 2}) // so that the mean is kept in memory
	if _, err := s.Withdraw(ctx, rollcall.Withdrawal{PanelMonth: september, Version: 1, Reason: "wrong roster", Time: s.now}); err != nil {
		t.Fatal(err)
	}
	refused("withdrawn after it was pinned", ask(s, 2), rollcall.ErrWithdrawn, "version 1 of 2002-09 of panel nn in FR was withdrawn on 2002-11-04: wrong roster")
	s.close(closing(october, all()))
	refused("withdrawn before", ask(s, 2), rollcall.ErrWithdrawn, "version 1 of 2002-09 of panel nn in FR was withdrawn on 2002-11-04: wrong roster")
	s.close(closing(september, all()))
	refused("closed after", ask(s, 2), rollcall.ErrNotClosed, "2002-09 of panel nn in FR was not closed when version 2 of 2002-10 was; close 2002-10 again")
	s.close(closing(october, all()))
	if err := ask(s, 2); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// TestPoolOfInternalMonths: a version for readers takes in no internal one.
func TestPoolOfInternalMonths(t *testing.T) {
	s := homes{t}.site()
	other := newSiteOver(t, s.store, s.Catalogue()) // whose limits make a version internal
	for _, of := range []rollcall.PanelMonth{september, october} {
		of.Panel = "internal"
		other.load(of, plainRoster(40), evenUniverse)
	}
	of, before := october, september
	of.Panel, before.Panel = "internal", "internal"
	other.close(closing(before, all()))
	other.close(closing(of, audience.DefaultSettings()))
	_, err := other.Report(context.Background(), rollcall.Query{Report: "ranking", Of: of, Pool: 2})
	if want := "2002-09 of panel internal in FR was not closed when version 1 of 2002-10 was: version 1 of it is internal"; !errors.Is(err, rollcall.ErrNotClosed) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// fashions is two months whose rosters differ: in September nobody said how they
// travel, and the oldest were asked in October alone.
func fashions(t *testing.T) *site {
	s := newSite(t)
	s.Store = public{s.store}
	f := facts{}
	for k, of := range []rollcall.PanelMonth{september, october} {
		var roster strings.Builder
		roster.WriteString([]string{"panelist,home,work,sex,age\n", "panelist,home,work,sex,age,travels\n"}[k])
		for i := range 40 {
			age := []string{"15-24", "25-34"}[i/2%2]
			if k == 1 && i > 30 {
				age = "35+"
			}
			fmt.Fprintf(&roster, "P%d,%d,1,%c,%s%s\n", i+1, k, "MF"[i%2], age, []string{"", ",bus"}[k])
			f.addTo(of, i+1, "msn", rollcall.Work, rollcall.Use, stretch{2, 0, 10})
		}
		population := 500 + 100*k
		s.load(of, roster.String(), fmt.Sprintf("margin,category,population,source,source_date\nsex,M,%d,study %d,2002-06-30\nsex,F,500,study %d,2002-06-30\n", population, k, k))
	}
	s.merge(f)
	loose := all()
	loose.Low, loose.Caution = 7, 9
	s.close(closing(september, loose))
	s.close(closing(october, all()))
	return s
}

// TestPoolOfUnlikeMonths: what one month's roster lacks is left out and said, a
// target that it lacks is refused, and so are months whose limits or universe
// differ said.
func TestPoolOfUnlikeMonths(t *testing.T) {
	s := fashions(t)
	profile := s.report(rollcall.Query{Report: "profile", Pool: 2})
	if got := fmt.Sprint(keys(profile)); got != "[msn sex=F msn sex=M msn age=15-24 msn age=25-34]" {
		t.Errorf("rows %s", got)
	}
	notes := strings.Join(profile.Meta.Notes, "\n")
	for _, want := range []string{
		"Left out, as the roster of a month does not have it: age=35+ (2002-09), travels (2002-09).",
		"The months' universes are not one: 2002-09 1000, 2002-10 1100. The universe given is their mean.",
		"Closed with other limits, and judged by those of 2002-10: 2002-09 7/9.",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	m := profile.Meta
	if m.Universe.Population != 1050 || m.Universe.Source != "study 0; study 1" || m.Sample.Home != 40 || m.Sample.Work != 40 {
		t.Errorf("universe %+v, sample %+v", m.Universe, m.Sample)
	}
	for _, target := range []string{"age=35+", "travels=bus"} {
		_, err := s.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, Pool: 2, Target: target})
		if !errors.Is(err, rollcall.ErrNotFound) || !strings.HasPrefix(err.Error(), "2002-09: target ") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestPoolOfTwoKeys: persons can't be matched over a change of pseudonyms, in a
// mean of months as in a period.
func TestPoolOfTwoKeys(t *testing.T) {
	s := fashions(t)
	s.Pseudonyms = func(_ rollcall.PanelID, id string) []rollcall.Pseudonym {
		return []rollcall.Pseudonym{{Visitor: visitor(id), Key: testKey + 1}}
	}
	s.load(october, plainRoster(40), evenUniverse)
	s.close(closing(october, all()))
	_, err := s.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, Pool: 2})
	if want := `pool "2": takes in 2002-09, whose panelists' pseudonyms are of another key than those of 2002-10`; !errors.Is(err, rollcall.ErrInvalid) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	_, err = s.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, From: september.Month.First(), To: october.Month.Last()})
	if want := `from "2002-09-01": takes in 2002-09, whose panelists' pseudonyms are of another key than those of 2002-10`; !errors.Is(err, rollcall.ErrInvalid) || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// TestPooledWeights: a person has the mean of its weights, and is counted once;
// what counts nowhere is added over the months.
func TestPooledWeights(t *testing.T) {
	s := quarter(t) // P3 is out of tab in September
	m := s.report(rollcall.Query{Report: "ranking", Pool: 2}).Meta
	weights := []float64{(100 + 150) / 2, (100 + 150) / 2, 100 / 2, 200, 200, 200}
	var sum, square float64
	for _, w := range weights {
		sum += w
		square += w * w
	}
	w := m.Weights
	if w.N != 6 || w.MinWeight != 50 || w.MaxWeight != 200 || w.Iterations < 1 || w.Trimming != "none" || len(w.ID) != 64 {
		t.Errorf("weights %+v", w)
	}
	near(t, "n_eff", w.NEff, sum*sum/square)
	near(t, "deff", w.Deff, 6/w.NEff)
	near(t, "efficiency", w.Efficiency, 100*w.NEff/6)
	one, other := s.report(rollcall.Query{Report: "ranking"}).Meta.Sample, s.report(rollcall.Query{Report: "ranking", Of: september}).Meta.Sample
	if p := m.Sample; p.InTab != 6 || p.Home != 6 || p.Work != max(one.Work, other.Work) || p.NotInTab != one.NotInTab+other.NotInTab || p.Silent != nil {
		t.Errorf("sample %+v of %+v and %+v", p, one, other)
	}
}

// TestPooledTurnover: who came, stayed and left in a usual month of the mean, each
// month's persons in tab twice weighed anew.
func TestPooledTurnover(t *testing.T) {
	s := quarter(t)
	row := find(t, s.report(rollcall.Query{Report: "loyalty", Pool: 2}), "msn")
	// September's users: P1 at 150 stayed, P4 at 200 is new; P2 at 150 left.
	// October's: P1 at 150 stayed, P2 at 150 returned, P5 at 200 is new; P4 at 200 left.
	for column, want := range map[string]struct {
		value float64
		n     int
	}{
		"new": {100 * (200 + 200) / 850.0, 2}, "returned": {100 * 150 / 850.0, 1}, "retained": {100 * (150 + 150) / 850.0, 1}, "lapsed": {100 * (150 + 200) / 650.0, 2},
		"daily_audience": {(350/30.0 + 400/31.0) / 2, 4}, "stickiness": {100 * (350/30.0 + 400/31.0) / 750, 4},
	} {
		got := row[column].(rollcall.Measure)
		near(t, column, got.Value, want.value)
		if got.N != want.n {
			t.Errorf("%s is of %d persons, want %d", column, got.N, want.n)
		}
	}
	three := s.report(rollcall.Query{Report: "loyalty", Pool: 3})
	if got := find(t, three, "msn")["new"].(rollcall.Measure); got.Status != rollcall.Undefined {
		t.Errorf("August has no month before it, and new is %+v", got)
	}
	if notes := strings.Join(three.Meta.Notes, "\n"); !strings.Contains(notes, "No version of 2002-07 was there to compare with when that of 2002-08 was made") {
		t.Errorf("notes: %s", notes)
	}
}

// TestPooledTrend: each month's mean is of the months up to it, as this version
// pins them, whatever else is asked of those months.
func TestPooledTrend(t *testing.T) {
	s := quarter(t)
	trend := s.report(rollcall.Query{Report: "trend", Pool: 2})
	if got := fmt.Sprint(keys(trend)); got != "[2002-09 msn 2002-09 any 2002-10 msn 2002-10 any]" {
		t.Errorf("rows %s", got)
	}
	near(t, "September", find(t, trend, "2002-09", "msn")["unique_audience"].(rollcall.Measure).Value, (200+350)/2.0)
	near(t, "October", find(t, trend, "2002-10", "msn")["unique_audience"].(rollcall.Measure).Value, (350+400)/2.0)
	notes := strings.Join(trend.Meta.Notes, "\n")
	if !strings.Contains(notes, "Each month's figures are the mean of the 2 months up to it") || !strings.Contains(notes, "put together: 2002-08.") || trend.Meta.Compared != nil {
		t.Errorf("compared %v, notes:\n%s", trend.Meta.Compared, notes)
	}
	from := s.report(rollcall.Query{Report: "trend", Pool: 2, From: october.Month.First(), To: october.Month.Last()})
	if got := fmt.Sprint(keys(from)); got != "[2002-10 msn 2002-10 any]" {
		t.Errorf("of October alone: rows %s", got)
	}
	// August again, with P4: the next October pins that, September's own version doesn't.
	late, august := facts{}, september
	august.Month--
	late.addTo(august, 4, "msn", rollcall.Home, rollcall.Use, stretch{9, 0, 10})
	s.merge(late)
	s.close(closing(august, all()))
	s.close(closing(october, all()))
	near(t, "September's own mean", value(t, s.report(rollcall.Query{Report: "ranking", Of: september, Pool: 2}), "msn", "unique_audience"), (200+350)/2.0)
	near(t, "September in October's trend", find(t, s.report(rollcall.Query{Report: "trend", Pool: 2}), "2002-09", "msn")["unique_audience"].(rollcall.Measure).Value, (400+350)/2.0)
	near(t, "and in the first one's", find(t, s.report(rollcall.Query{Report: "trend", Pool: 2, Version: 1}), "2002-09", "msn")["unique_audience"].(rollcall.Measure).Value, (200+350)/2.0)
}
