package report

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

// mean is the mean of September and October, the slow way: each month's sums with
// its own weights.
type mean struct {
	months [2]*slow
}

func (w *world) mean(credit rollcall.Credit) mean {
	return mean{[2]*slow{
		w.look(0, credit, september.Month.First(), september.Month.Last()),
		w.look(1, credit, october.Month.First(), october.Month.Last()),
	}}
}

// total is the mean of the months' totals of what a person is worth.
func (m mean) total(worth func(s *slow, i int) float64) float64 {
	sum := 0.0
	for _, s := range m.months {
		for i, w := range s.weight {
			if w > 0 {
				sum += w / 2 * worth(s, i)
			}
		}
	}
	return sum
}

// spread is the standard error of the mean of the months' totals, over the
// persons of the two together: with one margin, a residual is the difference from
// the base-weighted mean of one's sex.
func (m mean) spread(worth func(s *slow, i int) float64) float64 {
	n := len(m.months[0].sex)
	z, in := make([]float64, n), make([]bool, n)
	for k, s := range m.months {
		sums, bases := map[byte]float64{}, map[byte]float64{}
		for i, w := range s.weight {
			if w > 0 {
				sums[s.sex[i]] += s.base[k][i] * worth(s, i)
				bases[s.sex[i]] += s.base[k][i]
			}
		}
		for i, w := range s.weight {
			if w > 0 {
				in[i] = true
				z[i] += w / 2 * (worth(s, i) - sums[s.sex[i]]/bases[s.sex[i]])
			}
		}
	}
	var count, center, sum float64
	for i, yes := range in {
		count += truth(yes)
		center += z[i]
	}
	for i, yes := range in {
		if yes {
			sum += (z[i] - center/count) * (z[i] - center/count)
		}
	}
	return math.Sqrt(count / (count - 1) * sum)
}

// persons counts, each once, the persons that something is true of in a month.
func (m mean) persons(is func(s *slow, i int) float64) (n int) {
	for i := range m.months[0].weight {
		n += int(max(truth(m.months[0].weight[i] > 0)*is(m.months[0], i), truth(m.months[1].weight[i] > 0)*is(m.months[1], i)))
	}
	return n
}

// holds compares a level: its value, persons and error.
func (m mean) holds(t *rapid.T, what string, cell any, worth func(s *slow, i int) float64) {
	t.Helper()
	got, want := cell.(rollcall.Measure), m.total(worth)
	same(t, what, cell, want)
	if n := m.persons(worth); got.N != n {
		t.Fatalf("%s: n %d, want %d", what, got.N, n)
	}
	if se := m.spread(worth); math.Abs(got.SE-se) > 1e-6*want+1e-3 {
		t.Fatalf("%s: SE %g, want %g", what, got.SE, se)
	}
}

// ratio compares 100 a/b: its value, and its error where there is one to linearise.
func (m mean) ratio(t *rapid.T, what string, cell any, a, b func(s *slow, i int) float64) {
	t.Helper()
	num, den := m.total(a), m.total(b)
	same(t, what, cell, 100*num/den)
	if den == 0 {
		return
	}
	se := 100 * m.spread(func(s *slow, i int) float64 { return (a(s, i) - num/den*b(s, i)) / den })
	if got := cell.(rollcall.Measure); math.Abs(got.SE-se) > 1e-6*(1+100*num/den) {
		t.Fatalf("%s: SE %g, want %g", what, got.SE, se)
	}
}

// TestPoolTheSlowWay compares every report that can be of a mean of months with
// the months' sums over plain lists, and the standard errors with residuals
// written out.
func TestPoolTheSlowWay(t *testing.T) {
	h := newSite(t)
	h.Store = public{h.store}
	c, err := h.Catalogue().Calendar("FR")
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, c)
		next++
		of := october
		of.Panel = rollcall.PanelID(fmt.Sprint("pool", next))
		w.load(h, of.Panel)
		p := rapid.SampledFrom(rollcall.Places()).Draw(t, "place")
		m := w.mean(rapid.SampledFrom([]rollcall.Credit{rollcall.ByPresence, rollcall.ByUse}).Draw(t, "credit"))
		listed := w.look(0, rollcall.ByPresence, september.Month.First(), of.Month.Last()).listed(0)
		ask := func(report, bands string) *rollcall.Table {
			return h.report(rollcall.Query{Report: report, Of: of, Pool: 2, Place: p, Credit: m.months[0].credit, Bands: bands})
		}
		m.compareProfile(t, ask("profile", ""), p, listed)
		m.compareFrequency(t, ask("frequency", "all"), p)
		m.compareCurve(t, ask("curve", ""), p)
		m.compareDaily(t, ask("loyalty", ""), p)
		m.compareTrend(t, ask("trend", ""), p)
	})
}

func user(p rollcall.Place, x rollcall.ServiceID) func(s *slow, i int) float64 {
	return func(s *slow, i int) float64 { return truth(s.person(i, p, x).user) }
}

