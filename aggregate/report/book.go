package report

import (
	"context"
	"math"
	"slices"

	"rollcall"
)

// tour goes through a month's lines of one tier, person by person.
type tour struct {
	*ledger
	lines    []line
	next     int     // where it is
	person   int32   // whose line that is, by the sample's position
	position []int32 // the sample's position of each of the month's persons, or -1; nil: its own
	from     uint8
	period   uint32
	sets     [][]int // by the tier's sets: which of the sample's they are
}

// tours gives a tour for each month.
func (s *sample) tours(of tier) []tour {
	out := make([]tour, len(s.months))
	for k, m := range s.months {
		var wanted sets
		for _, one := range s.sets().alone {
			wanted.alone = append(wanted.alone, s.translate(one, k))
		}
		for _, one := range s.sets().united {
			wanted.united = append(wanted.united, s.translate(one, k))
		}
		ledger, own := m.answers(wanted)
		from, to := s.span(k)
		has := ledger.sets.of(of.united)
		out[k] = tour{ledger: ledger, lines: ledger.lines[of], next: -1, from: from, period: daysOf(from, to), sets: make([][]int, len(has))}
		for i, set := range own.of(of.united) {
			if at := slices.Index(has, set); at >= 0 {
				out[k].sets[at] = append(out[k].sets[at], i)
			}
		}
		if s.position != nil {
			out[k].position = s.position[k]
		}
	}
	return out
}

const nobody = math.MaxInt32

// advance goes to the next line that is in the period, of someone in the
// sample and of one of its sets.
func (t *tour) advance() {
	for t.next++; t.next < len(t.lines); t.next++ {
		l := &t.lines[t.next]
		if l.days&t.period == 0 || len(t.sets[l.set]) == 0 {
			continue
		}
		if t.person = l.person; t.position != nil {
			t.person = t.position[l.person]
		}
		if t.person >= 0 {
			return
		}
	}
	t.person = nobody
}

// each yields the lines of the period, by person, then month, then set.
func each(tours []tour, yield func(person int32, k int, l *line)) {
	for k := range tours {
		tours[k].advance()
	}
	for {
		person := int32(nobody)
		for k := range tours {
			person = min(person, tours[k].person)
		}
		if person == nobody {
			return
		}
		for k := range tours {
			for t := &tours[k]; t.person == person; t.advance() {
				yield(person, k, &t.lines[t.next])
			}
		}
	}
}

// guess gives about how many users the sample's sets have. Who uses a service
// in a month mostly does so in any part of it, and in the next.
func guess(of tier, tours []tour, sets int) []int {
	out := make([]int, sets)
	for k := range tours {
		for set, list := range tours[k].sets {
			for _, i := range list {
				a, b := out[i], tours[k].users[of][set]
				out[i] = max(a, b) + min(a, b)/2
			}
		}
	}
	return out
}

// book gives the uses of a tier's sets. Months are put together: a session is
// cut at the month's edge.
func (s *sample) book(of tier) []use {
	out, _ := s.books.get(context.Background(), of, func() ([]use, int64, error) {
		tours := s.tours(of)
		uses := make([]use, len(s.sets().of(of.united)))
		for i, n := range guess(of, tours, len(uses)) {
			uses[i] = newUse(len(s.months), n)
		}
		each(tours, func(person int32, k int, l *line) {
			t := &tours[k]
			days := l.days & t.period
			minutes, sessions := t.between(l, days, t.from)
			for _, i := range t.sets[l.set] {
				uses[i].credit(person, k, days, minutes, sessions)
			}
		})
		return uses, 1, nil
	})
	return out
}

// use gives what was done with a listed service, or with all of a group of
// them.
func (s *sample) use(of scope, services set) *use {
	t := tier{of, services.len() > 1}
	if t.united {
		services = services.and(setOf(s.listed()...))
	}
	i := slices.Index(s.sets().of(t.united), services)
	if i < 0 {
		return &use{words: len(s.months)}
	}
	return &s.book(t)[i]
}

// who gives the users of a listed service.
func (s *sample) who(of scope, service int) []int32 {
	if of.places == rollcall.Home|rollcall.Work {
		return s.use(of, setOf(service)).at
	}
	i := slices.Index(s.listed(), service)
	if i < 0 {
		return nil
	}
	found, _ := s.found.get(context.Background(), of, func() ([][]int32, int64, error) {
		alone := tier{of, false}
		tours := s.tours(alone)
		users := make([][]int32, len(s.listed()))
		for i, n := range guess(alone, tours, len(users)) {
			users[i] = make([]int32, 0, n)
		}
		each(tours, func(person int32, k int, l *line) {
			for _, i := range tours[k].sets[l.set] {
				if n := len(users[i]); n == 0 || users[i][n-1] != person {
					users[i] = append(users[i], person)
				}
			}
		})
		return users, 1, nil
	})
	return found[i]
}
