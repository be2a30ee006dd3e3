package report

import (
	"math/bits"
	"slices"
	"unsafe"

	"rollcall"
)

// idleGap is the minutes between consecutive credited ones above which a new
// session starts.
const idleGap = 30

// scope says which diaries count.
type scope struct {
	credit Credit
	places rollcall.Location
}

func scopes() []scope {
	const home, work = rollcall.Home, rollcall.Work
	return []scope{
		{ByPresence, home | work}, {ByPresence, home}, {ByPresence, work},
		{ByUse, home | work}, {ByUse, home}, {ByUse, work},
	}
}

func (s scope) counts(w where) bool { return w.place()&s.places != 0 && s.credit.Counts(w.kind()) }

// ledger says what people did with some sets of services on any days of a
// month. For each person and set it has a line, in each scope that counts
// anything of it: what the diaries that count come to by the end of each day.
// Lines that count the same diaries share their sums.
type ledger struct {
	sets  sets
	lines map[tier][]line // by person, then by set
	users map[tier][]int  // by set: its lines
	sums  []sum
}

// sets are services alone, and services united: few reports need the latter.
type sets struct{ alone, united []set }

func (s sets) of(united bool) []set {
	if united {
		return s.united
	}
	return s.alone
}

// tier is the lines of one scope, of services alone or united.
type tier struct {
	scope
	united bool
}

// line is what one person did: its sums are ledger.sums[first:], one a day.
type line struct {
	person int32
	days   uint32 // a bit a day
	first  uint32
	set    uint16 // of the tier's
}

// sum is what a line comes to by the end of a day.
type sum struct {
	minutes  uint16
	sessions uint16 // twice that, and 1 where the day goes on with a session of days before
}

func newLedger(s sets) *ledger {
	return &ledger{sets: s, lines: map[tier][]line{}, users: map[tier][]int{}}
}

func (l *ledger) put(of tier, lines []line) {
	users := make([]int, len(l.sets.of(of.united)))
	for i := range lines {
		users[lines[i].set]++
	}
	l.lines[of], l.users[of] = slices.Clone(lines), users
}

// between gives what a line comes to on the days from from, of which at least
// one has a bit in days.
func (l *ledger) between(of *line, days uint32, from uint8) (minutes, sessions int32) {
	before := bits.OnesCount32(of.days & (1<<from - 1))
	sums := l.sums[of.first:]
	first, last := sums[before], sums[before+bits.OnesCount32(days)-1]
	minutes, sessions = int32(last.minutes), int32(last.sessions>>1+first.sessions&1)
	if before > 0 {
		minutes -= int32(sums[before-1].minutes)
		sessions -= int32(sums[before-1].sessions >> 1)
	}
	return minutes, sessions
}

// daysOf gives a bit for each of the days from to to.
func daysOf(from, to uint8) uint32 { return uint32(1)<<(to+1) - uint32(1)<<from }

func (l *ledger) bytes() int64 {
	n := len(l.sums) * int(unsafe.Sizeof(sum{}))
	for _, lines := range l.lines {
		n += len(lines) * int(unsafe.Sizeof(line{}))
	}
	return int64(n)
}

// bookkeeper writes a ledger, person by person.
type bookkeeper struct {
	*diaries
	ledger *ledger
	scopes []scope
	sets   []set    // alone, then united
	lines  [][]line // by scope; twice, for those alone and united

	person []diary     // the person's
	sorts  []sort      // the different ones among them
	bits   []uint64    // of each diary: its sort's bit
	inSets []uint64    // by set: the sorts of its services
	known  []knownLine // the person's
	runs   []run       // of one day
}

// sort is what a line counts all of, or nothing of.
type sort struct {
	service uint8
	where   where
}

type knownLine struct {
	sorts uint64
	line  line
}

// write makes the ledger of some sets.
func (d *diaries) write(sets sets) *ledger {
	b := &bookkeeper{diaries: d, ledger: newLedger(sets), scopes: scopes(), sets: slices.Concat(sets.alone, sets.united)}
	b.lines, b.inSets = make([][]line, 2*len(b.scopes)), make([]uint64, len(b.sets))
	for i := 0; i < len(d.list); i += len(b.person) {
		end := i + 1
		for end < len(d.list) && d.list[end].person == d.list[i].person {
			end++
		}
		b.person = d.list[i:end]
		b.enter()
	}
	for i, s := range b.scopes {
		b.ledger.put(tier{s, false}, b.lines[2*i])
		b.ledger.put(tier{s, true}, b.lines[2*i+1])
	}
	b.ledger.sums = slices.Clone(b.ledger.sums)
	return b.ledger
}

