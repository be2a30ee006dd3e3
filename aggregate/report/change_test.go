package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"rollcall"
	"rollcall/aggregate/audience"
)

// months is a panel of 80 persons, of whom each month a fifth is not in tab, over
// some months: who uses a service is drawn.
type months struct {
	of    []rollcall.Month
	inTab []map[int]bool
	users []map[rollcall.ServiceID]map[int]bool
}

const members = 80

func drawMonths(seed uint64, of ...rollcall.Month) *months {
	r := rand.New(rand.NewPCG(seed, 1))
	m, drift := &months{of: of}, r.IntN(5)
	for k := range of {
		in, users := map[int]bool{}, map[rollcall.ServiceID]map[int]bool{}
		for i := range members {
			in[i] = r.IntN(5) > 0
		}
		for n, s := range homeServices() {
			users[s] = map[int]bool{}
			for i := range members {
				users[s][i] = in[i] && (i*7+n*11+k)%20 < 6+4*n-drift*k || in[i] && r.IntN(10) == 0
			}
		}
		m.inTab, m.users = append(m.inTab, in), append(m.users, users)
	}
	return m
}

func (m *months) panelMonth(k int) rollcall.PanelMonth {
	return rollcall.PanelMonth{Market: october.Market, Panel: october.Panel, Month: m.of[k]}
}

// site closes the months, the earliest first, under the usual limits or others.
func (m *months) site(t *testing.T, s audience.Settings) *site {
	h, f := newSite(t), facts{}
	h.Store = public{h.store}
	for k := range m.of {
		var roster strings.Builder
		roster.WriteString("panelist,home,work,sex\n")
		for i := range members {
			if m.inTab[k][i] {
				fmt.Fprintf(&roster, "P%d,1,1,%c\n", i+1, "MF"[i%2])
			}
			for service, users := range m.users[k] {
				if users[i] {
					f.addTo(m.panelMonth(k), i+1, service, rollcall.Home, rollcall.Use, stretch{2, 0, 10})
				}
			}
		}
		h.load(m.panelMonth(k), roster.String(), evenUniverse)
	}
	h.merge(f)
	for k := range m.of {
		h.close(closing(m.panelMonth(k), s))
	}
	return h
}

// z gives a person's part in the variance of month k's audience: with one margin
// a residual is the difference from the mean of one's sex.
func (m *months) z(k, i int, s rollcall.ServiceID) float64 {
	if !m.inTab[k][i] {
		return 0
	}
	users, all := 0.0, 0.0
	for o := range members {
		if o%2 == i%2 && m.inTab[k][o] {
			all++
			users += truth(m.users[k][s][o])
		}
	}
	return 500 / all * (truth(m.users[k][s][i]) - users/all)
}

// change gives a change's standard error and degrees of freedom, over the union
// of both months' panelists.
func (m *months) change(now, before int, s rollcall.ServiceID) (se float64, df int) {
	var list []float64
	mean := 0.0
	for i := range members {
		if m.inTab[now][i] || m.inTab[before][i] {
			list = append(list, m.z(now, i, s)-m.z(before, i, s))
			mean += list[len(list)-1]
		}
	}
	mean /= float64(len(list))
	for _, z := range list {
		se += (z - mean) * (z - mean)
	}
	n := float64(len(list))
	return math.Sqrt(n / (n - 1) * se), len(list) - 1
}

