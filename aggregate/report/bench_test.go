package report

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/sqlite"
)

// nation is a month of a large panel: 12 services, 2 places.
type nation struct {
	panelists int
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
	return n
}

func (n *nation) files() (roster, universe string) {
	var r, u strings.Builder
	r.WriteString("panelist,home,work,base_weight,sex,age,region\n")
	for i := range n.panelists {
		fmt.Fprintf(&r, "P%d,1,%d,%d,%c,a%d,r%d\n", i+1, i%4/3, 1+i%3, "MF"[i%2], n.random.IntN(5), n.random.IntN(8))
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

// facts gives the diaries of the panelists from to to: ten days online each,
// with sessions of some services in them.
func (n *nation) facts(from, to int) facts {
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
			day := 1 + (p+3*d)%31
			out.add(p+1, rollcall.Online, place, rollcall.Presence, stretch{day, 480, 1200})
			for _, s := range used {
				at := 480 + n.random.IntN(600)
				out.add(p+1, s, place, rollcall.Use, stretch{day, at, at + 1 + n.random.IntN(60)})
			}
			place = rollcall.Home
		}
	}
	return out
}

// BenchmarkMonth closes a month of 100,000 panelists from the store, then asks
// for every report anew.
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
	h := newHouseOver(b, store, c)
	roster, universe := n.files()
	h.load(october, roster, universe)
	const batch = 5000
	for from := 0; from < n.panelists; from += batch {
		h.merge(n.facts(from, from+batch))
	}
	b.Run("close", func(b *testing.B) {
		for b.Loop() {
			h := newHouseOver(b, store, c)
			h.close(october, CloseOptions{})
		}
	})
	h.close(october, CloseOptions{})
	for _, name := range Reports() {
		for _, place := range []Place{HomeWork, AtWork} {
			b.Run(name+" "+string(place), func(b *testing.B) { h.benchmark(b, Request{Report: name, Place: place}) })
		}
	}
	b.Run("ranking of a week", func(b *testing.B) {
		h.benchmark(b, Request{Report: "ranking", From: october.Month.First() + 6, To: october.Month.First() + 12})
	})
	b.Run("ranking of a target", func(b *testing.B) { h.benchmark(b, Request{Report: "ranking", Target: "sex=F,!age=a1"}) })
	b.Run("ranking by use", func(b *testing.B) { h.benchmark(b, Request{Report: "ranking", Credit: ByUse}) })
}

// benchmark asks for a report again and again; finished tables are thrown away.
func (h *house) benchmark(b *testing.B, r Request) {
	r.Version, h.t = 1, b
	var spent time.Duration
	for b.Loop() {
		h.tables = cache[tableKey, *rollcall.Table]{limit: mostTables}
		before := processorTime(b)
		h.report(r)
		spent += processorTime(b) - before
	}
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/op")
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
