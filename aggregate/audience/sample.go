package audience

import (
	"math"
	"slices"
	"sync"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Sample is some people over a period: those in tab in each of its months,
// weighed to the last month's universe. It is safe for concurrent use.
type Sample struct {
	Months   []*Month  // in order, each touched by the period
	roster   [][]int32 // by month: each person's position in its roster, -1 for none; nil: the same
	origin   []int32   // each person's position in the lead month's roster; nil: the same
	Weights  *panel.Estimator
	raked    *panel.Weights // whose quality is told; of a mean of months, the last's
	pool     *pool          // of a mean of months, whose persons are the rows of its months
	Final    []float64      // the weights, persons a panelist
	From, To rollcall.Day
	first    []int // of each month, its first day's place in the period

	leader *Month
	names  [][]int // by month and its services: the lead month's position, or -1

	online struct {
		once sync.Once           // guards what follows
		at   []rollcall.Location // where each person was active
	}

	judged struct {
		once sync.Once // guards what follows
		Condition
	}

	catalogue struct {
		once   sync.Once // guards what follows
		listed []int
		sets   []Set // that there are uses of
	}

	passes   Cache[scope, []Usage]
	byCredit Cache[rollcall.Credit, *Patterns]
	views    Cache[ViewKey, *View]
}

// sampleKey is a period that ends in the month.
type sampleKey struct {
	from, to rollcall.Day
	pooled   bool
}

// newSample makes a sample that is known by the lead month.
func newSample(months []*Month, roster [][]int32, w *panel.Weights, lead *Month, from, to rollcall.Day) *Sample {
	s := &Sample{Months: months, roster: roster, Weights: w.Estimator, raked: w, Final: w.Final(), leader: lead, From: from, To: to}
	s.passes.Limit, s.byCredit.Limit, s.views.Limit = 6, 2, 64
	for _, m := range months {
		s.first = append(s.first, int(m.Doc.Of.Month.First()-from))
		names := make([]int, len(m.Doc.Services))
		for i, service := range m.Doc.Services {
			names[i] = lead.Service(service.ID)
		}
		s.names = append(s.names, names)
	}
	if roster != nil {
		s.origin = roster[len(roster)-1]
	}
	return s
}

// inRoster gives a person's position in month k's roster.
func (s *Sample) inRoster(k int, person int32) int32 {
	if s.roster == nil {
		return person
	}
	return s.roster[k][person]
}

// Last is the month that the sample is weighed to.
func (s *Sample) Last() *Month { return s.Months[len(s.Months)-1] }

// Lead is the month whose catalogue and roster the sample is known by.
func (s *Sample) Lead() *Month { return s.leader }

// Days gives the length of the period: of a mean of months, of the longest.
func (s *Sample) Days() (n int) {
	if s.pool == nil {
		return int(s.To-s.From) + 1
	}
	for _, m := range s.Months {
		n = max(n, m.Doc.Of.Month.Days())
	}
	return n
}

// Was reports whether there was a day of the period, from 0: a zone that changes
// sides of the date line has none of the one that it passes over. Of a mean of
// months it is a day of the month, in any of them.
func (s *Sample) Was(day int) bool {
	for k, m := range s.Months {
		from, to := s.span(k)
		at := day
		if s.pool == nil {
			at -= s.first[k]
		}
		if at >= int(from) && at <= int(to) && m.Doc.dayLength(at) > 0 {
			return true
		}
	}
	return false
}

// DaysThatWere gives how many of the period's days there were: of a mean of
// months, of the month that had most.
func (s *Sample) DaysThatWere() (n int) {
	if s.pool != nil {
		return slices.Max(s.DaysByMonth())
	}
	for d := range s.Days() {
		if s.Was(d) {
			n++
		}
	}
	return n
}

// DaysByMonth gives, for each month, how many days there were of the time that
// its rows are of: the month, in a mean of months, or else the whole period.
func (s *Sample) DaysByMonth() []int {
	out := make([]int, len(s.Months))
	for k := range out {
		if s.pool != nil {
			out[k] = s.pool.parts[k].DaysThatWere()
		} else {
			out[k] = s.DaysThatWere()
		}
	}
	return out
}

// span gives the days of month k that are in the period, from 0.
func (s *Sample) span(k int) (from, to uint8) {
	first, last := s.Months[k].Doc.Of.Month.First(), s.Months[k].Doc.Of.Month.Last()
	return uint8(max(s.From, first) - first), uint8(min(s.To, last) - first)
}

// Listed gives the services that anyone used in the sample's months: those
// with a row, and the base of shares.
func (s *Sample) Listed() []int {
	s.list()
	return s.catalogue.listed
}

// sets gives the services, alone and united, that there are uses of.
func (s *Sample) sets() []Set {
	s.list()
	return s.catalogue.sets
}

func (s *Sample) list() {
	c := &s.catalogue
	c.once.Do(func() {
		services := s.Lead().Doc.Services
		for i, service := range services {
			if service.ID != rollcall.Online && s.anyDiary(i) {
				c.listed = append(c.listed, i)
			}
		}
		c.sets = unions(services, SetOf(c.listed...))
	})
}

func (s *Sample) anyDiary(service int) bool {
	for k, m := range s.Months {
		for i, at := range s.names[k] {
			if at == service && m.seen.Has(i) {
				return true
			}
		}
	}
	return false
}

// active gives who had any login, presence or use of any service, any internet
// use included, whichever credit rule a report uses.
func (s *Sample) active(places rollcall.Location) []int32 {
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
func (s *Sample) findActive() []rollcall.Location {
	out := make([]rollcall.Location, s.Weights.Len())
	for k, m := range s.Months {
		period := daysOf(s.span(k))
		for i := range out {
			own := s.inRoster(k, int32(i))
			if own < 0 {
				continue
			}
			days := m.online[own]
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

// FirstDay gives the day of the period, from 0, on which a user is credited
// first: of a mean of months, the day of the month.
func (s *Sample) FirstDay(u *Usage, user int) int {
	word, bit := u.firstDay(user)
	if s.pool != nil {
		return bit
	}
	return s.first[word] + bit
}

// Person gives the roster's line of a position.
func (s *Sample) Person(at int32) *rollcall.Panelist {
	if s.pool != nil {
		part, own := s.pool.part(at)
		return part.Person(own)
	}
	return &s.Lead().Roster.Panelists[s.own(at)]
}

// own gives the lead month's position of a position.
func (s *Sample) own(at int32) int32 {
	if s.origin != nil {
		return s.origin[at]
	}
	return at
}

// demographic gives the columns of a month's roster, but for the meters'.
func demographic(m *Month) []Column {
	return m.Columns[:len(m.Roster.Columns)]
}

// Members says who is in a target.
func (s *Sample) Members(t *Target) []bool {
	if s.pool != nil {
		return s.pool.members(t)
	}
	m := s.Lead()
	all := t.members(m.Columns, len(m.Roster.Panelists))
	in := make([]bool, s.Weights.Len())
	for i := range in {
		in[i] = all[s.own(int32(i))]
	}
	return in
}

// Lost gives the part of the last month's sample that is not in tab in every
// month of the period, in percent.
func (s *Sample) Lost() float64 {
	return 100 * (1 - float64(s.Weights.Len())/math.Max(1, float64(len(s.Last().Roster.Panelists))))
}

// Common makes the sample of those in tab in every month.
func Common(months []*Month, from, to rollcall.Day) (*Sample, error) {
	if err := checkKeys(months, "from", from.String()); err != nil {
		return nil, err
	}
	roster := match(months)
	last := len(months) - 1
	if len(roster[last]) == 0 {
		return nil, &rollcall.Invalid{Field: "from", Value: from.String(), Reason: "nobody was in tab in every month up to " + to.String(), Code: "nobody_in_tab"}
	}
	w, err := months[last].Weights.Subset(roster[last])
	if err != nil {
		return nil, err
	}
	return newSample(months, roster, w, months[last], from, to), nil
}

// Alone gives the sample's people in month k only, with the same weights.
func (s *Sample) Alone(k int) *Sample {
	of := s.Months[k].Doc.Of.Month
	one := newSample(s.Months[k:k+1], s.roster[k:k+1], s.raked, s.leader, of.First(), of.Last())
	one.origin = s.origin
	return one
}

// match gives, for each month, the positions in its roster of those in tab in
// every month, whose pseudonyms are of one key. Rosters are in the order of
// pseudonyms.
func match(months []*Month) [][]int32 {
	out, next := make([][]int32, len(months)), make([]int, len(months))
	last := len(months) - 1
	for i, p := range months[last].Roster.Panelists {
		in := true
		for k, m := range months[:last] {
			list := m.Roster.Panelists
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
