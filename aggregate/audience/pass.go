package audience

import (
	"context"
	"slices"

	"rollcall"
)

// IdleGap is the minutes between consecutive credited ones above which a new
// session starts.
const IdleGap = 30

// scope says which diaries count.
type scope struct {
	credit rollcall.Credit
	places rollcall.Location
}

func (s scope) counts(w where) bool { return w.place()&s.places != 0 && s.credit.Counts(w.kind()) }

// did is what one person did with some services in a month's part.
type did struct {
	services Set
	days     uint32 // a bit a day of the month
	minutes  int32
	sessions int32
}

// pass goes once through the diaries of a sample's months, person by person.
type pass struct {
	scope scope

	diaries []diary // the person's that count, in the period; services by the sample's positions
	all     []run   // of the month: the diaries' are all[first:first+count]
	used    Set     // the services of those diaries
	known   []did   // what has been united of them
	day     []run   // runs of one day
}

// uses gives what the people did with each set of services that there are uses
// of. Months are put together: a session is cut at the month's edge.
func (s *Sample) uses(of scope) []Usage {
	out, _ := s.passes.Get(context.Background(), of, func() ([]Usage, int64, error) {
		sets := s.sets()
		uses := make([]Usage, len(sets))
		for i := range uses {
			uses[i].words = len(s.Months)
		}
		p := pass{scope: of}
		s.each(func(person int32, k int, diaries []diary) {
			p.begin(s, k, diaries)
			for i, services := range sets {
				if one := services.And(p.used); !one.empty() {
					uses[i].credit(person, k, p.unite(one))
				}
			}
		})
		return uses, 1, nil
	})
	return out
}

// each yields each person's diaries of the period, month by month. Months in
// which the person has none are passed over.
func (s *Sample) each(yield func(person int32, k int, diaries []diary)) {
	for person := range int32(s.Weights.Len()) {
		for k, m := range s.Months {
			from, to := s.span(k)
			own := s.inRoster(k, person)
			if own < 0 {
				continue
			}
			list := m.diaries.list[m.diaries.first[own]:m.diaries.first[own+1]]
			for len(list) > 0 && list[0].day < from {
				list = list[1:]
			}
			for len(list) > 0 && list[len(list)-1].day > to {
				list = list[:len(list)-1]
			}
			if len(list) > 0 {
				yield(person, k, list)
			}
		}
	}
}

// begin takes a person's diaries of month k.
func (p *pass) begin(s *Sample, k int, diaries []diary) {
	p.diaries, p.known, p.used, p.all = p.diaries[:0], p.known[:0], Set{}, s.Months[k].diaries.runs
	for i := range diaries {
		d := diaries[i]
		if service := s.names[k][d.service]; service >= 0 && p.scope.counts(d.where) {
			d.service = uint8(service)
			p.diaries, p.used = append(p.diaries, d), p.used.With(service)
		}
	}
}

// unite unites the person's diaries of some services. Few use more than one, so
// that most unions are known already.
func (p *pass) unite(services Set) did {
	for _, d := range p.known {
		if d.services == services {
			return d
		}
	}
	d := p.walk(services)
	p.known = append(p.known, d)
	return d
}

// walk goes along the minutes of some services: over places, kinds and
// midnights.
func (p *pass) walk(services Set) did {
	out, last := did{services: services}, -1 // the end of the last credited run
	for i := 0; i < len(p.diaries); {
		day, diaries := p.diaries[i].day, 0
		p.day = p.day[:0]
		for ; i < len(p.diaries) && p.diaries[i].day == day; i++ {
			if d := &p.diaries[i]; services.Has(int(d.service)) {
				p.day = append(p.day, p.all[d.first:d.first+uint32(d.count)]...)
				diaries++
			}
		}
		if diaries == 0 {
			continue
		}
		if diaries > 1 {
			sortRuns(p.day)
		}
		for _, r := range p.day {
			last = out.credit(r, last)
		}
		out.days |= 1 << day
	}
	return out
}

// credit adds what of a run is not credited yet, after last.
func (d *did) credit(r run, last int) int {
	from := max(int(r.from), last)
	if from >= int(r.to) {
		return last
	}
	if last < 0 || from-(last-1) > IdleGap {
		d.sessions++
	}
	d.minutes += int32(int(r.to) - from)
	return int(r.to)
}

// sortRuns orders by start. The lists are short and made of ordered pieces.
func sortRuns(runs []run) {
	for i := 1; i < len(runs); i++ {
		for j := i; j > 0 && runs[j].from < runs[j-1].from; j-- {
			runs[j], runs[j-1] = runs[j-1], runs[j]
		}
	}
}

// use gives what was done with a listed service, or with all of a group of
// them.
func (s *Sample) use(of scope, services Set) *Usage {
	i := slices.Index(s.sets(), services.And(SetOf(s.Listed()...)))
	if i < 0 {
		return &Usage{words: len(s.Months)}
	}
	return &s.uses(of)[i]
}
