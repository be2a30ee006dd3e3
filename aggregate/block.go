package aggregate

import (
	"rollcall"
	"rollcall/aggregate/hll"
)

// block is a run of a batch's rows on their way to large sketches. Each pass over the
// rows is a loop of its own, because one loop that does it all waits for the slowest of
// its parts.
//
//	find     gives each row the number of its local day
//	list     has the rows of days without a place wait as ids
//	hash     says what each row does to large sketches
//	raise    does it to those of its place
//
// Rows that last, and those of panels, are folded alone, as they are found or listed.
type block struct {
	places []number   // of each row; 0: it needs no more
	all    number     // bits of theirs: less than zero where one is, 0 where all are
	rises  []hll.Rise // what each row does
	pairs  bool       // the batch has rows that tell a minute

	visitors, minutes *hll.Bank // by place
	days              []number  // of each place; the first is none's
}

const (
	blockRows  = 1 << 11 // whose columns stay in a near cache
	placeBytes = 64      // of a place, which two banks have, about
)

// forget drops all places but the one that is none's.
func (s *block) forget(k int) {
	s.visitors, s.minutes, s.days = hll.NewBank(k), hll.NewBank(k), []number{0}
	s.visitors.Add(nil)
	s.minutes.Add(nil)
}

// mark has the sketches know what they have got.
func (s *block) mark() {
	s.visitors.Mark()
	s.minutes.Mark()
}

// rows folds the rows [from, to) of a batch.
func (f *Fold) rows(b *rollcall.Batch, from, to int) {
	s := &f.block
	for ; from < to; from += len(s.places) {
		s.begin(min(blockRows, to-from))
		end := from + len(s.places)
		f.find(b, from, end)
		if s.all < 0 {
			s.all = f.list(b, from)
		}
		if s.all == 0 {
			continue
		}
		hll.Rises(s.rises, b.Visitor[from:end], f.k)
		s.visitors.Raise(s.places, s.rises)
		if s.pairs {
			hll.PairRises(s.rises, b.Visitor[from:end], b.Time[from:end], f.k)
			s.minutes.Raise(s.places, s.rises)
		}
	}
}

// begin makes space for n rows.
func (s *block) begin(n int) {
	if n > cap(s.places) {
		s.places, s.rises = make([]number, n), make([]hll.Rise, n)
	}
	s.places, s.rises, s.all = s.places[:n], s.rises[:n], 0
}

// find gives each of the rows [from, to) the number of its day, and folds those that
// need another way.
func (f *Fold) find(b *rollcall.Batch, from, to int) {
	s := &f.block
	for i := from; i < to; {
		i += s.known(f.byCode, b, i, to)
		for alone := true; alone && i < to; i++ { // such rows come in runs
			s.places[i-from] = f.alone(b, i)
			alone = s.places[i-from] == 0
		}
	}
}

// known gives rows the numbers of their days, up to a row that lasts or whose slot
// doesn't know it, and says how many it did. Nearly all rows need no more than that,
// and a loop that calls nothing holds all that it needs in registers.
func (s *block) known(byCode []*groupFold, b *rollcall.Batch, from, to int) int {
	codes := b.Code[from:to]
	times, untils := b.Time[from:to][:len(codes)], b.Until[from:to][:len(codes)]
	places := s.places[len(s.places)-len(codes):][:len(codes)]
	all, done := number(0), len(codes)
	for i, code := range codes {
		at := times[i]
		n := byCode[code].slot(at).number(at)
		if n == 0 || untils[i] > at {
			done = i
			break
		}
		places[i] = n
		all |= n
	}
	s.all |= all
	return done
}

// alone folds a row that needs another way than most, or gives the number of its day.
func (f *Fold) alone(b *rollcall.Batch, i int) number {
	l, at := f.byCode[b.Code[i]], b.Time[i]
	if l.apart || b.Until[i] > at {
		f.row(l, b, i)
		return 0
	}
	n := f.day(l, rollcall.UnixMinute(at/minute)).number
	f.block.all |= n
	return n
}

// list has the rows of days without a place wait as ids, each in the list of its
// column, and gives the bits of the numbers of the others.
func (f *Fold) list(b *rollcall.Batch, from int) (all number) {
	s := &f.block
	for i, n := range s.places {
		if n < 0 {
			n = f.wait(&f.days[-n], b, from+i)
			s.places[i] = n
		}
		all |= n
	}
	return all
}

// wait has a row of a day wait as an id, or gives its place. A panel's goes to a diary.
func (f *Fold) wait(d *localDay, b *rollcall.Batch, i int) number {
	l, c, visitor := f.byCode[b.Code[i]], d.cell, b.Visitor[i]
	if l.apart {
		f.row(l, b, i)
		return 0
	}
	if c == nil {
		return 0
	}
	if l.exact {
		f.bytes += c.count(visitor)
	}
	if d.place == 0 && len(c.visitors.ids) <= 1 { // as when the sketch has just got others
		f.place(d, l)
	}
	if d.place != 0 {
		if !l.exact {
			l.slot(b.Time[i]).together(b.Time[i], d.place)
		}
		return d.place
	}
	f.note(&c.visitors, visitor)
	if !l.days {
		f.note(&c.minutes, hll.PairID(visitor, b.Time[i]/minute))
	}
	return 0
}

// place gives a day a place, if the sketches that its rows are for are large.
func (f *Fold) place(d *localDay, l *groupFold) {
	s, c := &f.block, d.cell
	if !c.visitors.sketch.Large() || !l.days && !c.minutes.sketch.Large() {
		return
	}
	d.place = number(len(s.days))
	s.visitors.Add(c.visitors.sketch)
	if l.days {
		s.minutes.Add(nil)
	} else {
		s.minutes.Add(c.minutes.sketch)
	}
	s.days = append(s.days, d.number)
	f.of, f.bytes = f.of+placeBytes, f.bytes+placeBytes
}