// enter writes the person's lines.
func (b *bookkeeper) enter() {
	b.known = b.known[:0]
	if !b.tellSorts() {
		b.enterEach()
		return
	}
	for k, services := range b.sets {
		b.inSets[k] = 0
		for i, s := range b.sorts {
			if services.has(int(s.service)) {
				b.inSets[k] |= 1 << i
			}
		}
	}
	for i, scope := range b.scopes {
		in := uint64(0)
		for j, s := range b.sorts {
			if scope.counts(s.where) {
				in |= 1 << j
			}
		}
		for k, sorts := range b.inSets {
			if in&sorts != 0 {
				b.add(i, k, in&sorts)
			}
		}
	}
}

// mostSorts bounds the sorts that have a bit each.
const mostSorts = 64

// tellSorts gives each diary its sort's bit; false where there are too many.
func (b *bookkeeper) tellSorts() bool {
	b.sorts, b.bits = b.sorts[:0], b.bits[:0]
	for i := range b.person {
		s := sort{b.person[i].service, b.person[i].where}
		k := slices.Index(b.sorts, s)
		if k < 0 {
			k = len(b.sorts)
			b.sorts = append(b.sorts, s)
		}
		b.bits = append(b.bits, 1<<k)
	}
	return len(b.sorts) <= mostSorts
}

// enterEach takes each line by itself, with one bit for all that counts.
func (b *bookkeeper) enterEach() {
	for i, scope := range b.scopes {
		for k, services := range b.sets {
			some := uint64(0)
			for j := range b.person {
				d := &b.person[j]
				b.bits[j] = 0
				if scope.counts(d.where) && services.has(int(d.service)) {
					b.bits[j], some = 1, 1
				}
			}
			if b.known = b.known[:0]; some != 0 {
				b.add(i, k, some)
			}
		}
	}
}

func (b *bookkeeper) add(scope, set int, sorts uint64) {
	at := slices.IndexFunc(b.known, func(k knownLine) bool { return k.sorts == sorts })
	if at < 0 {
		at = len(b.known)
		b.known = append(b.known, knownLine{sorts, b.line(sorts)})
	}
	own, tier := b.known[at].line, 2*scope
	if alone := len(b.ledger.sets.alone); set >= alone {
		set, tier = set-alone, tier+1
	}
	own.set = uint16(set)
	b.lines[tier] = append(b.lines[tier], own)
}

// line unites the minutes of the person's diaries of some sorts: over services,
// places and kinds, and over midnight.
func (b *bookkeeper) line(sorts uint64) line {
	l := line{person: b.person[0].person, first: uint32(len(b.ledger.sums))}
	last, sofar := -1, sum{} // the end of the last credited run
	for i := 0; i < len(b.person); {
		day, diaries := b.person[i].day, 0
		b.runs = b.runs[:0]
		for ; i < len(b.person) && b.person[i].day == day; i++ {
			if d := &b.person[i]; b.bits[i]&sorts != 0 {
				b.runs = append(b.runs, b.diaries.runs[d.first:d.first+uint32(d.count)]...)
				diaries++
			}
		}
		if diaries == 0 {
			continue
		}
		if diaries > 1 {
			sortRuns(b.runs)
		}
		sofar.sessions &^= 1
		if last >= 0 && int(b.runs[0].from)-(last-1) <= idleGap {
			sofar.sessions |= 1
		}
		for _, r := range b.runs {
			last = sofar.credit(r, last)
		}
		l.days |= 1 << day
		b.ledger.sums = append(b.ledger.sums, sofar)
	}
	return l
}

// credit adds what of a run is not credited yet, after last.
func (s *sum) credit(r run, last int) int {
	from := max(int(r.from), last)
	if from >= int(r.to) {
		return last
	}
	if last < 0 || from-(last-1) > idleGap {
		s.sessions += 2
	}
	s.minutes += r.to - uint16(from)
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
