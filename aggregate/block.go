package aggregate

import (
	"rollcall"
	"rollcall/aggregate/hll"
)

// block is a run of a batch's rows on their way into cells. They are sorted by
// cell first: with many live cells every touch of a sketch is a cache miss, so it
// is touched once for many rows. Each pass over the rows is a loop of its own,
// because one loop that does it all waits for the slowest of its parts.
//
//	find     gives each row its bucket, and counts
//	hash     says what each row does to large sketches
//	sort     brings the rows into the order of their buckets
//	empty    notes the rows of each bucket in its cell
//
// Where cells are so many that most get a row or two, sorting gains nothing, and
// each row is folded alone.
type block struct {
	buckets []bucket            // that got rows, by number; 0 is for rows that were folded alone
	counts  [mostBuckets]uint32 // rows of each bucket; where its rows end, once they are sorted
	number  []uint16            // of each row's bucket
	order   []uint16            // the rows, bucket by bucket

	visitors, minutes       []hll.Rise // what each row does
	anyVisitors, anyMinutes bool       // some of the buckets' sketches are large

	unsorted int // so many blocks to come are not worth sorting
}

const (
	blockRows   = 1 << 14 // whose columns stay in a near cache
	mostBuckets = 1 << 12 // a power of two; rows that would need more are folded alone

	worthSorting   = 8  // rows of a bucket, on average; where they are fewer,
	unsortedBlocks = 63 // blocks are not sorted, then one is tried again
)

// bucket is the rows that are of one cell and one minute each, or that only tell its
// day.
type bucket struct {
	cell  *census
	days  uint8 // 1: they tell only the day
	exact bool  // their visitors are counted exactly
}

// rows folds the rows [from, to) of a batch.
func (f *Fold) rows(b *rollcall.Batch, from, to int) {
	for ; from < to; from += blockRows {
		end := min(to, from+blockRows)
		if f.block.unsorted > 0 {
			f.block.unsorted--
			f.alone(b, from, end)
		} else {
			f.sorted(b, from, end)
		}
	}
}

// alone folds the rows [from, to) in their own order.
func (f *Fold) alone(b *rollcall.Batch, from, to int) {
	codes, times, untils, visitors := b.Code[from:to], b.Time[from:to], b.Until[from:to], b.Visitor[from:to]
	for i, code := range codes {
		at, visitor, l := times[i], visitors[i], f.byCode[code]
		c := l.cell(at)
		switch {
		case c == nil || untils[i] > at:
			f.row(l, b, from+i)
		case l.exact || l.days != 0:
			f.see(l, c, visitor, at)
		default: // as see does, and faster: most rows are so
			f.note(&c.visitors, visitor)
			f.note(&c.minutes, hll.PairID(visitor, at/minute))
		}
	}
}

// sorted folds the rows [from, to) as a block.
func (f *Fold) sorted(b *rollcall.Batch, from, to int) {
	s := &f.block
	s.begin(to - from)
	f.find(b, from, to)
	if int(s.counts[0])+worthSorting*len(s.buckets) > to-from {
		s.unsorted = unsortedBlocks
	}
	if len(s.buckets) > 1 {
		s.hash(f.k, b.Visitor[from:to], b.Time[from:to])
		s.sort()
		f.empty(b.Visitor[from:to], b.Time[from:to])
	}
}

// begin makes space for n rows.
func (s *block) begin(n int) {
	if n > cap(s.number) {
		s.number, s.order = make([]uint16, n), make([]uint16, n)
		s.visitors, s.minutes = make([]hll.Rise, n), make([]hll.Rise, n)
	}
	s.number, s.order = s.number[:n], s.order[:n]
	s.buckets, s.counts[0] = append(s.buckets[:0], bucket{}), 0
}

// find gives each of the rows [from, to) its bucket, and folds those that have none
// alone, as every row could be: [Fold.row].
func (f *Fold) find(b *rollcall.Batch, from, to int) {
	s := &f.block
	for i := from; i < to; i++ {
		if i += s.known(f.byCode, b, i, to); i == to {
			return
		}
		l, n := f.byCode[b.Code[i]], uint16(0)
		switch c := l.cell(b.Time[i]); {
		case c == nil || b.Until[i] > b.Time[i]:
			f.row(l, b, i)
		case s.open(l, c):
			n = c.number[l.days]
		default:
			f.see(l, c, b.Visitor[i], b.Time[i])
		}
		s.number[i-from] = n
		s.counts[n]++
	}
}

// known gives rows their buckets, up to a row that has none or whose bucket has no
// number yet, and says how many it did. Nearly all rows need no more than that, and
// a loop that calls nothing holds all that it needs in registers.
func (s *block) known(byCode []*groupFold, b *rollcall.Batch, from, to int) int {
	codes := b.Code[from:to]
	times, untils := b.Time[from:to][:len(codes)], b.Until[from:to][:len(codes)]
	number, counts := s.number[len(s.number)-len(codes):], &s.counts
	for i, code := range codes {
		at, l := times[i], byCode[code]
		c := l.cell(at)
		if c == nil || untils[i] > at {
			return i
		}
		n := c.number[l.days&1]
		if n == 0 {
			return i
		}
		number[i] = n
		counts[n%mostBuckets]++
	}
	return len(codes)
}