// TestCompare: changes are from the month asked for, its figures those of its
// own version, over the union of the two months' panelists.
func TestCompare(t *testing.T) {
	m := drawMonths(3, october.Month-12, october.Month-4, october.Month-1, october.Month)
	h := m.site(t, all())
	now := h.report(rollcall.Query{Report: "ranking"})
	for compare, k := range map[string]int{"": 2, "previous": 2, "2002-09": 2, "year": 0, "2001-10": 0, "2002-06": 1} {
		table := h.report(rollcall.Query{Report: "ranking", Compare: compare})
		before := h.report(rollcall.Query{Report: "ranking", Of: m.panelMonth(k)})
		if c := table.Meta.Compared; c == nil || c.Month != m.of[k].String() || c.Document != before.Meta.Document {
			t.Errorf("%q is compared with %+v", compare, c)
		}
		for _, s := range homeServices() {
			id := string(s)
			row, then := find(t, table, id), find(t, before, id)
			ua, was := value(t, now, id, "unique_audience"), then["unique_audience"].(rollcall.Measure).Value
			change, percent := row["change"].(rollcall.Measure), row["change_percent"].(rollcall.Measure)
			se, df := m.change(3, k, s)
			near(t, compare+" change of "+id, change.Value, ua-was)
			near(t, compare+" SE of "+id, change.SE, se)
			near(t, compare+" change in percent of "+id, percent.Value, 100*(ua/was-1))
			if want := math.Abs(ua-was) > se*(distuv.StudentsT{Sigma: 1, Nu: float64(df)}).Quantile(0.975); row["significant"] != want {
				t.Errorf("%s: the change of %s is significant: %v, want %v", compare, id, row["significant"], want)
			}
			if moved := then["rank"].(int) - row["rank"].(int); row["rank_change"] != moved {
				t.Errorf("%s: %s moved by %v, want %d", compare, id, row["rank_change"], moved)
			}
		}
	}
	none := h.report(rollcall.Query{Report: "ranking", Compare: "2002-08"})
	if m := find(t, none, "msn")["change"].(rollcall.Measure); m.Status != rollcall.Undefined || none.Meta.Compared != nil ||
		!slices.Contains(none.Meta.Notes, "No version of 2002-08 was there to compare with when that of 2002-10 was made: figures that need it are undefined.") {
		t.Errorf("compared with a month that isn't there: %+v, %v, notes %s", m, none.Meta.Compared, none.Meta.Notes)
	}
	for compare, want := range map[string]string{
		"last":    `compare "last": is not previous, year or a month YYYY-MM`,
		"2002-10": `compare "2002-10": is not one of the 12 months before 2002-10`,
		"2001-09": `compare "2001-09": is not one of the 12 months before 2002-10`,
	} {
		if _, err := h.Report(context.Background(), rollcall.Query{Report: "ranking", Of: october, Compare: compare}); err == nil || err.Error() != want || !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := h.Report(context.Background(), rollcall.Query{Report: "trend", Of: october, Compare: "year"}); err == nil {
		t.Error("a trend is compared with a year before")
	}
}

// TestSignificanceContradictsNothing: the change's interval, that of its percent
// and the mark say the same of every service of many panels.
func TestSignificanceContradictsNothing(t *testing.T) {
	yes, no := 0, 0
	for seed := range uint64(12) {
		table := drawMonths(seed, september.Month, october.Month).site(t, all()).report(rollcall.Query{Report: "ranking"})
		for i := range table.Rows {
			change, percent := table.Cell(i, "change").(rollcall.Measure), table.Cell(i, "change_percent").(rollcall.Measure)
			significant := table.Cell(i, "significant")
			if out := change.Low > 0 || change.High < 0; significant != out {
				t.Errorf("%v of a change from %g to %g", significant, change.Low, change.High)
			}
			if math.IsNaN(percent.Low) {
				continue
			}
			if out := percent.Low > 0 || percent.High < 0; significant != out {
				t.Errorf("%v of a change in percent from %g to %g", significant, percent.Low, percent.High)
			}
			yes += int(truth(significant == true))
			no += int(truth(significant == false))
		}
	}
	if yes < 5 || no < 5 {
		t.Errorf("%d changes are significant and %d are not: the test tests little", yes, no)
	}
}

// TestEveryPlace: the ranking at all places is the three rankings, each place
// ranked for itself.
func TestEveryPlace(t *testing.T) {
	h := fixtureSite(t, all())
	together := h.report(rollcall.Query{Report: "ranking", Version: 1, Place: rollcall.EveryPlace})
	next, ranks := 0, map[string]bool{}
	for _, place := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		alone := h.report(rollcall.Query{Report: "ranking", Version: 1, Place: place})
		for i, row := range alone.Rows {
			got := together.Rows[next]
			if want := append(rollcall.Row{string(place)}, row...); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("row %d is %v, want %v", next, got, want)
			}
			ranks[fmt.Sprint(alone.Cell(i, "service"), alone.Cell(i, "rank"))] = true
			next++
		}
	}
	if next != len(together.Rows) || together.Columns[0].Name != "location" || together.Meta.Location != "all" {
		t.Errorf("%d rows of %d, columns %v, location %s", next, len(together.Rows), together.Columns[0], together.Meta.Location)
	}
	if _, err := h.Report(context.Background(), rollcall.Query{Report: "curve", Of: october, Version: 1, Place: rollcall.EveryPlace}); err == nil ||
		err.Error() != `location "all": is not for curve, but for ranking` {
		t.Errorf("a curve at every place: %v", err)
	}
}

