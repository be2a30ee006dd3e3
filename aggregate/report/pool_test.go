package report

import (
	"context"
	"errors"
	"math"
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
	if n := (homes{t}).everyone("yahoo"); n >= settings.Low {
		if got := status(t, pooled, "unique_audience", "yahoo"); got.Withheld() {
			t.Errorf("pooled it is %s of %d persons", got, n)
		}
	} else {
		t.Errorf("%d persons used it: the test tests nothing", n)
	}
}

func TestPoolRefuses(t *testing.T) {
	s := homes{t}.site()
	for text, q := range map[string]rollcall.Query{
		`pool "1": is not 2 to 12 months`:                            {Report: "ranking", Pool: 1},
		`pool "13": is not 2 to 12 months`:                           {Report: "ranking", Pool: 13},
		`pool "2": goes with a month, not with days`:                 {Report: "ranking", Pool: 2, From: october.Month.First()},
		`pool "2": is not for curve, but for ranking, duplication, `: {Report: "curve", Pool: 2},
	} {
		q.Of = october
		if _, err := s.Report(context.Background(), q); !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), text) {
			t.Errorf("error is %v, want %s", err, text)
		}
	}
	_, err := s.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, Pool: 3})
	if !errors.Is(err, rollcall.ErrNotClosed) {
		t.Errorf("a month that is not closed: %v", err)
	}
	if math.IsNaN(value(t, s.report(rollcall.Query{Report: "ranking", Pool: 2}), "msn", "unique_audience")) {
		t.Error("a pooled audience is no number")
	}
}
