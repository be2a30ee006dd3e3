package aggregate

import "rollcall"

// groupFold is where a group's rows go: to the local days that its slots know.
type groupFold struct {
	group    rollcall.Group
	calendar *rollcall.Calendar // nil: of a kind that counts nothing
	apart    bool               // its rows are for no sketch
	exact    bool
	days     bool // its rows tell only the day
	slots    [slots]slot
}

// slot knows the local days of some hours: of the instants that share all but the
// lowest slotBits of their Unix nanoseconds. That is not quite ten hours, in which no
// more than one day ends, but for a change of the clock. The slots are direct-mapped,
// and hold seven weeks.
type slot struct {
	last          int64  // Unix nanosecond of the first of the days, or of the hours
	before, after number // of the instants up to it, and of those after it
}

const (
	slotBits = 45
	slots    = 128
)

// number is that of a local day: of its place, or less than zero, of itself among the
// days of a fold; 0: it is not known.
type number = int32

// localDay is a span of a local day of a group.
type localDay struct {
	span   rollcall.Span
	cell   *census // nil in a panel's group, and where the day was removed
	place  number  // where its rows wait as rises; 0: they wait as ids
	number number  // among the days, less than zero
}

// spanKey is what a local day is found by.
type spanKey struct {
	group *groupFold
	from  rollcall.UnixMinute
}

const (
	groupBytes = 3072 // of a group, about
	dayBytes   = 160  // of a local day with its key, about
)

// slot gives the slot of an instant.
func (l *groupFold) slot(at int64) *slot { return &l.slots[uint64(at)>>slotBits%slots] }

// number gives the day of an instant; 0: the slot doesn't know it, or is of other
// hours.
func (s *slot) number(at int64) number {
	n, after := s.before, s.after
	if at > s.last { // a conditional move
		n = after
	}
	if uint64(at^s.last)>>slotBits != 0 {
		return 0
	}
	return n
}

// learn has the slot know the day of an instant, unless it both begins and ends in
// the same hours.
func (s *slot) learn(at int64, span rollcall.Span, n number) {
	first := at >> slotBits << slotBits
	last := first | (1<<slotBits - 1)
	from, to := int64(span.From)*minute, int64(span.To)*minute-1
	know := slot{}
	switch {
	case from <= first:
		know.last, know.before = min(to, last), n
	case to >= last:
		know.last, know.after = from-1, n
	default:
		return
	}
	if s.last == know.last { // and of the other day still knows what it knew
		know.before, know.after = know.before|s.before, know.after|s.after
	}
	*s = know
}

// together has the rows of an instant's day folded in its place.
func (s *slot) together(at int64, p number) {
	switch {
	case s.number(at) == 0:
	case at > s.last:
		s.after = p
	default:
		s.before = p
	}
}

// day gives the local day of a minute, until the next is asked for.
func (f *Fold) day(l *groupFold, m rollcall.UnixMinute) *localDay {
	at := int64(m) * minute
	s := l.slot(at)
	n := s.number(at)
	if n == 0 {
		span := l.calendar.Span(m)
		n = f.open(l, span)
		s.learn(at, span, n)
	}
	if n > 0 {
		n = f.block.days[n]
	}
	return &f.days[-n]
}

// open finds the number of a local day of a group, or makes the day.
func (f *Fold) open(l *groupFold, span rollcall.Span) number {
	key := spanKey{l, span.From}
	n := f.numbers[key]
	if n != 0 {
		return n
	}
	n = -number(len(f.days))
	f.numbers[key] = n
	d := localDay{span: span, number: n}
	if l.group.Panel == "" {
		d.cell = f.cell(l, span.Day)
	}
	if l.days && d.cell != nil {
		d.cell.tellsDays()
	}
	f.days = append(f.days, d)
	f.of, f.bytes = f.of+dayBytes, f.bytes+dayBytes
	return n
}
