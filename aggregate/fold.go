package aggregate

import (
	"fmt"
	"math"
	"slices"

	"rollcall"
	"rollcall/aggregate/hll"
)

// Fold holds what has been read and not yet flushed. It is for one goroutine.
// [Run] drives one; by itself it serves simulations and benchmarks.
type Fold struct {
	k        int
	calendar func(rollcall.MarketID) (*rollcall.Calendar, error)
	exactly  func(rollcall.ServiceID) bool

	cells   map[rollcall.Cell]*census
	diaries map[rollcall.Diary]*rollcall.Minutes
	bytes   int // held by both, about

	groups    map[rollcall.Group]*groupFold
	days      []localDay // of the groups; the first is none's
	numbers   map[spanKey]number
	of        int          // bytes of all these, about; in bytes too
	byCode    []*groupFold // of the batch in hand
	uncounted groupFold    // of a kind that counts nothing

	block  block
	undone undone
}

// census is what a cell counts: two sketches, and of a service that is counted
// exactly the set of its visitors.
type census struct {
	visitors column // pseudonyms
	minutes  column // ids of pairs of visitor and minute
	coarse   bool   // some of its events tell only the day
	raised   bool   // coarse since the last flush
	exact    bool   // accounts has every visitor since the last flush
	accounts ids    // of a service that is counted exactly
}

// ids is a set of visitors, as a list that is made short when it has doubled.
type ids struct {
	list []uint64
	sure int // so many at the beginning ascend, without doubles
}

// fewIDs are not worth sorting.
const fewIDs = 1024

func (s *ids) add(id uint64) {
	if s.list = append(s.list, id); len(s.list) >= fewIDs && len(s.list) > 2*s.sure {
		s.shorten()
	}
}

func (s *ids) shorten() {
	slices.Sort(s.list)
	s.list = slices.Compact(s.list)
	s.sure = len(s.list)
}

func (s *ids) size() int { return 8 * cap(s.list) }

const (
	minute    = 60e9 // nanoseconds
	maxGroups = 16384

	cellOverhead = 512 // of a cell beside its columns, about
	diaryBytes   = 512 // of a diary with its key, about
	// A diary's fold and a cell's differ in this alone: a longer interval is
	// handed to the sketch as a range.
	shortInterval = 4
)

// NewFold gives an empty fold into sketches of 2^k registers, by the days of
// each market's calendar, with the sets of the services that are counted
// exactly; nil: of none.
func NewFold(k int, calendar func(rollcall.MarketID) (*rollcall.Calendar, error), exactly func(rollcall.ServiceID) bool) *Fold {
	f := &Fold{k: k, calendar: calendar, exactly: exactly, cells: make(map[rollcall.Cell]*census), uncounted: groupFold{apart: true}}
	f.block.forget(k)
	f.forget()
	return f
}

// forget drops the diaries and everything that points at cells.
func (f *Fold) forget() {
	f.diaries = make(map[rollcall.Diary]*rollcall.Minutes)
	f.dropGroups()
}

func (f *Fold) dropGroups() {
	if f.block.visitors != nil {
		f.block.mark()
	}
	f.groups, f.numbers = make(map[rollcall.Group]*groupFold), make(map[spanKey]number)
	f.byCode, f.days = nil, []localDay{{}}
	f.block.forget(f.k)
	f.bytes -= f.of
	f.of = 0
}

// Add folds a batch. The error is the calendar's, for a market that it does
// not have; nothing of the batch is folded then.
func (f *Fold) Add(b *rollcall.Batch) error {
	if err := f.begin(b.Groups); err != nil {
		return err
	}
	if len(b.Stamps) == 0 {
		if err := f.reach(math.MaxInt64, b.Groups); err != nil {
			return err
		}
	}
	from := 0
	for _, s := range b.Stamps {
		if f.undone.before(s.Time) != f.undone.past {
			f.rows(b, from, s.Row)
			from = s.Row
			if err := f.reach(s.Time, b.Groups); err != nil {
				return err
			}
		}
		f.undone.newest = max(f.undone.newest, s.Time)
	}
	f.rows(b, from, b.Len())
	return nil
}

// reach goes on to rows of records of a time. Where other removals cover them than
// those before, nothing that knows a cell is held any more.
func (f *Fold) reach(stamp int64, groups []rollcall.Group) error {
	past := f.undone.before(stamp)
	if past == f.undone.past {
		return nil
	}
	f.undone.past = past
	f.dropGroups()
	return f.begin(groups)
}

// row folds row i of the batch, whatever it is.
func (f *Fold) row(l *groupFold, b *rollcall.Batch, i int) {
	if l.calendar == nil {
		return // a kind that counts nothing
	}
	from, to := minutes(b.Time[i], b.Until[i])
	switch {
	case l.group.Panel != "":
		f.write(l, rollcall.Visitor(b.Visitor[i]), from, to)
	case l.group.Precision == rollcall.ToDay:
		f.creditDay(l, b.Visitor[i], from)
	default:
		f.credit(l, b.Visitor[i], from, to)
	}
}

