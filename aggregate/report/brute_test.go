package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
	"rollcall/aggregate/audience"
)

// stay is a run of credited UTC minutes, as an event gives it.
type stay struct {
	person   int
	service  rollcall.ServiceID
	place    rollcall.Location
	kind     rollcall.Kind
	from, to rollcall.UnixMinute
}

// world is two months of a panel, kept as plain lists: the second, slow way to
// every figure.
type world struct {
	calendar *rollcall.Calendar
	stays    []stay
	base     [2][]float64 // by month and person; 0: not in tab
	sex      string       // by person
}

var september = rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: october.Month - 1}

const (
	menThen, womenThen = 5000.0, 7000.0
	menNow, womenNow   = 5200.0, 6900.0
)

func drawWorld(t *rapid.T, c *rollcall.Calendar) *world {
	w := &world{calendar: c}
	n := rapid.IntRange(6, 14).Draw(t, "persons")
	for i := range n {
		w.sex += "MF"[i%2 : i%2+1]
		for k := range w.base {
			weight := float64(rapid.IntRange(1, 9).Draw(t, "base"))
			if i >= 4 && rapid.IntRange(0, 4).Draw(t, "out") == 0 {
				weight = 0
			}
			w.base[k] = append(w.base[k], weight)
		}
	}
	first := int64(c.Start(september.Month.First()))
	last := int64(c.Start(october.Month.Last() + 1))
	odd := int64(c.Start(rollcall.DayOf(2002, time.October, 27)))
	for range rapid.IntRange(5, 60).Draw(t, "stays") {
		from := rapid.OneOf(
			rapid.Int64Range(first-30, last),
			rapid.Int64Range(odd-90, odd+1600), // about the day of 25 hours
			rapid.Map(rapid.Int64Range(0, 60), func(d int64) int64 { return first + 1440*d - 20 }), // about midnight
		).Draw(t, "from")
		w.stays = append(w.stays, stay{
			person:  rapid.IntRange(0, n-1).Draw(t, "person"),
			service: rapid.SampledFrom([]rollcall.ServiceID{"msn", "aim", "icq", "online"}).Draw(t, "service"),
			place:   rapid.SampledFrom([]rollcall.Location{rollcall.Home, rollcall.Work}).Draw(t, "place"),
			kind:    rapid.SampledFrom([]rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}).Draw(t, "kind"),
			from:    rollcall.UnixMinute(from), to: rollcall.UnixMinute(from + rapid.Int64Range(1, 200).Draw(t, "length")),
		})
	}
	return w
}

// load puts both months' rosters and diaries in the store, and closes them.
func (w *world) load(h *site, panel rollcall.PanelID) {
	f := facts{}
	for _, s := range w.stays {
		for m := s.from; m < s.to; {
			span := w.calendar.Span(m)
			to := min(span.To, s.to)
			d := rollcall.Diary{Market: "FR", Panel: panel, Day: span.Day, Panelist: rollcall.Visitor(s.person + 1), Service: s.service, Location: s.place, Kind: s.kind, Key: testKey}
			if f[d] == nil {
				f[d] = new(rollcall.Minutes)
			}
			f[d].AddRange(int(m-span.First), int(to-span.First))
			m = to
		}
	}
	h.merge(f)
	for k, of := range []rollcall.PanelMonth{september, october} {
		var roster strings.Builder
		roster.WriteString("panelist,home,work,base_weight,sex\n")
		for i, weight := range w.base[k] {
			if weight > 0 {
				fmt.Fprintf(&roster, "P%d,1,1,%g,%c\n", i+1, weight, w.sex[i])
			}
		}
		universe := fmt.Sprintf("margin,category,population,source,source_date\nsex,M,%g,s,2002-06-30\nsex,F,%g,s,2002-06-30\n", menThen, womenThen)
		if k == 1 {
			universe = fmt.Sprintf("margin,category,population,source,source_date\nsex,M,%g,s,2002-06-30\nsex,F,%g,s,2002-06-30\n", menNow, womenNow)
		}
		of.Panel = panel
		h.load(of, roster.String(), universe)
		h.close(closing(of, all()))
	}
}

// slow is a question answered the slow way.
type slow struct {
	*world
	weight   []float64 // by person; 0: not in the sample
	credit   rollcall.Credit
	from, to rollcall.Day
}

// look weighs the persons in tab in the months from k to 1: with one margin,
// raking is a proportion.
func (w *world) look(k int, credit rollcall.Credit, from, to rollcall.Day) *slow {
	s := &slow{world: w, weight: make([]float64, len(w.sex)), credit: credit, from: from, to: to}
	last := 1
	if to < october.Month.First() {
		last = 0
	}
	sums := map[byte]float64{}
	for i := range s.weight {
		in := true
		for m := k; m <= last; m++ {
			in = in && w.base[m][i] > 0
		}
		if in {
			s.weight[i] = w.base[last][i]
			sums[w.sex[i]] += s.weight[i]
		}
	}
	target := map[byte]float64{'M': menThen, 'F': womenThen}
	if last == 1 {
		target = map[byte]float64{'M': menNow, 'F': womenNow}
	}
	for i := range s.weight {
		s.weight[i] *= target[w.sex[i]] / sums[w.sex[i]]
	}
	return s
}

