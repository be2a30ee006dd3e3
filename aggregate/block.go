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
type block struct {
	buckets []*bucket           // that got rows, by number; 0 is for rows that were folded alone
	counts  [mostBuckets]uint32 // rows of each bucket; where its rows end, once they are sorted
	number  []uint16            // of each row's bucket
	order   []uint16            // the rows, bucket by bucket

	visitors, minutes       []hll.Rise // what each row does
	anyVisitors, anyMinutes bool       // some of the buckets' sketches are large
}

const (
	blockRows   = 1 << 14 // whose columns stay in a near cache
	mostBuckets = 1 << 12 // a power of two; rows that would need more are folded alone
)

// bucket is where the rows go that are of one cell and one minute, or only tell
// the day.
type bucket struct {
	cell   *census
	number uint16 // in the block in hand; 0: it has got no row of it yet
	days   bool   // its rows tell only the day
	exact  bool   // their visitors are counted exactly
}

// rows folds the rows [from, to) of a batch.
func (f *Fold) rows(b *rollcall.Batch, from, to int) {
	for ; from < to; from += blockRows {
		end := min(to, from+blockRows)
		f.block.begin(end - from)
		f.find(b, from, end)
		if len(f.block.buckets) == 1 {
			continue
		}
		f.block.hash(f.k, b.Visitor[from:end], b.Time[from:end])
		f.block.sort()
		f.empty(b.Visitor[from:end], b.Time[from:end])
	}
}

// begin makes space for n rows.
func (s *block) begin(n int) {
	if n > cap(s.number) {
		s.number, s.order = make([]uint16, n), make([]uint16, n)
		s.visitors, s.minutes = make([]hll.Rise, n), make([]hll.Rise, n)
	}
	s.number, s.order = s.number[:n], s.order[:n]
	s.buckets, s.counts[0] = append(s.buckets[:0], nil), 0
	s.anyVisitors, s.anyMinutes = false, false
}

// find gives each of the rows [from, to) its bucket, and folds those that have none
// alone, as every row could be: [Fold.row].
func (f *Fold) find(b *rollcall.Batch, from, to int) {
	s := &f.block
	for i := from; i < to; i++ {
		if b.Until[i] <= b.Time[i] {
			if i += f.known(b, i, to); i == to {
				return
			}
		}
		l, n := f.byCode[b.Code[i]], uint16(0)
		if k := l.bucket(b.Time[i]); k != nil && b.Until[i] <= b.Time[i] && s.open(k) {
			n = k.number
		} else {
			f.row(l, b, i)
		}
		s.number[i-from] = n
		s.counts[n]++
	}
}

// known gives rows their buckets, up to a row that has none or whose bucket has no
// number yet, and says how many it did. Nearly all rows need no more than that, and
// a loop that calls nothing holds all that it needs in registers.
func (f *Fold) known(b *rollcall.Batch, from, to int) int {
	codes := b.Code[from:to]
	times, untils := b.Time[from:to][:len(codes)], b.Until[from:to][:len(codes)]
	number, counts := f.block.number[len(f.block.number)-len(codes):], &f.block.counts
	byCode := f.byCode
	for i, code := range codes {
		at := times[i]
		k := byCode[code].bucket(at)
		if k == nil || k.number == 0 || untils[i] > at {
			return i
		}
		number[i] = k.number
		counts[k.number%mostBuckets]++
	}
	return len(codes)
}

// bucket gives where rows of an instant go; nil: into no cell, or the group doesn't
// remember it.
func (l *groupFold) bucket(at int64) *bucket {
	s := l.slot(uint64(at))
	if uint64(at)-s.from >= s.length {
		return nil
	}
	return s.bucket
}

// open numbers a bucket that gets its first row, and reports whether there was
// space for one more.
func (s *block) open(k *bucket) bool {
	if len(s.buckets) == mostBuckets {
		return false
	}
	k.number = uint16(len(s.buckets))
	s.buckets, s.counts[k.number] = append(s.buckets, k), 0
	s.anyVisitors = s.anyVisitors || k.cell.visitors.sketch.Large()
	s.anyMinutes = s.anyMinutes || !k.days && k.cell.minutes.sketch.Large()
	return true
}

// hash says what each row does to large sketches, if there are any.
func (s *block) hash(k int, visitors []uint64, times []int64) {
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
		from, k.number = s.counts[i+1], 0
		before := k.cell.size()
		s.noteVisitors(&k.cell.visitors, rows, visitors)
		if k.exact {
			for _, row := range rows {
				k.cell.accounts.add(visitors[row])
			}
		}
		if k.days {
			k.cell.tellsDays()
		} else {
			s.notePairs(&k.cell.minutes, rows, visitors, times)
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
