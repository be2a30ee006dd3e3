package simulate

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// CensusScale is how many users of May 2001 one simulated account stands for.
const CensusScale = 1000

// worldwide is a service's worldwide users of May 2001, and how its simulated
// accounts are written.
type worldwide struct {
	service rollcall.ServiceID
	users   int
	name    func(i int) string
}

var services2001 = []worldwide{
	{"msn", 30_000_000, func(i int) string { return "sim" + strconv.Itoa(i) + "@example.com" }},
	{"aim", 29_000_000, func(i int) string { return "sim" + strconv.Itoa(i) }},
	{"icq", 23_000_000, func(i int) string { return strconv.Itoa(100_000_000 + i) }},
	{"yahoo", 14_000_000, func(i int) string { return "sim_" + strconv.Itoa(i) }},
}

// Census gives the census stream of a month: every account of the sample, one
// to five sightings each. Only the first and the last October have one; other
// months give nothing.
func (d *Demonstration) Census(m rollcall.Month) iter.Seq[ingest.Sighting] {
	return func(yield func(ingest.Sighting) bool) {
		if !slices.Contains([]rollcall.Month{firstMonth + 1, lastMonth}, m) {
			return
		}
		days := newDays(d.calendar, m)
		for k, c := range services2001 {
			if !d.accounts(c, days, d.stream(forCensus, uint64(k), uint64(m)), yield) {
				return
			}
		}
	}
}

func (d *Demonstration) accounts(c worldwide, days *days, r *rand.Rand, yield func(ingest.Sighting) bool) bool {
	for i := range c.users / CensusScale {
		s := ingest.Sighting{Market: Place().ID, Service: c.service, Account: c.name(i)}
		writer := diarist{days: days, random: r}
		for range 1 + draw(r, []float64{0.4, 0.3, 0.15, 0.1, 0.05}) {
			if !yield(writer.glimpse(s)) {
				return false
			}
		}
	}
	return true
}

// glimpse is what a server tells of one session.
func (d *diarist) glimpse(s ingest.Sighting) ingest.Sighting {
	s.Location = rollcall.Home
	if d.random.Float64() < 0.3 {
		s.Location = rollcall.Work
	}
	s.Kind = []rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}[draw(d.random, []float64{0.2, 0.5, 0.3})]
	h := habitAt(s.Location)
	s = d.session(h, d.someDay(h), s)
	if s.Kind == rollcall.Login {
		s.Until = time.Time{}
	}
	return s
}
