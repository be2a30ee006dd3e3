package audience

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

// drawMonth draws a month of a few persons' diaries, of 2 services or of many.
func drawMonth(t *rapid.T) *Month {
	of := rapid.SampledFrom([]rollcall.Month{rollcall.MonthOf(2002, time.October), rollcall.MonthOf(2003, time.March)}).Draw(t, "month")
	c, err := rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris"}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	d := &Document{Of: rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: of}, Starts: Starts(c, of), Settings: DefaultSettings()}
	many, least := 2, 1
	if rapid.IntRange(0, 7).Draw(t, "busy") == 0 {
		many, least = 30, 450
	}
	for i := range many {
		d.Services = append(d.Services, rollcall.Service{ID: rollcall.ServiceID(fmt.Sprintf("s%02d", i)), Brand: fmt.Sprint("b", i/2), Owner: fmt.Sprint("o", i/3)})
	}
	roster := &rollcall.Roster{Columns: []string{"sex"}}
	const persons = 3
	for i := range persons {
		roster.Panelists = append(roster.Panelists, rollcall.Panelist{ID: rollcall.Visitor(i + 1), Metered: rollcall.Home | rollcall.Work, BaseWeight: 1, Categories: []string{"F"}})
	}
	f := newFreezer(d, roster)
	for range rapid.IntRange(least, least+40).Draw(t, "diaries") {
		day := rapid.IntRange(0, of.Days()-1).Draw(t, "day")
		from := rapid.IntRange(0, d.dayLength(day)-1).Draw(t, "from")
		if rapid.Bool().Draw(t, "at midnight") {
			from = (d.dayLength(day) - 10) * (from % 2)
		}
		to := min(d.dayLength(day), from+rapid.IntRange(1, 90).Draw(t, "length"))
		f.list = append(f.list, loose{first: uint32(len(f.runs)), count: 1, diaryKey: diaryKey{
			person: int32(rapid.IntRange(0, persons-1).Draw(t, "person")), day: uint8(day), service: uint16(rapid.IntRange(0, many-1).Draw(t, "service")),
			where: whereOf(rapid.SampledFrom([]rollcall.Location{rollcall.Home, rollcall.Work}).Draw(t, "place"), rapid.SampledFrom([]rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}).Draw(t, "kind")),
		}})
		f.runs = append(f.runs, dayRun{uint16(from), uint16(to)})
	}
	slices.SortFunc(f.list, compareLoose)
	m, err := NewMonth(rollcall.Hash{}, d, Parts{
		Roster: roster, Population: &rollcall.Population{Margins: []rollcall.Margin{{Name: "sex", Category: "F", Population: 300}}}, Diaries: f.encode(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scopes are all that may be asked for.
func scopes() []scope {
	var out []scope
	for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
		for _, places := range []rollcall.Location{rollcall.Home, rollcall.Work, rollcall.Home | rollcall.Work} {
			out = append(out, scope{credit, places})
		}
	}
	return out
}

// deeds is what one person did, minute by minute.
type deeds struct {
	days              uint32
	minutes, sessions int32
}

func (m *Month) minuteByMinute(of scope, services Set, person int32, from, to uint8) deeds {
	credited := make([]bool, m.Doc.days()[len(m.Doc.Starts)-1])
	var out deeds
	for _, d := range m.diaries.list {
		if d.person != person || d.day < from || d.day > to || !of.counts(d.where) || !services.Has(int(d.service)) {
			continue
		}
		out.days |= 1 << d.day
		for _, r := range m.diaries.runs[d.first : d.first+uint32(d.count)] {
			for minute := int(r.from); minute < int(r.to); minute++ {
				credited[minute] = true
			}
		}
	}
	idle := IdleGap
	for _, yes := range credited {
		idle++
		if yes {
			out.minutes++
			out.sessions += sessionStarts(idle)
			idle = 0
		}
	}
	return out
}

// TestPassAgreesWithMinutes: what the pass unites run by run, with sessions cut
// where the period is, a walk over every minute of the period finds too.
func TestPassAgreesWithMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMonth(t)
		from := uint8(rapid.IntRange(0, m.Doc.Of.Month.Days()-1).Draw(t, "first day"))
		to := uint8(rapid.IntRange(int(from), m.Doc.Of.Month.Days()-1).Draw(t, "last day"))
		first := m.Doc.Of.Month.First()
		s := m.sampleOf(first+rollcall.Day(from), first+rollcall.Day(to))
		for _, of := range scopes() {
			for _, services := range s.sets() {
				got := s.use(of, services)
				var users []int32
				for person := range int32(len(m.Roster.Panelists)) {
					want := m.minuteByMinute(of, services, person, from, to)
					if want.minutes == 0 {
						continue
					}
					i := len(users)
					users = append(users, person)
					if i >= len(got.At) || got.At[i] != person || (deeds{got.days[i], got.Minutes[i], got.Sessions[i]}) != want || got.DayCount(i) != bits.OnesCount32(want.days) {
						t.Fatalf("days %d to %d, %v of %v: person %d did %+v, got %+v", from, to, of, services, person, want, got)
					}
				}
				if len(got.At) != len(users) {
					t.Fatalf("days %d to %d, %v of %v: users %v, got %v", from, to, of, services, users, got.At)
				}
				place := map[rollcall.Location]rollcall.Place{rollcall.Home: rollcall.AtHome, rollcall.Work: rollcall.AtWork}[of.places]
				if who := s.View(of.credit, cmp.Or(place, rollcall.HomeWork), nil).union(services); !slices.Equal(who, users) {
					t.Fatalf("days %d to %d, %v of %v: users %v, by their patterns %v", from, to, of, services, users, who)
				}
			}
		}
	})
}

// sessionStarts counts a session after so many idle minutes.
func sessionStarts(idle int) int32 {
	if idle > IdleGap {
		return 1
	}
	return 0
}
