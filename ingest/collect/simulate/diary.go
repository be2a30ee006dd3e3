package simulate

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// Sightings gives what the panel's meters see in the month: person by person
// in the roster's order, service by service. Every sighting ends within the
// month: use that spilt into the next one would make users there who were not
// chosen.
func (m *Month) Sightings() iter.Seq[ingest.Sighting] {
	return func(yield func(ingest.Sighting) bool) {
		days := newDays(m.demonstration.calendar, m.month)
		for i := range m.people {
			p := &m.people[i]
			d := &diarist{
				person: p, days: days, yield: yield,
				random: m.demonstration.stream(forDiary, p.key(), uint64(m.month)),
			}
			if !d.write(m, i) {
				return
			}
		}
	}
}

// days is a month's local days.
type days struct {
	starts  []rollcall.UnixMinute // of each day, and of the next month's first
	weekend []bool
}

func newDays(c *rollcall.Calendar, m rollcall.Month) *days {
	out := &days{}
	for day := m.First(); day <= m.Last()+1; day++ {
		out.starts = append(out.starts, c.Start(day))
		year, month, date := day.Date()
		weekday := time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Weekday()
		out.weekend = append(out.weekend, weekday == time.Saturday || weekday == time.Sunday)
	}
	return out
}

func (d *days) len() int                 { return len(d.starts) - 1 }
func (d *days) end() rollcall.UnixMinute { return d.starts[d.len()] }

// diarist writes one person's month.
type diarist struct {
	person *person
	days   *days
	random *rand.Rand
	yield  func(ingest.Sighting) bool
}

// write reports whether more is wanted.
func (d *diarist) write(m *Month, position int) bool {
	for s := range services {
		if m.users[s][position] && !d.use(s) {
			return false
		}
	}
	if m.active[position] {
		return d.surf()
	}
	return true
}

// habit is how a place is used: how likely on a day, when, and for how long.
type habit struct {
	daily   [2]float64 // on a weekday, at a weekend
	hours   [2][]float64
	minutes float64 // of a session, about
}

// Shares of the hours 0..23, of a weekday and of a weekend.
var (
	eveningHours = []float64{.02, .01, 0, 0, 0, 0, .01, .02, .02, .02, .02, .03, .04, .04, .04, .04, .06, .09, .11, .12, .11, .10, .07, .03}
	weekendHours = []float64{.03, .02, .01, 0, 0, 0, 0, .01, .02, .04, .06, .07, .06, .06, .08, .08, .08, .08, .07, .06, .06, .05, .04, .02}
	workHours    = []float64{0, 0, 0, 0, 0, 0, 0, .01, .06, .13, .13, .11, .07, .08, .12, .11, .09, .06, .02, .01, 0, 0, 0, 0}
)

var (
	atHomeHabit = habit{daily: [2]float64{0.19, 0.23}, hours: [2][]float64{eveningHours, weekendHours}, minutes: 14}
	atWorkHabit = habit{daily: [2]float64{0.30, 0}, hours: [2][]float64{workHours, workHours}, minutes: 18}
)

func habitAt(place rollcall.Location) habit {
	if place == rollcall.Work {
		return atWorkHabit
	}
	return atHomeHabit
}

// keen is how often each service's users come back.
var keen = [services]float64{msn: 1.15, aim: 1.0, yahoo: 0.85, icq: 1.1, jabber: 1.1, voila: 0.6}

// idleUser is the share of users of a month whose client starts by itself and
// is never looked at; idleSession the share of the others' sessions.
const (
	idleUser    = 0.06
	idleSession = 0.15
)

// use writes the month of one service.
func (d *diarist) use(service int) bool {
	idle := d.random.Float64() < idleUser
	for _, place := range d.places() {
		h := habitAt(place)
		for _, day := range d.activeDays(h, keen[service]) {
			for range 1 + draw(d.random, []float64{0.62, 0.27, 0.11}) {
				s := d.session(h, day, ingest.Sighting{Service: serviceIDs[service], Location: place})
				if !d.see(s, idle || d.random.Float64() < idleSession) {
					return false
				}
			}
		}
	}
	return true
}