// minutes gives a person's credited minutes, ascending.
func (s *slow) minutes(i int, services []rollcall.ServiceID, places rollcall.Location, credit rollcall.Credit) []rollcall.UnixMinute {
	var out []rollcall.UnixMinute
	for _, stay := range s.stays {
		if stay.person != i || stay.place&places == 0 || !slices.Contains(services, stay.service) || !credit.Counts(stay.kind) {
			continue
		}
		for m := stay.from; m < stay.to; m++ {
			if day := s.calendar.Day(m.Time()); s.from <= day && day <= s.to {
				out = append(out, m)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// person is what one did.
type person struct {
	user                    bool
	minutes, sessions, days float64
	dates                   map[rollcall.Day]bool
}

func (s *slow) person(i int, p rollcall.Place, services ...rollcall.ServiceID) person {
	home, work := s.minutes(i, services, rollcall.Home, s.credit), s.minutes(i, services, rollcall.Work, s.credit)
	var out person
	if s.weight[i] == 0 || !p.Has(len(home) > 0, len(work) > 0) {
		return out
	}
	out.user, out.dates = true, map[rollcall.Day]bool{}
	all := s.minutes(i, services, p.Locations(), s.credit)
	for k, m := range all {
		day := s.calendar.Day(m.Time())
		out.dates[day] = true
		// A session is cut at the month's edge: months never share one.
		if k == 0 || m-all[k-1] > audience.IdleGap || s.calendar.Day(all[k-1].Time()).Month() != day.Month() {
			out.sessions++
		}
	}
	out.minutes, out.days = float64(len(all)), float64(len(out.dates))
	return out
}

// total sums a figure over the users.
func (s *slow) total(p rollcall.Place, services []rollcall.ServiceID, of func(person) float64) float64 {
	sum := 0.0
	for i, w := range s.weight {
		if one := s.person(i, p, services...); one.user {
			sum += w * of(one)
		}
	}
	return sum
}

func (s *slow) audience(p rollcall.Place, services ...rollcall.ServiceID) float64 {
	return s.total(p, services, func(person) float64 { return 1 })
}

func (s *slow) active(p rollcall.Place) float64 {
	sum := 0.0
	for i, w := range s.weight {
		if len(s.minutes(i, []rollcall.ServiceID{"msn", "aim", "icq", "online"}, p.Base().Locations(), rollcall.ByPresence)) > 0 {
			sum += w
		}
	}
	return sum
}

// listed gives the services with any diary of someone in tab, in the months.
func (s *slow) listed(k int) []rollcall.ServiceID {
	var out []rollcall.ServiceID
	for _, stay := range s.stays {
		if stay.service == rollcall.Online || slices.Contains(out, stay.service) {
			continue
		}
		for m := stay.from; m < stay.to; m++ {
			month := s.calendar.Day(m.Time()).Month()
			if i := int(month - september.Month); i >= k && i < 2 && month <= s.to.Month() && s.base[i][stay.person] > 0 {
				out = append(out, stay.service)
				break
			}
		}
	}
	slices.Sort(out)
	return out
}

func same(t *rapid.T, what string, cell any, want float64) {
	t.Helper()
	m, ok := cell.(rollcall.Measure)
	if !ok {
		t.Fatalf("%s is %v", what, cell)
	}
	if math.IsNaN(want) || math.IsInf(want, 0) {
		if m.Status != rollcall.Undefined {
			t.Fatalf("%s is %+v, want undefined", what, m)
		}
		return
	}
	if !(math.Abs(m.Value-want) <= 1e-7*math.Max(1, math.Abs(want))) {
		t.Fatalf("%s = %.10g, want %.10g", what, m.Value, want)
	}
}

// TestAgainstTheSlowWay compares every report with sums over plain lists.
func TestAgainstTheSlowWay(t *testing.T) {
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
		of.Panel = rollcall.PanelID(fmt.Sprint("nn", next))
		w.load(h, of.Panel)
		first, last := of.Month.First(), of.Month.Last()
		from := rollcall.Day(rapid.IntRange(int(september.Month.First()), int(last)).Draw(t, "from"))
		to := rollcall.Day(rapid.IntRange(int(max(from, first)), int(last)).Draw(t, "to"))
		for _, period := range [][2]rollcall.Day{{first, last}, {first + 26, first + 26}, {september.Month.First() + 15, first + 14}, {from, to}} {
			for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
				k := 1
				if period[0] < first {
					k = 0
				}
				s := w.look(k, credit, period[0], period[1])
				p := rapid.SampledFrom(rollcall.Places()).Draw(t, "place")
				request := rollcall.Query{Of: of, From: period[0], To: period[1], Credit: credit, Place: p}
				if len(s.listed(k)) > 0 {
					s.compare(t, h, request, s.listed(k))
				}
			}
		}
		if before := w.look(0, rollcall.ByPresence, first, last); len(before.listed(1)) > 0 {
			w.compareTurnover(t, h, of)
		}
	})
}

func (s *slow) compare(t *rapid.T, h *site, r rollcall.Query, listed []rollcall.ServiceID) {
	p := r.Place
	ask := func(report string) *rollcall.Table {
		r.Report, r.Bands = report, ""
		if report == "frequency" {
			r.Bands = "all"
		}
		return h.report(r)
	}
	one := func(x rollcall.ServiceID) []rollcall.ServiceID { return []rollcall.ServiceID{x} }
	ranking := ask("ranking")
	what := fmt.Sprintf("%s to %s at %s by %s", r.From, r.To, p, r.Credit)
	if got, want := ranking.Meta.Universe.Active.Value, s.active(p); math.Abs(got-want) > 1e-6 {
		t.Fatalf("%s: active %g, want %g", what, got, want)
	}
	sum, time := 0.0, 0.0
	for _, x := range listed {
		sum += s.audience(p, x)
		time += s.total(p, one(x), func(o person) float64 { return o.minutes })
	}
	for _, x := range listed {
		row := find(h.t, ranking, string(x), "service")
		ua, minutes := s.audience(p, x), s.total(p, one(x), func(o person) float64 { return o.minutes })
		same(t, what+" "+string(x), row["unique_audience"], ua)
		same(t, what+" reach", row["reach"], 100*ua/s.active(p))
		same(t, what+" sessions of "+string(x), row["sessions_per_person"], s.total(p, one(x), func(o person) float64 { return o.sessions })/ua)
		same(t, what+" minutes of "+string(x), row["minutes_per_person"], minutes/ua)
		same(t, what+" days of "+string(x), row["days_per_person"], s.total(p, one(x), func(o person) float64 { return o.days })/ua)
		same(t, what+" share of "+string(x), row["audience_share"], 100*ua/sum)
		same(t, what+" time of "+string(x), row["time_share"], 100*minutes/time)
		same(t, what+" exclusive "+string(x), row["exclusive"], s.exactly(p, listed, one(x)))
	}
	s.compareUnion(t, what, find(h.t, ranking, "any", "any"), p, listed)
	s.compareDays(t, what, ask, p, listed)
	duplication := ask("duplication")
	for i := range duplication.Rows {
		a, b := rollcall.ServiceID(duplication.Cell(i, "service").(string)), rollcall.ServiceID(duplication.Cell(i, "other").(string))
		both := 0.0
		for k, w := range s.weight {
			if s.person(k, p, a).user && s.person(k, p, b).user {
				both += w
			}
		}
		same(t, what+" both", duplication.Cell(i, "duplication"), both)
		same(t, what+" index", duplication.Cell(i, "index"), 100*both*s.active(p)/(s.audience(p, a)*s.audience(p, b)))
	}
	steps := ask("incremental")
	var order []rollcall.ServiceID
	before := 0.0
	for i := range steps.Rows {
		order = append(order, rollcall.ServiceID(steps.Cell(i, "service").(string)))
		now := s.audience(p, order...)
		same(t, what+" union", steps.Cell(i, "unique_audience"), now)
		same(t, what+" increment", steps.Cell(i, "incremental"), now-before)
		before = now
	}
}

// compareUnion compares the row that unites all services.
func (s *slow) compareUnion(t *rapid.T, what string, any map[string]any, p rollcall.Place, listed []rollcall.ServiceID) {
	sum := 0.0
	for _, x := range listed {
		sum += s.audience(p, x)
	}
	same(t, what+" any", any["unique_audience"], s.audience(p, listed...))
	same(t, what+" gross", any["gross"], sum)
	same(t, what+" services per user", any["services_per_user"], sum/s.audience(p, listed...))
	same(t, what+" users of two or more", any["multi_service"], 100*s.several(p, listed)/s.audience(p, listed...))
	same(t, what+" any minutes", any["minutes_per_person"], s.total(p, listed, func(o person) float64 { return o.minutes })/s.audience(p, listed...))
	same(t, what+" any sessions", any["sessions_per_person"], s.total(p, listed, func(o person) float64 { return o.sessions })/s.audience(p, listed...))
}

func (s *slow) exactly(p rollcall.Place, listed, used []rollcall.ServiceID) float64 {
	sum := 0.0
	for i, w := range s.weight {
		if !slices.ContainsFunc(listed, func(x rollcall.ServiceID) bool { return s.person(i, p, x).user != slices.Contains(used, x) }) {
			sum += w
		}
	}
	return sum
}

// several gives the users of any of the services who use two or more.
func (s *slow) several(p rollcall.Place, services []rollcall.ServiceID) float64 {
	sum := 0.0
	for i, w := range s.weight {
		used := slices.DeleteFunc(slices.Clone(services), func(x rollcall.ServiceID) bool { return !s.person(i, p, x).user })
		sum += w * truth(len(used) > 1 && s.person(i, p, services...).user)
	}
	return sum
}

func (s *slow) compareDays(t *rapid.T, what string, ask func(report string) *rollcall.Table, p rollcall.Place, listed []rollcall.ServiceID) {
	frequency, curve, loyalty := ask("frequency"), ask("curve"), ask("loyalty")
	for i := range frequency.Rows {
		x, k := []rollcall.ServiceID{rollcall.ServiceID(frequency.Cell(i, "service").(string))}, float64(i%int(s.to-s.from+1)+1)
		if days := frequency.Cell(i, "days"); days != fmt.Sprint(k) {
			t.Fatalf("%s: row %d is of %v days, want %g", what, i, days, k)
		}
		same(t, what+" days", frequency.Cell(i, "unique_audience"), s.total(p, x, func(o person) float64 { return truth(o.days == k) }))
		same(t, what+" days or more", frequency.Cell(i, "k_plus"), s.total(p, x, func(o person) float64 { return truth(o.days >= k) }))
	}
	if want := int(s.to-s.from+1) * len(listed); len(frequency.Rows) != want || len(curve.Rows) != want {
		t.Fatalf("%s: %d rows of frequency, %d of the curve, want %d", what, len(frequency.Rows), len(curve.Rows), want)
	}
	for i := range curve.Rows {
		x, d := []rollcall.ServiceID{rollcall.ServiceID(curve.Cell(i, "service").(string))}, s.from+rollcall.Day(curve.Cell(i, "day").(int)-1)
		sofar := s.total(p, x, func(o person) float64 {
			for date := range o.dates {
				if date <= d {
					return 1
				}
			}
			return 0
		})
		same(t, what+" curve", curve.Cell(i, "unique_audience"), sofar)
		same(t, what+" reach so far", curve.Cell(i, "period_reach"), 100*sofar/s.active(p))
	}
	for i := range loyalty.Rows {
		x := []rollcall.ServiceID{rollcall.ServiceID(loyalty.Cell(i, "service").(string))}
		same(t, what+" daily", loyalty.Cell(i, "daily_audience"), s.total(p, x, func(o person) float64 { return o.days })/float64(s.to-s.from+1))
	}
}

func truth(yes bool) float64 { return cmp.Or(map[bool]float64{true: 1}[yes], 0) }

// compareTurnover compares who came, stayed and left, of those in tab twice.
func (w *world) compareTurnover(t *rapid.T, h *site, of rollcall.PanelMonth) {
	first, last := of.Month.First(), of.Month.Last()
	now := w.look(0, rollcall.ByPresence, first, last)
	before := *now // the same weights, the other month's days
	before.from, before.to = september.Month.First(), september.Month.Last()
	table := h.report(rollcall.Query{Report: "loyalty", Of: of})
	for i := range table.Rows {
		x := rollcall.ServiceID(table.Cell(i, "service").(string))
		var fresh, stayed, left, ua, past float64
		for k, weight := range now.weight {
			a, b := before.person(k, rollcall.HomeWork, x).user, now.person(k, rollcall.HomeWork, x).user
			fresh += weight * truth(b && !a)
			stayed += weight * truth(a && b)
			left += weight * truth(a && !b)
			ua += weight * truth(b)
			past += weight * truth(a)
		}
		same(t, "new", table.Cell(i, "new"), 100*fresh/ua)
		same(t, "retained", table.Cell(i, "retained"), 100*stayed/ua)
		same(t, "lapsed", table.Cell(i, "lapsed"), 100*left/past)
	}
	ranking := h.report(rollcall.Query{Report: "ranking", Of: of})
	whole, old := w.look(1, rollcall.ByPresence, first, last), w.look(0, rollcall.ByPresence, before.from, before.to)
	for i := range ranking.Rows {
		if ranking.Cell(i, "level") != "service" {
			continue
		}
		x := rollcall.ServiceID(ranking.Cell(i, "service").(string))
		same(t, "change", ranking.Cell(i, "change"), whole.audience(rollcall.HomeWork, x)-old.audience(rollcall.HomeWork, x))
		same(t, "change in percent", ranking.Cell(i, "change_percent"), 100*(whole.audience(rollcall.HomeWork, x)/old.audience(rollcall.HomeWork, x)-1))
	}
}
