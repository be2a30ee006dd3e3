package simulate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/panel"
	"rollcall/ingest"
)

func demonstration(t testing.TB, seed uint64) *Demonstration {
	t.Helper()
	d, err := New(seed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func month(t testing.TB, d *Demonstration, m rollcall.Month) *Month {
	t.Helper()
	out, err := d.Month(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	october2002 = rollcall.MonthOf(2002, time.October)
	october2003 = rollcall.MonthOf(2003, time.October)
)

// seen is what a report would make of a month's files and sightings: nothing
// of how they were made.
type seen struct {
	weights *panel.Weights
	users   map[rollcall.ServiceID]panel.Variable
	active  panel.Variable
	several panel.Variable // users of two services or more
	any     panel.Variable
	events  int
}

func watch(t testing.TB, m *Month) *seen {
	t.Helper()
	roster, population, position := read(t, m)
	weights, err := panel.Rake(roster, population, panel.Trim{})
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := Place().Calendar()
	if err != nil {
		t.Fatal(err)
	}
	used := map[rollcall.ServiceID][]float64{}
	active, count := make([]float64, len(position)), make([]float64, len(position))
	out := &seen{weights: weights, users: map[rollcall.ServiceID]panel.Variable{}}
	for s := range m.Sightings() {
		out.events++
		at := checkSighting(t, calendar, m, &s, position, roster)
		active[at] = 1
		if s.Service == rollcall.Online {
			continue
		}
		if used[s.Service] == nil {
			used[s.Service] = make([]float64, len(position))
		}
		if used[s.Service][at] == 0 {
			used[s.Service][at] = 1
			count[at]++
		}
	}
	for service, users := range used {
		out.users[service] = panel.Dense(users)
	}
	out.active = panel.Dense(active)
	several, any := make([]float64, len(count)), make([]float64, len(count))
	for i, n := range count {
		several[i], any[i] = oneIf(n > 1), oneIf(n > 0)
	}
	out.several, out.any = panel.Dense(several), panel.Dense(any)
	return out
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// read takes the month's files as `panel load` would.
func read(t testing.TB, m *Month) (*rollcall.Roster, *rollcall.Population, map[string]int) {
	t.Helper()
	var roster, universe bytes.Buffer
	if err := m.WriteRoster(&roster); err != nil {
		t.Fatal(err)
	}
	if err := m.WriteUniverse(&universe); err != nil {
		t.Fatal(err)
	}
	recruits, err := panel.ReadRoster(&roster, "panelists.csv")
	if err != nil {
		t.Fatal(err)
	}
	study, err := panel.ReadUniverse(&universe, "universe.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := panel.Check(recruits, study); err != nil {
		t.Fatal(err)
	}
	position := map[string]int{}
	for i := range recruits.People {
		position[recruits.People[i].Name] = i
	}
	r, err := recruits.Roster(func(name string) rollcall.Visitor { return rollcall.Visitor(position[name]) })
	if err != nil {
		t.Fatal(err)
	}
	return r, &study.Population, position
}

// checkSighting holds a sighting to its month, its panelist and his meters.
func checkSighting(t testing.TB, c *rollcall.Calendar, m *Month, s *ingest.Sighting, position map[string]int, r *rollcall.Roster) int {
	t.Helper()
	at, ok := position[s.Panelist]
	if !ok {
		t.Fatalf("%s is not in tab", s.Panelist)
	}
	if !r.Panelists[at].Metered.Has(s.Location) {
		t.Fatalf("%s was seen at %s, where he has no meter", s.Panelist, s.Location)
	}
	e := rollcall.Event{Group: rollcall.Group{Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel}, Time: s.Time, Until: s.Until}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	from, to := e.Minutes()
	if from < c.Start(m.month.First()) || to > c.Start(m.month.Last()+1) {
		t.Fatalf("%s of %s to %s is not within %s", s.Service, s.Time, s.Until, m.month)
	}
	return at
}

// TestPublishedFigures: the figures that were published come out of the files
// and sightings by the method that reports use.
func TestPublishedFigures(t *testing.T) {
	d := demonstration(t, DefaultSeed)
	for _, tt := range []struct {
		month   rollcall.Month
		service rollcall.ServiceID
		want    float64
	}{
		{october2002, "msn", 1_585_000},
		{october2003, "msn", 3_494_000},
		{october2003, "yahoo", 459_000},
		{october2003, "aim", 452_000},
		{october2003, "icq", 215_000},
	} {
		got := watch(t, month(t, d, tt.month))
		if value := got.weights.Value(got.users[tt.service]); math.Abs(value-tt.want) >= 500 {
			t.Errorf("%s %s: %.0f persons, want %.0f", tt.month, tt.service, value, tt.want)
		}
	}
}

// TestEveryMonth holds every month and every service to the table of targets.
func TestEveryMonth(t *testing.T) {
	d := demonstration(t, DefaultSeed)
	for _, at := range Months() {
		got := watch(t, month(t, d, at))
		want, err := targetOf(at)
		if err != nil {
			t.Fatal(err)
		}
		q := got.weights.Quality()
		t.Logf("%s: %d events, active %.0f of %.0f, efficiency %.1f %%, several %.1f %%", at, got.events, got.weights.Value(got.active),
			got.weights.Universe(), 100*q.Efficiency, 100*got.weights.Ratio(got.several, got.any).Value)
		if value := got.weights.Value(got.active); math.Abs(value-want.active*thousand) >= 500 {
			t.Errorf("%s: %.0f persons active, want %.0f", at, value, want.active*thousand)
		}
		for s, id := range serviceIDs {
			v := got.users[id]
			t.Logf("   %s %.0f, %d persons", id, got.weights.Value(v), v.Users())
			if value := got.weights.Value(v); math.Abs(value-want.users[s]*thousand) >= 500 {
				t.Errorf("%s %s: %.0f persons, want %.0f", at, id, value, want.users[s]*thousand)
			}
		}
	}
}

func digest(t testing.TB, d *Demonstration, m rollcall.Month) string {
	t.Helper()
	h := sha256.New()
	of := month(t, d, m)
	if err := of.WriteRoster(h); err != nil {
		t.Fatal(err)
	}
	if err := of.WriteUniverse(h); err != nil {
		t.Fatal(err)
	}
	for s := range of.Sightings() {
		_, _ = h.Write(s.AppendJSON(nil)) // a hash takes all
	}
	for s := range d.Census(m) {
		_, _ = io.WriteString(h, string(s.AppendJSON(nil)))
	}
	return hex.EncodeToString(h.Sum(nil))
}