// cell gives the cell of a group's rows of an instant; nil: it has none, or the
// group doesn't remember it.
func (l *groupFold) cell(at int64) *census {
	s := l.slot(uint64(at))
	if uint64(at)-s.from >= s.length {
		return nil
	}
	return s.cell
}

// open numbers the bucket of a group's rows of a cell, which gets its first row, and
// reports whether there was space for one more.
func (s *block) open(l *groupFold, c *census) bool {
	n := len(s.buckets)
	if n == mostBuckets {
		return false
	}
	c.number[l.days] = uint16(n)
	s.buckets, s.counts[n] = append(s.buckets, bucket{cell: c, days: l.days, exact: l.exact}), 0
	return true
}

// see notes a row of one minute, or that tells only the day.
func (f *Fold) see(l *groupFold, c *census, visitor uint64, at int64) {
	f.note(&c.visitors, visitor)
	if l.days == 0 {
		f.note(&c.minutes, hll.PairID(visitor, at/minute))
	} else {
		c.tellsDays()
	}
	if l.exact {
		f.bytes += c.count(visitor)
	}
}

// hash says what each row does to large sketches, if there are any.
func (s *block) hash(k int, visitors []uint64, times []int64) {
	s.anyVisitors, s.anyMinutes = false, false
	for _, k := range s.buckets[1:] {
		s.anyVisitors = s.anyVisitors || k.cell.visitors.sketch.Large()
		s.anyMinutes = s.anyMinutes || k.days == 0 && k.cell.minutes.sketch.Large()
	}
	if s.anyVisitors {
		hll.Rises(s.visitors, visitors, k)
	}
	if !s.anyMinutes {
		return
	}
	var minutes [256]uint32
	for from := 0; from < len(times); from += len(minutes) {
		end := min(len(times), from+len(minutes))
		for i, at := range times[from:end] {
			minutes[i] = uint32(uint64(at) / minute)
		}
		hll.PairRises(s.minutes[from:], visitors[from:end], minutes[:], k)
	}
}

// sort brings the rows into the order of their buckets, by counting.
func (s *block) sort() {
	sum := uint32(0)
	for i, n := range s.counts[:len(s.buckets)] {
		s.counts[i] = sum
		sum += n
	}
	ends, order := &s.counts, s.order
	for i, k := range s.number {
		end := &ends[k%mostBuckets]
		order[*end] = uint16(i)
		*end++
	}
}

// empty notes the rows of each bucket.
func (f *Fold) empty(visitors []uint64, times []int64) {
	s := &f.block
	from := s.counts[0]
	for i, k := range s.buckets[1:] {
		rows := s.order[from:s.counts[i+1]]
		from, k.cell.number[k.days] = s.counts[i+1], 0
		before := k.cell.size()
		s.noteVisitors(&k.cell.visitors, rows, visitors)
		if k.exact {
			for _, row := range rows {
				k.cell.accounts.add(visitors[row])
			}
		}
		if k.days == 0 {
			s.notePairs(&k.cell.minutes, rows, visitors, times)
		} else {
			k.cell.tellsDays()
		}
		f.bytes += k.cell.size() - before
	}
	clear(s.buckets)
}

// noteVisitors notes the visitors of some of the block's rows.
func (s *block) noteVisitors(c *column, rows []uint16, visitors []uint64) {
	if s.anyVisitors && c.sketch.Large() {
		noteRises(c, rows, s.visitors)
		return
	}
	for len(rows) > 0 {
		ids := c.idSpace(len(rows))
		for i, row := range rows[:len(ids)] {
			ids[i] = visitors[row]
		}
		rows = rows[len(ids):]
	}
}

// notePairs notes the pairs of visitor and minute of some of the block's rows.
func (s *block) notePairs(c *column, rows []uint16, visitors []uint64, times []int64) {
	if s.anyMinutes && c.sketch.Large() {
		noteRises(c, rows, s.minutes)
		return
	}
	for len(rows) > 0 {
		ids := c.idSpace(len(rows))
		for i, row := range rows[:len(ids)] {
			ids[i] = hll.PairID(visitors[row], times[row]/minute)
		}
		rows = rows[len(ids):]
	}
}

// noteRises notes what some of the block's rows do to a large sketch.
func noteRises(c *column, rows []uint16, of []hll.Rise) {
	for len(rows) > 0 {
		rises := c.riseSpace(len(rows))
		for i, row := range rows[:len(rises)] {
			rises[i] = of[row]
		}
		rows = rows[len(rises):]
	}
}