// online says who is active at the base of a place.
func online(p rollcall.Place) func(s *slow, i int) float64 {
	return func(s *slow, i int) float64 {
		return truth(len(s.minutes(i, []rollcall.ServiceID{"msn", "aim", "icq", "online"}, p.Base().Locations(), rollcall.ByPresence)) > 0)
	}
}

func (m mean) compareProfile(t *rapid.T, table *rollcall.Table, p rollcall.Place, listed []rollcall.ServiceID) {
	if len(table.Rows) != 2*len(listed) {
		t.Fatalf("%d rows of a profile of %v by sex", len(table.Rows), listed)
	}
	for i := range table.Rows {
		x, target := rollcall.ServiceID(table.Cell(i, "service").(string)), table.Cell(i, "target").(string)
		of := func(what func(s *slow, i int) float64) func(s *slow, i int) float64 {
			return func(s *slow, i int) float64 { return truth("sex="+s.sex[i:i+1] == target) * what(s, i) }
		}
		what := fmt.Sprintf("%s of %s at %s", target, x, p)
		m.holds(t, what, table.Cell(i, "unique_audience"), of(user(p, x)))
		m.ratio(t, what+", composition", table.Cell(i, "composition"), of(user(p, x)), user(p, x))
		m.ratio(t, what+", reach", table.Cell(i, "target_reach"), of(user(p, x)), of(online(p)))
		users, in := m.total(user(p, x)), m.total(of(user(p, x)))
		same(t, what+", index", table.Cell(i, "index"), 100*in*m.total(online(p))/(m.total(of(online(p)))*users))
	}
}

func (m mean) compareFrequency(t *rapid.T, table *rollcall.Table, p rollcall.Place) {
	for i := range table.Rows {
		x, k := rollcall.ServiceID(table.Cell(i, "service").(string)), float64(i%31+1)
		if days := table.Cell(i, "days"); days != fmt.Sprint(k) {
			t.Fatalf("row %d is of %v days, want %g", i, days, k)
		}
		on := func(s *slow, i int) float64 { return truth(s.person(i, p, x).days == k) }
		m.holds(t, fmt.Sprint(x, " on ", k, " days"), table.Cell(i, "unique_audience"), on)
		m.ratio(t, "its share", table.Cell(i, "share"), on, user(p, x))
		m.holds(t, "or more", table.Cell(i, "k_plus"), func(s *slow, i int) float64 { return truth(s.person(i, p, x).days >= k) })
	}
}

func (m mean) compareCurve(t *rapid.T, table *rollcall.Table, p rollcall.Place) {
	for i := range table.Rows {
		x, day := rollcall.ServiceID(table.Cell(i, "service").(string)), table.Cell(i, "day").(int)
		if day != i%31+1 || table.Cell(i, "date") != nil {
			t.Fatalf("row %d is of day %d, %v", i, day, table.Cell(i, "date"))
		}
		sofar := func(s *slow, i int) float64 {
			for date := range s.person(i, p, x).dates {
				if date < s.from+rollcall.Day(day) {
					return 1
				}
			}
			return 0
		}
		m.holds(t, fmt.Sprint(x, " up to day ", day), table.Cell(i, "unique_audience"), sofar)
		m.ratio(t, "reach so far", table.Cell(i, "period_reach"), sofar, online(p))
	}
}

func (m mean) compareDaily(t *rapid.T, table *rollcall.Table, p rollcall.Place) {
	for i := range table.Rows {
		x := rollcall.ServiceID(table.Cell(i, "service").(string))
		daily := func(s *slow, i int) float64 {
			return s.person(i, p, x).days / float64(s.from.Month().Days())
		}
		same(t, fmt.Sprint(x, " on a day"), table.Cell(i, "daily_audience"), m.total(daily))
		m.ratio(t, fmt.Sprint(x, ", stickiness"), table.Cell(i, "stickiness"), daily, user(p, x))
		if got := table.Cell(i, "new").(rollcall.Measure); got.Status != rollcall.Undefined {
			t.Fatalf("new of September, which has no month before it: %+v", got)
		}
	}
}

// compareTrend: only October has two months.
func (m mean) compareTrend(t *rapid.T, table *rollcall.Table, p rollcall.Place) {
	for i := range table.Rows {
		x := rollcall.ServiceID(table.Cell(i, "service").(string))
		if month := table.Cell(i, "month"); month != "2002-10" {
			t.Fatalf("row %d of the trend is of %v", i, month)
		}
		if x == rollcall.AnyService {
			continue
		}
		m.holds(t, fmt.Sprint(x, " in the trend"), table.Cell(i, "unique_audience"), user(p, x))
		m.ratio(t, "its reach", table.Cell(i, "reach"), user(p, x), online(p))
		if change := table.Cell(i, "change").(rollcall.Measure); change.Status != rollcall.Undefined {
			t.Fatalf("a pooled change is %+v", change)
		}
	}
	if !slices.ContainsFunc(table.Rows, func(r rollcall.Row) bool { return r[1] == "any" }) {
		t.Fatal("the trend has no row of any")
	}
}