// places gives where the service is used this month, of where the person is
// metered; a person with two meters uses it at one of them or at both.
func (d *diarist) places() []rollcall.Location {
	switch d.person.metered {
	case rollcall.Home:
		return []rollcall.Location{rollcall.Home}
	case rollcall.Work:
		return []rollcall.Location{rollcall.Work}
	}
	return [][]rollcall.Location{{rollcall.Home}, {rollcall.Work}, {rollcall.Home, rollcall.Work}}[draw(d.random, []float64{0.18, 0.10, 0.72})]
}

// activeDays gives the days of use at a place, one at least.
func (d *diarist) activeDays(h habit, keen float64) []int {
	var out []int
	for day := range d.days.len() {
		if d.random.Float64() < h.chance(d.days.weekend[day])*keen*d.person.heavy {
			out = append(out, day)
		}
	}
	if len(out) == 0 {
		out = append(out, d.someDay(h))
	}
	return out
}

func (h habit) chance(weekend bool) float64 {
	if weekend {
		return h.daily[1]
	}
	return h.daily[0]
}

// someDay gives a day on which the place is used at all.
func (d *diarist) someDay(h habit) int {
	for {
		day := d.random.IntN(d.days.len())
		if h.chance(d.days.weekend[day]) > 0 {
			return day
		}
	}
}

// session gives one session's interval, at least a minute, within the month.
func (d *diarist) session(h habit, day int, s ingest.Sighting) ingest.Sighting {
	hours := h.hours[0]
	if d.days.weekend[day] {
		hours = h.hours[1]
	}
	minute := draw(d.random, hours)*60 + d.random.IntN(60)
	length := min(max(h.minutes*spreadOut(d.random, 0.8), 2), 300)
	s.Time = d.days.starts[day].Time().Add(time.Duration(minute)*time.Minute + time.Duration(d.random.IntN(60))*time.Second)
	s.Until = s.Time.Add(time.Duration(math.Round(length*60)) * time.Second)
	if end := d.days.end().Time(); s.Until.After(end) {
		s.Until = end
	}
	return s
}

// see writes one session: the login, the time online and, unless it idles, the
// time in focus.
func (d *diarist) see(s ingest.Sighting, idle bool) bool {
	online, login := s, s
	online.Kind = rollcall.Presence
	login.Kind, login.Until = rollcall.Login, time.Time{}
	if !d.send(login) || !d.send(online) {
		return false
	}
	if idle {
		return true
	}
	length := s.Until.Sub(s.Time)
	focus := s
	focus.Kind = rollcall.Use
	focus.Time = s.Time.Add(time.Duration(0.2 * d.random.Float64() * float64(length))).Truncate(time.Second)
	focus.Until = focus.Time.Add(time.Duration((0.2 + 0.5*d.random.Float64()) * float64(length))).Truncate(time.Second)
	return d.send(focus)
}

// surf writes some use of the internet beside messaging: two or three days at
// each place are enough to be active, and all that the figures need.
func (d *diarist) surf() bool {
	for _, place := range []rollcall.Location{rollcall.Home, rollcall.Work} {
		if !d.person.metered.Has(place) {
			continue
		}
		h := habitAt(place)
		for range 2 + d.random.IntN(2) {
			s := d.session(h, d.someDay(h), ingest.Sighting{Service: rollcall.Online, Location: place, Kind: rollcall.Use})
			if !d.send(s) {
				return false
			}
		}
	}
	return true
}

func (d *diarist) send(s ingest.Sighting) bool {
	s.Market, s.Panel, s.Panelist = Place().ID, PanelID, d.person.name()
	return d.yield(s)
}
