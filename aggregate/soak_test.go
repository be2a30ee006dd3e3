package aggregate

import (
	"math"
	"os"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

// april is the census of a national month: the accounts of the four services
// in the spring of 2001, each seen on a day of its own and on about one in four
// of the others, for a minute, at home or at work.
type april struct {
	calendar *rollcall.Calendar
	fold     *Fold
	batch    rollcall.Batch
	rows     int
}

// TestSoakCensusMonth folds the month of 96 million accounts and holds each
// service's month, which is the union of its days, to four standard errors of
// the truth.
func TestSoakCensusMonth(t *testing.T) {
	if os.Getenv("ROLLCALL_SOAK") == "" {
		t.Skip("folds 800 million rows: make soak")
	}
	calendar, err := rollcall.Market{ID: "US", Name: "United States", Zone: "America/New_York"}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	a := &april{calendar: calendar}
	a.fold = NewFold(hll.DefaultK, func(rollcall.MarketID) (*rollcall.Calendar, error) { return calendar, nil }, nil)
	accounts := map[rollcall.ServiceID]int{"msn": 30e6, "aim": 29e6, "icq": 23e6, "yahoo": 14e6}
	first, start := rollcall.DayOf(2001, 4, 1), time.Now()
	for day := first; day <= first.Month().Last(); day++ {
		for service, n := range accounts {
			a.service(t, service, n, day)
		}
	}
	took := time.Since(start)
	months, cells, bytes := a.unions(t)
	t.Logf("%d rows in %v; %d cells, their states %d bytes; the fold holds %d", a.rows, took, cells, bytes, a.fold.bytes)
	if most := 32 << 20; a.fold.bytes > most {
		t.Errorf("the fold holds %d bytes, want at most %d", a.fold.bytes, most)
	}
	for service, n := range accounts {
		e := months[service].Estimate()
		off := e.Count/float64(n) - 1
		t.Logf("%s: %d accounts, counted %.0f, %+.2f %%", service, n, e.Count, 100*off)
		if math.Abs(off) > 4*e.StdErr {
			t.Errorf("%s: counted %.0f of %d accounts, over four standard errors of %.2f %%", service, e.Count, n, 100*e.StdErr)
		}
	}
}

// service folds a service's day.
func (a *april) service(t *testing.T, service rollcall.ServiceID, accounts int, day rollcall.Day) {
	t.Helper()
	first := a.calendar.Start(day)
	length := uint64(a.calendar.Minutes(day)) // the clock goes forward on the 1st
	own := uint64(day - day.Month().First())
	a.begin(service)
	for n := range accounts {
		v := scatter(uint64(n) + uint64(service[0])<<32)
		x := scatter(v + own)
		if v>>32*30>>32 != own && x>>62 != 0 {
			continue
		}
		place := uint32(0)
		if x&7 < 2 {
			place = 1
		}
		at := first + rollcall.UnixMinute(x>>16&0xffff*length>>16)
		a.batch.AddRow(place, int64(at)*minute, 0, v)
		if a.batch.Len() == 1<<14 {
			a.flush(t)
		}
	}
	a.flush(t)
}

// begin gives the batch a service's groups, home and work.
func (a *april) begin(service rollcall.ServiceID) {
	home := rollcall.Group{Market: "US", Service: service, Location: rollcall.Home, Kind: rollcall.Presence, Key: 1}
	work := home
	work.Location = rollcall.Work
	a.batch.Groups = append(a.batch.Groups[:0], home, work)
}

func (a *april) flush(t *testing.T) {
	t.Helper()
	if err := a.fold.Add(&a.batch); err != nil {
		t.Fatal(err)
	}
	a.rows += a.batch.Len()
	groups := a.batch.Groups
	a.batch.Reset()
	a.batch.Groups = groups
}

// unions gives each service's month from the states that a flush would store,
// and the number and the bytes of those.
func (a *april) unions(t *testing.T) (months map[rollcall.ServiceID]*hll.Sketch, cells, bytes int) {
	t.Helper()
	months = make(map[rollcall.ServiceID]*hll.Sketch)
	for key, state := range a.fold.Deltas().Cells {
		if months[key.Service] == nil {
			months[key.Service] = hll.New(hll.DefaultK)
		}
		if err := months[key.Service].MergeState(state.Visitors); err != nil {
			t.Fatal(err)
		}
		cells, bytes = cells+1, bytes+len(state.Visitors)+len(state.Minutes)
	}
	return months, cells, bytes
}

// scatter is a bijection of 64 bits that leaves no pattern: the steps of
// SplitMix64 (Steele, Lea and Flood, 2014).
func scatter(x uint64) uint64 {
	x = (x + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