// begin finds the state of each group of the batch.
func (f *Fold) begin(groups []rollcall.Group) error {
	if f.byCode, f.block.pairs = f.byCode[:0], false; len(f.groups) > maxGroups {
		f.dropGroups()
	}
	for i := range groups {
		l, err := f.group(&groups[i])
		if err != nil {
			return err
		}
		f.byCode = append(f.byCode, l)
		f.block.pairs = f.block.pairs || !l.days && !l.apart
	}
	return nil
}

// group finds the state of a group. One whose service is counted in another way
// since begins anew.
func (f *Fold) group(g *rollcall.Group) (*groupFold, error) {
	l := f.groups[*g]
	if l != nil && l.exact == f.counts(g) {
		return l, nil
	}
	if !g.Kind.Counts() {
		return &f.uncounted, nil
	}
	calendar, err := f.calendar(g.Market)
	if err != nil {
		return nil, fmt.Errorf("fold: %w", err)
	}
	l = &groupFold{group: *g, calendar: calendar, apart: g.Panel != "", exact: f.counts(g), days: g.Precision == rollcall.ToDay}
	f.groups[*g] = l
	f.of, f.bytes = f.of+groupBytes, f.bytes+groupBytes
	return l, nil
}

// counts reports whether a group's accounts are counted exactly.
func (f *Fold) counts(g *rollcall.Group) bool {
	return g.Panel == "" && f.exactly != nil && f.exactly(g.Service)
}

// minutes gives the UTC minutes that a row credits, [from, to).
func minutes(at, until int64) (from, to rollcall.UnixMinute) {
	from = rollcall.UnixMinute(at / minute) // times are after 1970: Event.Validate
	if until <= at {
		return from, from + 1
	}
	return from, rollcall.UnixMinute((until-1)/minute) + 1
}

// cell gives the cell of a group's day; nil: it was removed after the record in
// hand was stamped.
func (f *Fold) cell(l *groupFold, day rollcall.Day) *census {
	key := rollcall.Cell{
		Market: l.group.Market, Day: day, Service: l.group.Service,
		Location: l.group.Location, Kind: l.group.Kind,
		Platform: l.group.Platform, Segment: l.group.Segment, Key: l.group.Key,
	}
	if f.undone.removed(&key) {
		return nil
	}
	c := f.cells[key]
	if c == nil {
		c = &census{visitors: column{sketch: hll.New(f.k)}, minutes: column{sketch: hll.New(f.k)}}
		f.cells[key] = c
		c.exact = l.exact
		f.bytes += c.size()
	}
	c.exact = c.exact && l.exact
	return c
}

// size is what the cell holds in memory, about.
func (c *census) size() int {
	return cellOverhead + c.visitors.size() + c.minutes.size() + c.accounts.size()
}

// credit notes a census row for the cell of each local day that it touches.
func (f *Fold) credit(l *groupFold, visitor uint64, from, to rollcall.UnixMinute) {
	for from < to {
		d := f.day(l, from)
		end := min(to, d.span.To)
		if c := d.cell; c != nil {
			f.note(&c.visitors, visitor)
			if l.exact {
				f.bytes += c.count(visitor)
			}
			f.stay(&c.minutes, visitor, from, end)
		}
		from = end
	}
}

// creditDay notes a visitor of the day that a minute is of, and no minute.
func (f *Fold) creditDay(l *groupFold, visitor uint64, at rollcall.UnixMinute) {
	c := f.day(l, at).cell
	if c == nil {
		return
	}
	f.note(&c.visitors, visitor)
	if l.exact {
		f.bytes += c.count(visitor)
	}
}

// tellsDays notes that some of the cell's events tell only the day.
func (c *census) tellsDays() {
	if !c.coarse {
		c.coarse, c.raised = true, true
	}
}

// count puts a visitor into the set of a cell that is counted exactly, and gives
// the bytes that this took.
func (c *census) count(visitor uint64) int {
	before := c.accounts.size()
	c.accounts.add(visitor)
	return c.accounts.size() - before
}

// stay notes a visitor's minutes [from, to) of one cell.
func (f *Fold) stay(c *column, visitor uint64, from, to rollcall.UnixMinute) {
	if to-from > shortInterval {
		before := c.sketch.Size()
		c.sketch.AddPairs(visitor, int64(from), int64(to))
		f.bytes += c.sketch.Size() - before
		return
	}
	for ; from < to; from++ {
		f.note(c, hll.PairID(visitor, int64(from)))
	}
}

// note adds an id to a column.
func (f *Fold) note(c *column, id uint64) {
	if len(c.ids) == cap(c.ids) {
		f.bytes += c.grow()
	}
	c.ids = append(c.ids, id)
}

// write adds a panel row to the diary of each local day that it touches.
func (f *Fold) write(l *groupFold, panelist rollcall.Visitor, from, to rollcall.UnixMinute) {
	for from < to {
		local := f.day(l, from)
		end := min(to, local.span.To)
		key := rollcall.Diary{
			Market: l.group.Market, Panel: l.group.Panel, Day: local.span.Day, Panelist: panelist,
			Service: l.group.Service, Location: l.group.Location, Kind: l.group.Kind, Key: l.group.Key,
		}
		d := f.diaries[key]
		if d == nil {
			d = new(rollcall.Minutes)
			f.diaries[key] = d
			f.bytes += diaryBytes
		}
		d.AddRange(int(from-local.span.First), int(end-local.span.First))
		from = end
	}
}
