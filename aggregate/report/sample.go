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
	roster   [][]int32 // by month: each person's position in its roster; nil: the same
	origin   []int32   // each person's position in the lead month's roster; nil: the same
	weights  *panel.Weights
	final    []float64 // the weights, persons a panelist
	from, to rollcall.Day
	first    []int // of each month, its first day's place in the period

	leader *month
	names  [][]int // by month and its services: the lead month's position, or -1

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
		sets   []set // that there are uses of
	}

	passes   cache[scope, []use]
	byCredit cache[Credit, *patterns]
	views    cache[viewKey, *view]
}

// sampleKey is a period that ends in the month.
type sampleKey struct{ from, to rollcall.Day }

// newSample makes a sample that is known by the lead month.
func newSample(months []*month, roster [][]int32, w *panel.Weights, lead *month, from, to rollcall.Day) *sample {
	s := &sample{months: months, roster: roster, weights: w, final: w.Final(), leader: lead, from: from, to: to}
	s.passes.limit, s.byCredit.limit, s.views.limit = 6, 2, 64
	for _, m := range months {
		s.first = append(s.first, int(m.doc.Of.Month.First()-from))
		names := make([]int, len(m.doc.Services))
		for i, service := range m.doc.Services {
			names[i] = lead.service(service.ID)
		}
		s.names = append(s.names, names)
	}
	if roster != nil {
		s.origin = roster[len(roster)-1]
	}
	return s
}

// inRoster gives a person's position in month k's roster.
func (s *sample) inRoster(k int, person int32) int32 {
	if s.roster == nil {
		return person
	}
	return s.roster[k][person]
}

// last is the month that the sample is weighed to.
func (s *sample) last() *month { return s.months[len(s.months)-1] }

// lead is the month whose catalogue and roster the sample is known by.
func (s *sample) lead() *month { return s.leader }

// days gives the length of the period.
func (s *sample) days() int { return int(s.to-s.from) + 1 }

// span gives the days of month k that are in the period, from 0.
func (s *sample) span(k int) (from, to uint8) {
	first, last := s.months[k].doc.Of.Month.First(), s.months[k].doc.Of.Month.Last()
	return uint8(max(s.from, first) - first), uint8(min(s.to, last) - first)
}

// listed gives the services that anyone used in the sample's months: those
// with a row, and the base of shares.
func (s *sample) listed() []int {
	s.list()
	return s.catalogue.listed
}

// sets gives the services, alone and united, that there are uses of.
func (s *sample) sets() []set {
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
		for i, at := range s.names[k] {
			if at == service && m.seen.has(i) {
				return true
			}
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

// daysOf gives a bit for each of the days from to to.
func daysOf(from, to uint8) uint32 { return uint32(1)<<(to+1) - uint32(1)<<from }

// findActive gives the places where each person was active.
func (s *sample) findActive() []rollcall.Location {
	out := make([]rollcall.Location, s.weights.Len())
	for k, m := range s.months {
		period := daysOf(s.span(k))
		for i := range out {
			days := m.online[s.inRoster(k, int32(i))]
			if days.home&period != 0 {
				out[i] |= rollcall.Home
			}
			if days.work&period != 0 {
				out[i] |= rollcall.Work
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
	roster := match(months)
	last := len(months) - 1
	if len(roster[last]) == 0 {
		return nil, &rollcall.Invalid{Field: "from", Value: from.String(), Reason: "nobody was in tab in every month up to " + to.String(), Code: "from"}
	}
	w, err := months[last].weights.Subset(roster[last])
	if err != nil {
		return nil, err
	}
	return newSample(months, roster, w, months[last], from, to), nil
}

// match gives, for each month, the positions in its roster of those in tab in
// every month. Rosters are in the order of pseudonyms.
func match(months []*month) [][]int32 {
	out, next := make([][]int32, len(months)), make([]int, len(months))
	if !sameKey(months) {
		return out
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
			out[k] = append(out[k], int32(next[k]))
		}
	}
	return out
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
