package report

import (
	"math"
	"sync"

	"rollcall"
	"rollcall/aggregate/panel"
)

// sample is some people over a period: those in tab in each of its months,
// weighed to the last month's universe. It is safe for concurrent use.
type sample struct {
	months   []*month  // in order, each touched by the period
	position [][]int32 // by month: the sample's position of each of its roster, or -1; nil: its own
	origin   []int32   // the lead month's position of each; nil: its own
	weights  *panel.Weights
	final    []float64 // the weights, persons a panelist
	from, to rollcall.Day
	first    []int // of each month, its first day's place in the period

	leader *month // nil: the last

	online struct {
		once sync.Once           // guards what follows
		at   []rollcall.Location // where each person was active
	}

	judged struct {
		once sync.Once // guards what follows
		condition
	}

	catalogue struct {
		once   sync.Once // guards what follows
		listed []int
		sets   sets // that there are uses of
	}

	books  cache[tier, []use]
	found  cache[scope, [][]int32]
	crowds cache[Credit, *crowd]
	views  cache[viewKey, *view]
}

// sampleKey is a period that ends in the month.
type sampleKey struct{ from, to rollcall.Day }

func newSample(months []*month, position [][]int32, w *panel.Weights, from, to rollcall.Day) *sample {
	s := &sample{months: months, position: position, weights: w, final: w.Final(), from: from, to: to}
	s.books.limit, s.found.limit, s.crowds.limit, s.views.limit = 12, 6, 2, 64
	for _, m := range months {
		s.first = append(s.first, int(m.doc.Of.Month.First()-from))
	}
	if position == nil {
		return s
	}
	s.origin = make([]int32, w.Len())
	for own, at := range position[len(position)-1] {
		if at >= 0 {
			s.origin[at] = int32(own)
		}
	}
	return s
}

// last is the month that the sample is weighed to.
func (s *sample) last() *month { return s.months[len(s.months)-1] }

// lead is the month whose catalogue and roster the sample is known by.
func (s *sample) lead() *month {
	if s.leader != nil {
		return s.leader
	}
	return s.last()
}

// days gives the length of the period.
func (s *sample) days() int { return int(s.to-s.from) + 1 }

// span gives the days of month k that are in the period, from 0.
func (s *sample) span(k int) (from, to uint8) {
	first, last := s.months[k].doc.Of.Month.First(), s.months[k].doc.Of.Month.Last()
	return uint8(max(s.from, first) - first), uint8(min(s.to, last) - first)
}

// translate gives the same services in month k's catalogue.
func (s *sample) translate(services set, k int) set {
	if s.months[k] == s.lead() {
		return services
	}
	var out set
	for i := range services.each {
		if j := s.months[k].service(s.lead().doc.Services[i].ID); j >= 0 {
			out = out.with(j)
		}
	}
	return out
}

// listed gives the services that anyone used in the sample's months: those
// with a row, and the base of shares.
func (s *sample) listed() []int {
	s.list()
	return s.catalogue.listed
}

// sets gives the services, alone and united, that there are uses of.
func (s *sample) sets() sets {
	s.list()
	return s.catalogue.sets
}

func (s *sample) list() {
	c := &s.catalogue
	c.once.Do(func() {
		services := s.lead().doc.Services
		for i, service := range services {
			if service.ID != rollcall.Online && s.anyDiary(i) {
				c.listed = append(c.listed, i)
			}
		}
		c.sets = unions(services, setOf(c.listed...))
	})
}

func (s *sample) anyDiary(service int) bool {
	for k, m := range s.months {
		if s.translate(setOf(service), k).meets(m.seen) {
			return true
		}
	}
	return false
}

// active gives who had any login, presence or use of any service, any internet
// use included, whichever credit rule a report uses.
func (s *sample) active(places rollcall.Location) []int32 {
	s.online.once.Do(func() { s.online.at = s.findActive() })
	out, next := make([]int32, len(s.online.at)+1), 0
	for i, at := range s.online.at {
		out[next] = int32(i)
		if at&places != 0 { // no branch
			next++
		}
	}
	return out[:next]
}

// findActive gives the places where each person was active.
func (s *sample) findActive() []rollcall.Location {
	out := make([]rollcall.Location, s.weights.Len())
	for k, m := range s.months {
		from, to := s.span(k)
		period := daysOf(from, to)
		for own, days := range m.online {
			if s.position != nil {
				own = int(s.position[k][own])
			}
			if own < 0 {
				continue
			}
			if days.home&period != 0 {
				out[own] |= rollcall.Home
			}
			if days.work&period != 0 {
				out[own] |= rollcall.Work
			}
		}
	}
	return out
}

// person gives the roster's line of a position.
func (s *sample) person(at int32) *rollcall.Panelist { return &s.lead().roster.Panelists[s.own(at)] }

// own gives the lead month's position of a position.
func (s *sample) own(at int32) int32 {
	if s.origin != nil {
		return s.origin[at]
	}
	return at
}

// members says who is in a target.
func (s *sample) members(t *target) []bool {
	m := s.lead()
	all := t.members(m.columns, len(m.roster.Panelists))
	if s.origin == nil {
		return all
	}
	in := make([]bool, len(s.origin))
	for i, own := range s.origin {
		in[i] = all[own]
	}
	return in
}

// lost gives the part of the last month's sample that is not in tab in every
// month of the period, in percent.
func (s *sample) lost() float64 {
	return 100 * (1 - float64(s.weights.Len())/math.Max(1, float64(len(s.last().roster.Panelists))))
}

// common makes the sample of those in tab in every month.
func common(months []*month, from, to rollcall.Day) (*sample, error) {
	at, position := match(months)
	if len(at) == 0 {
		return nil, &rollcall.Invalid{Field: "from", Value: from.String(), Reason: "nobody was in tab in every month up to " + to.String(), Code: "from"}
	}
	w, err := months[len(months)-1].weights.Subset(at)
	if err != nil {
		return nil, err
	}
	return newSample(months, position, w, from, to), nil
}

// match finds the positions in the last month of those in tab in every month,
// and for each month each person's place among them, or -1. Rosters are in the
// order of pseudonyms.
func match(months []*month) (at []int32, position [][]int32) {
	next := make([]int, len(months))
	for _, m := range months {
		none := make([]int32, len(m.roster.Panelists))
		for i := range none {
			none[i] = -1
		}
		position = append(position, none)
	}
	if !sameKey(months) {
		return nil, position
	}
	last := len(months) - 1
	for i, p := range months[last].roster.Panelists {
		in := true
		for k, m := range months[:last] {
			list := m.roster.Panelists
			for next[k] < len(list) && list[next[k]].ID < p.ID {
				next[k]++
			}
			in = in && next[k] < len(list) && list[next[k]].ID == p.ID
		}
		if !in {
			continue
		}
		next[last] = i
		for k := range months {
			position[k][next[k]] = int32(len(at))
		}
		at = append(at, int32(i))
	}
	return at, position
}

// sameKey reports whether the months' pseudonyms can be compared.
func sameKey(months []*month) bool {
	for _, m := range months {
		if m.roster.Key != months[0].roster.Key {
			return false
		}
	}
	return true
}
