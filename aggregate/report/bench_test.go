package report

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/internal/sqlite"
)

// nation is some months of a large panel: 12 services, 2 places.
type nation struct {
	panelists int
	people    []string // demographic columns
	services  []rollcall.Service
	random    *rand.Rand
}

func newNation(panelists int) *nation {
	n := &nation{panelists: panelists, random: rand.New(rand.NewPCG(2002, 10))}
	for i := range 12 {
		id := fmt.Sprintf("s%02d", i+1)
		n.services = append(n.services, rollcall.Service{ID: rollcall.ServiceID(id), Name: id, Brand: fmt.Sprint("b", i/2), Owner: fmt.Sprint("o", i/3)})
	}
	n.services = append(n.services, rollcall.Service{ID: rollcall.Online, Name: "Any internet use"})
	for i := range panelists {
		n.people = append(n.people, fmt.Sprintf("%c,a%d,r%d", "MF"[i%2], n.random.IntN(5), n.random.IntN(8)))
	}
	return n
}

// files gives a month's files: a twentieth is out of tab, others each month.
func (n *nation) files(of rollcall.PanelMonth) (roster, universe string) {
	var r, u strings.Builder
	r.WriteString("panelist,home,work,base_weight,sex,age,region\n")
	for i, person := range n.people {
		if i%20 != int(of.Month)%20 {
			fmt.Fprintf(&r, "P%d,1,%d,%d,%s\n", i+1, i%4/3, 1+i%3, person)
		}
	}
	u.WriteString("margin,category,population,source,source_date\n")
	margin := func(name string, categories []string) {
		for _, c := range categories {
			fmt.Fprintf(&u, "%s,%s,%d,simulated,2002-06-30\n", name, c, 16800000/len(categories))
		}
	}
	margin("sex", []string{"M", "F"})
	margin("age", []string{"a0", "a1", "a2", "a3", "a4"})
	margin("region", []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"})
	return r.String(), u.String()
}

// facts gives a month's diaries of the panelists from to to: ten days online
// each, with sessions of some services in them.
func (n *nation) facts(of rollcall.PanelMonth, from, to int) facts {
	out := facts{}
	for p := from; p < to; p++ {
		var used []rollcall.ServiceID
		for i, s := range n.services[:12] {
			if n.random.Float64() < 0.35/float64(i+1) {
				used = append(used, s.ID)
			}
		}
		place := rollcall.Home
		for d := range 10 {
			if p%4 == 3 && d%2 == 0 {
				place = rollcall.Work
			}
			day := 1 + (p+3*d)%of.Month.Days()
			out.addTo(of, p+1, rollcall.Online, place, rollcall.Presence, stretch{day, 480, 1200})
			for _, s := range used {
				at := 480 + n.random.IntN(600)
				out.addTo(of, p+1, s, place, rollcall.Use, stretch{day, at, at + 1 + n.random.IntN(60)})
			}
			place = rollcall.Home
		}
	}
	return out
}

// BenchmarkMonth closes three months of 100,000 panelists from the store, then
// asks for every report of many periods, each as if for the first time: all
// that is kept is the months as they are loaded.
func BenchmarkMonth(b *testing.B) {
	n := newNation(100_000)
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	c, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, n.services)
	if err != nil {
		b.Fatal(err)
	}
	h := newSiteOver(b, store, c)
	h.Store = public{store}
	n.close(h, august)
	n.close(h, september)
	n.close(h, october)
	b.Run("close", func(b *testing.B) {
		for b.Loop() {
			h := newSiteOver(b, store, c)
			h.close(rollcall.ClosePlan{Of: october})
		}
	})
	b.Run("load", func(b *testing.B) { h.benchmarkLoad(b) })
	h.logMonths(b)
	worst := &slowest{}
	for _, name := range Reports() {
		for _, p := range benchPeriods() {
			h.benchmark(b, worst, name+" of "+p.name, rollcall.Query{Report: name, From: p.from, To: p.to})
		}
	}
	for _, p := range benchPeriods() {
		h.benchmark(b, worst, "ranking of a target of "+p.name, rollcall.Query{Report: "ranking", From: p.from, To: p.to, Target: "sex=F,!age=a1"})
		h.benchmark(b, worst, "ranking by use of "+p.name, rollcall.Query{Report: "ranking", From: p.from, To: p.to, Credit: rollcall.ByUse})
		for _, place := range rollcall.Places()[1:] {
			h.benchmark(b, worst, "ranking at "+string(place)+" of "+p.name, rollcall.Query{Report: "ranking", From: p.from, To: p.to, Place: place})
		}
	}
	b.Logf("the worst: %s, %.1f ms of processor", worst.name, 1e3*worst.spent.Seconds())
}

