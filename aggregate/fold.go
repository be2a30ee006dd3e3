package aggregate

import (
	"fmt"

	"rollcall"
	"rollcall/aggregate/hll"
)

// Fold holds what has been read and not yet flushed. It is for one goroutine.
// [Run] drives one; by itself it serves simulations and benchmarks.
type Fold struct {
	k        int
	reach    bool // no minutes
	calendar func(rollcall.MarketID) (*rollcall.Calendar, error)

	cells   map[rollcall.Cell]*census
	diaries map[rollcall.Diary]*rollcall.Minutes
	bytes   int // held by both, about

	lanes   map[rollcall.Group]*lane
	byCode  []*lane   // of the batch in hand
	touched []*census // with rows of the batch in hand
}

// census is a cell's two sketches, and the rows of the batch in hand that are
// theirs: a sketch is touched once a batch, since with many live cells every
// touch is a cache miss.
type census struct {
	cell     rollcall.Cell
	visitors *hll.Sketch
	minutes  *hll.Sketch
	ids      []uint64 // pseudonyms of the batch
	pairs    []uint64 // ids of its pairs of visitor and minute
}

// lane is where a group's rows go. Its slots remember the latest local days,
// direct-mapped by six-hour block of UTC minutes.
type lane struct {
	group    rollcall.Group
	calendar *rollcall.Calendar
	slots    [laneSlots]slot
}

type slot struct {
	span rollcall.Span
	cell *census // nil in a panel's lane
}

const (
	laneSlots    = 64
	slotMinutes  = 6 * 60
	maxLanes     = 1024
	cellOverhead = 512 // of a cell beside its sketches, about
	diaryBytes   = 512 // of a diary with its key, about
	// A diary's fold and a cell's differ in this alone: a longer interval is
	// handed to the sketch as a range.
	shortInterval = 4
)

// NewFold gives an empty fold into sketches of 2^k registers, by the days of
// each market's calendar.
func NewFold(k int, calendar func(rollcall.MarketID) (*rollcall.Calendar, error)) *Fold {
	f := &Fold{k: k, calendar: calendar, cells: make(map[rollcall.Cell]*census)}
	f.forget()
	return f
}

// NewReach is NewFold without the cells' second sketch: their minutes stay
// empty. What others count with one sketch is compared with it.
func NewReach(k int, calendar func(rollcall.MarketID) (*rollcall.Calendar, error)) *Fold {
	f := NewFold(k, calendar)
	f.reach = true
	return f
}

// forget drops the diaries and everything that points at cells.
func (f *Fold) forget() {
	f.diaries = make(map[rollcall.Diary]*rollcall.Minutes)
	f.lanes = make(map[rollcall.Group]*lane)
	f.byCode = f.byCode[:0]
}

// Add folds a batch. The error is the calendar's, for a market that it does
// not have; nothing of the batch is folded then.
func (f *Fold) Add(b *rollcall.Batch) error {
	if err := f.open(b.Groups); err != nil {
		return err
	}
	for i, code := range b.Code {
		l := f.byCode[code]
		if l == nil {
			continue // a kind that counts nothing
		}
		from, to := minutes(b.Time[i], b.Until[i])
		if l.group.Panel == "" {
			f.credit(l, b.Visitor[i], from, to)
		} else {
			f.write(l, rollcall.Visitor(b.Visitor[i]), from, to)
		}
	}
	f.settle()
	return nil
}

// open finds the lane of each group of the batch.
func (f *Fold) open(groups []rollcall.Group) error {
	f.byCode = f.byCode[:0]
	if len(f.lanes) > maxLanes {
		clear(f.lanes)
	}
	for i := range groups {
		l, err := f.lane(&groups[i])
		if err != nil {
			return err
		}
		f.byCode = append(f.byCode, l)
	}
	return nil
}

func (f *Fold) lane(g *rollcall.Group) (*lane, error) {
	if !g.Kind.Counts() {
		return nil, nil
	}
	if l := f.lanes[*g]; l != nil {
		return l, nil
	}
	calendar, err := f.calendar(g.Market)
	if err != nil {
		return nil, fmt.Errorf("fold: %w", err)
	}
	l := &lane{group: *g, calendar: calendar}
	f.lanes[*g] = l
	return l, nil
}

// minutes gives the UTC minutes that a row credits, [from, to).
func minutes(at, until int64) (from, to rollcall.UnixMinute) {
	const minute = 60e9
	from = rollcall.UnixMinute(at / minute) // times are after 1970: Event.Validate
	if until <= at {
		return from, from + 1
	}
	return from, rollcall.UnixMinute((until-1)/minute) + 1
}

// slot finds the local day of a minute.
func (f *Fold) slot(l *lane, m rollcall.UnixMinute) *slot {
	s := &l.slots[uint64(m)/slotMinutes%laneSlots]
	if !s.span.Has(m) {
		s.span = l.calendar.Span(m)
		if l.group.Panel == "" {
			s.cell = f.cell(l, s.span.Day)
		}
	}
	return s
}

func (f *Fold) cell(l *lane, day rollcall.Day) *census {
	key := rollcall.Cell{
		Market: l.group.Market, Day: day, Service: l.group.Service,
		Location: l.group.Location, Kind: l.group.Kind, Key: l.group.Key,
	}
	c := f.cells[key]
	if c == nil {
		c = &census{cell: key, visitors: hll.New(f.k), minutes: hll.New(f.k)}
		f.cells[key] = c
		f.bytes += c.size()
	}
	return c
}

// size is what the cell holds in memory, about.
func (c *census) size() int { return cellOverhead + c.visitors.Size() + c.minutes.Size() }

// credit notes a census row for the cell of each local day that it touches.
func (f *Fold) credit(l *lane, visitor uint64, from, to rollcall.UnixMinute) {
	for from < to {
		s := f.slot(l, from)
		c, end := s.cell, min(to, s.span.To)
		if len(c.ids) == 0 {
			f.touched = append(f.touched, c)
		}
		c.ids = append(c.ids, visitor)
		if f.reach {
			from = end
			continue
		}
		if end-from > shortInterval {
			before := c.minutes.Size()
			c.minutes.AddPairs(visitor, int64(from), int64(end))
			f.bytes += c.minutes.Size() - before
			from = end
			continue
		}
		for ; from < end; from++ {
			c.pairs = append(c.pairs, hll.PairID(visitor, int64(from)))
		}
	}
}

// settle brings the noted rows to their sketches.
func (f *Fold) settle() {
	for i, c := range f.touched {
		before := c.size()
		c.visitors.AddSlice(c.ids)
		c.minutes.AddSlice(c.pairs)
		f.bytes += c.size() - before
		c.ids, c.pairs = c.ids[:0], c.pairs[:0]
		f.touched[i] = nil
	}
	f.touched = f.touched[:0]
}

// write adds a panel row to the diary of each local day that it touches.
func (f *Fold) write(l *lane, panelist rollcall.Visitor, from, to rollcall.UnixMinute) {
	for from < to {
		s := f.slot(l, from)
		end := min(to, s.span.To)
		key := rollcall.Diary{
			Market: l.group.Market, Panel: l.group.Panel, Day: s.span.Day, Panelist: panelist,
			Service: l.group.Service, Location: l.group.Location, Kind: l.group.Kind, Key: l.group.Key,
		}
		d := f.diaries[key]
		if d == nil {
			d = new(rollcall.Minutes)
			f.diaries[key] = d
			f.bytes += diaryBytes
		}
		d.AddRange(int(from-s.span.First), int(end-s.span.First))
		from = end
	}
}