// TestUndefinedChangeSaysWhy: in a note, whatever the reason.
func TestUndefinedChangeSaysWhy(t *testing.T) {
	m := drawMonths(5, october.Month-1, october.Month)
	clear(m.users[0]["icq"])
	h := m.site(t, all())
	for want, q := range map[string]rollcall.Query{
		"No version of 2002-08 was there to compare with when that of 2002-09 was made: figures that need it are undefined.": {Report: "ranking", Of: september},
		"No version of 2001-10 was there to compare with when that of 2002-10 was made: figures that need it are undefined.": {Report: "ranking", Compare: "year"},
		"Changes are from one whole month to another: here they are undefined.":                                              {Report: "ranking", To: october.Month.First() + 6},
		"Where nobody used a service in 2002-09, there is no change in percent of that.":                                     {Report: "ranking"},
		"Changes of 2002-09 are undefined: no version of the month before was there to compare with.":                        {Report: "trend"},
		"Persons come, stay and leave from one whole month to another: here that is undefined.":                              {Report: "loyalty", To: october.Month.First() + 6},
	} {
		if table := h.report(q); !slices.Contains(table.Meta.Notes, want) {
			t.Errorf("%s of %+v: notes %q, want %q", q.Report, q, table.Meta.Notes, want)
		}
	}
	if got := h.report(rollcall.Query{Report: "duplication"}).Meta.Notes; strings.Contains(strings.Join(got, " "), "undefined") {
		t.Errorf("a report without changes says %s", got)
	}
}

// TestInternalComparesWithAny: an internal version compares with the latest of
// any kind, and by its own limits; one for readers with those for readers alone.
func TestInternalComparesWithAny(t *testing.T) {
	h := newSite(t)
	f := facts{}
	for i := range 40 {
		f.addTo(september, i+1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
		f.addTo(october, i+1, "msn", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
		if i < 20 {
			f.addTo(september, i+1, "aim", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
			f.addTo(october, i+1, "aim", rollcall.Home, rollcall.Use, stretch{2, 0, 10})
		}
	}
	h.merge(f)
	h.load(september, plainRoster(50), evenUniverse)
	h.load(october, plainRoster(50), evenUniverse)
	h.close(rollcall.ClosePlan{Of: september})
	h.close(closing(september, all())) // version 2, internal
	h.close(rollcall.ClosePlan{Of: october})
	h.close(closing(october, all())) // version 2, internal
	for version, want := range map[int]int{1: 1, 2: 2} {
		if c := h.report(rollcall.Query{Report: "ranking", Version: version}).Meta.Compared; c == nil || c.Version != want {
			t.Errorf("version %d is compared with %+v, want version %d", version, c, want)
		}
	}
	// A version of limits of its own that pins another's: by its own.
	low, other := all(), all()
	low.Low, low.Caution, other.Confidence = 25, 25, 0.9
	h.Store = public{h.store}
	h.close(closing(september, other)) // version 3, and for readers in this store
	h.close(closing(october, low))
	row := find(t, h.report(rollcall.Query{Report: "ranking"}), "aim")
	if m := row["change"].(rollcall.Measure); m.Status != rollcall.Below || row["rank_change"] != nil {
		t.Errorf("of 20 persons under a limit of 25 the change is %+v, the rank's %v", m, row["rank_change"])
	}
	trend := h.report(rollcall.Query{Report: "trend"})
	if got := status(t, trend, "unique_audience", "2002-09", "aim"); got != rollcall.Below {
		t.Errorf("a trend shows 20 persons under a limit of 25: %s", got)
	}
	h.close(rollcall.ClosePlan{Of: september}) // version 4 withholds aim
	h.close(closing(october, all()))
	trend = h.report(rollcall.Query{Report: "trend"})
	if got := find(t, h.report(rollcall.Query{Report: "ranking"}), "aim")["rank_change"]; got != 0 || status(t, trend, "unique_audience", "2002-09", "aim") == rollcall.Below {
		t.Errorf("a version without limits gives the rank's change %v", got)
	}
}