// close gathers a month's facts and closes it.
func (n *nation) close(h *site, of rollcall.PanelMonth) {
	roster, universe := n.files(of)
	h.load(of, roster, universe)
	const batch = 5000
	for from := 0; from < n.panelists; from += batch {
		h.merge(n.facts(of, from, from+batch))
	}
	h.close(rollcall.ClosePlan{Of: of})
}

type benchPeriod struct {
	name     string
	from, to rollcall.Day
}

func benchPeriods() []benchPeriod {
	first := october.Month.First()
	return []benchPeriod{
		{"a month", 0, 0},
		{"the first week", first, first + 6},
		{"another week", first + 13, first + 19},
		{"a day", first + 9, first + 9},
		{"30 days", first + 1, first + 30},
		{"30 days of two months", first - 12, first + 17},
		{"a quarter", august.Month.First(), october.Month.Last()},
	}
}

// logMonths finds the three months, and what they take.
func (h *site) logMonths(b *testing.B) {
	for _, m := range h.loaded(b) {
		b.Logf("%s: %.1f MB", m.Doc.Of.Month, float64(m.Cost())/1e6)
	}
}

// loaded gives the months, loading them if they are not.
func (h *site) loaded(b *testing.B) []*audience.Month {
	var out []*audience.Month
	for _, of := range []rollcall.PanelMonth{august, september, october} {
		p, err := h.Publication(b.Context(), of, 1)
		if err != nil {
			b.Fatal(err)
		}
		m, err := h.Month(b.Context(), p.Document)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// benchmarkLoad loads October from the store.
func (h *site) benchmarkLoad(b *testing.B) {
	var spent time.Duration
	for b.Loop() {
		fresh := newSiteOver(b, h.store, h.Catalogue())
		p, err := h.Publication(b.Context(), october, 1)
		if err != nil {
			b.Fatal(err)
		}
		before := processorTime(b)
		if _, err := fresh.Month(b.Context(), p.Document); err != nil {
			b.Fatal(err)
		}
		spent += processorTime(b) - before
	}
	b.ReportMetric(1e3*spent.Seconds()/float64(b.N), "cpu-ms/op")
}

// slowest is the report that took most of the processor.
type slowest struct {
	name  string
	spent time.Duration
}

// benchmark asks for a report again and again, each time anew: neither tables
// nor samples are kept, nor what a collection owes to those before.
func (h *site) benchmark(b *testing.B, worst *slowest, name string, r rollcall.Query) {
	b.Run(name, func(b *testing.B) {
		r.Version, h.t = 1, b
		var spent, wall time.Duration
		for b.Loop() {
			b.StopTimer()
			h.tables = audience.Cache[tableKey, *rollcall.Table]{Limit: mostTables}
			for _, m := range h.loaded(b) {
				m.Forget()
			}
			runtime.GC()
			b.StartTimer()
			began, before := time.Now(), processorTime(b)
			h.report(r)
			spent += processorTime(b) - before
			wall += time.Since(began)
		}
		each := spent / time.Duration(b.N)
		b.ReportMetric(1e3*each.Seconds(), "cpu-ms/op")
		b.ReportMetric(1e3*wall.Seconds()/float64(b.N), "wall-ms/op")
		b.ReportMetric(0, "ns/op")
		if each > worst.spent {
			*worst = slowest{name, each}
		}
	})
}

// processorTime is what the machine has given this process: the figure to read
// where others share the processors.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
