package report

import (
	"math/bits"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// idleGap is the minutes between consecutive credited ones above which a new
// session starts.
const idleGap = 30

// use is what people did with a set of services, at a set of places, in a
// period: one entry a user.
type use struct {
	at       []int32  // positions, ascending
	days     []uint32 // credited days: words to a user, a bit a day of the month
	words    int      // months of the period
	minutes  []int32
	sessions []int32
}

func (u *use) variable(of []int32) panel.Variable {
	values := make([]float64, len(of))
	for i, x := range of {
		values[i] = float64(x)
	}
	return panel.Variable{At: u.at, Values: values}
}

// dayCount gives the credited days of user i.
func (u *use) dayCount(i int) int {
	n := 0
	for _, w := range u.days[i*u.words : (i+1)*u.words] {
		n += bits.OnesCount32(w)
	}
	return n
}

func (u *use) dayCounts() panel.Variable {
	values := make([]float64, len(u.at))
	for i := range u.at {
		values[i] = float64(u.dayCount(i))
	}
	return panel.Variable{At: u.at, Values: values}
}

// firstDay gives the first credited day of user i: a bit of the period.
func (u *use) firstDay(i int) (word, bit int) {
	for w, days := range u.days[i*u.words : (i+1)*u.words] {
		if days != 0 {
			return w, bits.TrailingZeros32(days)
		}
	}
	return u.words, 0
}

// where gives the users that keep says yes to.
func (u *use) where(keep func(person int32) bool) *use {
	out := &use{words: u.words}
	out.grow(len(u.at))
	for i, person := range u.at {
		if keep(person) {
			out.add(person, u.days[i*u.words:(i+1)*u.words], u.minutes[i], u.sessions[i])
		}
	}
	return out
}

// grow makes room for n more users.
func (u *use) grow(n int) {
	u.at, u.days = slices.Grow(u.at, n), slices.Grow(u.days, n*u.words)
	u.minutes, u.sessions = slices.Grow(u.minutes, n), slices.Grow(u.sessions, n)
}

func (u *use) add(person int32, days []uint32, minutes, sessions int32) {
	u.at = append(u.at, person)
	u.days = append(u.days, days...)
	u.minutes = append(u.minutes, minutes)
	u.sessions = append(u.sessions, sessions)
}

// question is what a use is computed from.
type question struct {
	credit   Credit
	services set
	places   rollcall.Location
}

// counts gives the diaries that the question takes in.
func (q *question) counts() (table [256]bool) {
	for w := range table {
		table[w] = where(w).place()&q.places != 0 && q.credit.Counts(where(w).kind())
	}
	return table
}

// walk goes through some services' diaries person by person and day by day,
// and unites their minutes: over services, places and kinds, and over midnight.
type walk struct {
	cursors []cursor
	out     *use

	person   int32
	last     int32 // end of the last credited run, -1 before the first
	days     [1]uint32
	minutes  int32
	sessions int32
	scratch  []run
}

// cursor stands at the next diary of one service that counts.
type cursor struct {
	*diaries
	at       int
	counts   *[256]bool
	only     []bool // persons; nil: everyone
	from, to uint8  // days
	next     int64  // the key of the diary, or atEnd
}

const atEnd = int64(1) << 62

// entriesPerUser is a guess at how many diaries a user has, to make room by.
const entriesPerUser = 8

func dayKey(person int32, day uint8) int64 { return int64(person)<<8 | int64(day) }

func (c *cursor) seek() {
	for ; c.at < len(c.list); c.at++ {
		d := &c.list[c.at]
		if c.counts[d.where] && d.day >= c.from && d.day <= c.to && (c.only == nil || c.only[d.person]) {
			c.next = dayKey(d.person, d.day)
			return
		}
	}
	c.next = atEnd
}

// use answers a question for the days from to to of the month, from 0, and for
// the persons of only, nil being everyone.
func (m *month) use(q question, from, to uint8, only []bool) *use {
	counts := q.counts()
	w := &walk{out: &use{words: 1}, person: -1}
	for s := range q.services.each {
		if len(m.services[s].list) == 0 {
			continue
		}
		w.out.grow(len(m.services[s].list) / entriesPerUser)
		c := cursor{diaries: &m.services[s], counts: &counts, only: only, from: from, to: to}
		c.seek()
		w.cursors = append(w.cursors, c)
	}
	w.run()
	return w.out
}

func (w *walk) run() {
	for {
		next := atEnd
		for i := range w.cursors {
			next = min(next, w.cursors[i].next)
		}
		if next == atEnd {
			w.flush()
			return
		}
		if person := int32(next >> 8); person != w.person {
			w.flush()
			w.person, w.last = person, -1
		}
		w.days[0] |= 1 << (next & 0xff)
		w.day(next)
	}
}

// day unites the diaries of one person and day.
func (w *walk) day(key int64) {
	w.scratch = w.scratch[:0]
	diaries := 0
	for i := range w.cursors {
		c := &w.cursors[i]
		for c.next == key {
			d := &c.list[c.at]
			w.scratch = append(w.scratch, c.runs[d.first:d.first+uint32(d.count)]...)
			diaries++
			c.at++
			c.seek()
		}
	}
	if diaries > 1 {
		sortRuns(w.scratch)
	}
	for _, r := range w.scratch {
		w.credit(r)
	}
}

// sortRuns orders by start. The lists are short and made of ordered pieces.
func sortRuns(runs []run) {
	for i := 1; i < len(runs); i++ {
		for j := i; j > 0 && runs[j].from < runs[j-1].from; j-- {
			runs[j], runs[j-1] = runs[j-1], runs[j]
		}
	}
}

func (w *walk) credit(r run) {
	from := max(r.from, w.last)
	if from >= r.to {
		return
	}
	if w.last < 0 || from-(w.last-1) > idleGap {
		w.sessions++
	}
	w.minutes += r.to - from
	w.last = r.to
}

func (w *walk) flush() {
	if w.person >= 0 {
		w.out.add(w.person, w.days[:], w.minutes, w.sessions)
	}
	w.days[0], w.minutes, w.sessions = 0, 0, 0
}

// active gives the places where each of the roster has any diary in the days.
func (m *month) active(from, to uint8) []rollcall.Location {
	out := make([]rollcall.Location, len(m.roster.Panelists))
	for s := range m.services {
		for i := range m.services[s].list {
			d := &m.services[s].list[i]
			if d.day >= from && d.day <= to {
				out[d.person] |= d.where.place()
			}
		}
	}
	return out
}

func positions(found []bool) []int32 {
	var out []int32
	for i, yes := range found {
		if yes {
			out = append(out, int32(i))
		}
	}
	return out
}
