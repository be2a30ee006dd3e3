package audience

import (
	"encoding/binary"
	"fmt"

	"rollcall"
)

// run is a run of credited minutes [from, to), in minutes since the first
// instant of the month: local midnights are no border in it.
type run struct{ from, to uint16 }

// diary is one frozen diary: a panelist's use of one service at one place on
// one day. Its runs are diaries.runs[first:first+count].
type diary struct {
	person  int32 // position in the roster
	first   uint32
	count   uint16
	day     uint8 // of the month, from 0
	service uint8 // position in the document's catalogue
	where   where
}

// where is a place and a kind in one byte.
type where uint8

func whereOf(place rollcall.Location, kind rollcall.Kind) where {
	return where(place) | where(kind)<<4
}

func (w where) place() rollcall.Location { return rollcall.Location(w & 15) }
func (w where) kind() rollcall.Kind      { return rollcall.Kind(w >> 4) }

// diaries are a month's, ordered by person, day, service, place and kind.
type diaries struct {
	list  []diary
	runs  []run
	first []uint32 // by person, and one more: where in list their diaries begin
}

// find finds where each person's diaries begin.
func (d *diaries) find(persons int) {
	d.first = make([]uint32, persons+1)
	for i := range d.list {
		d.first[d.list[i].person+1]++
	}
	for i := range persons {
		d.first[i+1] += d.first[i]
	}
}

const diariesVersion = 1

// leastDiary is the bytes that a frozen diary takes at least.
const leastDiary = 8

// diaryReader reads the frozen diaries of a month, version 1. All numbers are
// unsigned varints unless said otherwise:
//
//	u8 version, number of diaries, then for each diary, ordered by person,
//	day, service, place and kind:
//	  person        position in the roster, as the difference from the diary before
//	  u8 day        of the month, from 0
//	  service       position in the document's catalogue
//	  u8 place      1 home, 2 work
//	  u8 kind       1 login, 2 presence, 3 use
//	  runs          number of runs of minutes, at least 1
//	  from, length  of each run in minutes of the local day; from is the
//	                difference from the end of the run before
//
// The same facts always give the same bytes. Everything malformed is
// ErrInvalid: an unknown version, place or kind, a number beyond its range, a
// run that is empty, touches the one before or leaves its day, diaries out of
// order or given twice, bytes missing or left over.
type diaryReader struct {
	b        []byte
	err      error
	people   int
	services int
	days     []int32 // first minute of each day of the month and of the next, on the month's line
	online   int     // the service whose runs are not kept, or -1
	out      diaries
}

func (r *diaryReader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("frozen diaries: %s, %d bytes before the end: %w", what, len(r.b), rollcall.ErrInvalid)
	}
}

func (r *diaryReader) number(what string, limit int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || limit < 0 || v > uint64(limit) {
		r.fail(what)
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *diaryReader) octet(what string, limit int) int {
	if len(r.b) == 0 || int(r.b[0]) > limit {
		r.fail(what)
		r.b = nil
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return int(v)
}

// diaryKey orders frozen diaries.
type diaryKey struct {
	person  int32
	day     uint8
	service uint16
	where   where
}

// compare orders by person, day, service, place and kind.
func (k diaryKey) compare(o diaryKey) int {
	if k.person != o.person {
		return int(k.person) - int(o.person)
	}
	if k.day != o.day {
		return int(k.day) - int(o.day)
	}
	if k.service != o.service {
		return int(k.service) - int(o.service)
	}
	if k.where.place() != o.where.place() {
		return int(k.where.place()) - int(o.where.place())
	}
	return int(k.where) - int(o.where)
}

// read gives every diary.
func (r *diaryReader) read() (diaries, error) {
	if r.octet("version", 255) != diariesVersion {
		r.fail("unknown version")
	}
	count := r.number("number of diaries", len(r.b))
	r.out.list = make([]diary, 0, min(count, len(r.b)/leastDiary))
	last := diaryKey{}
	for i := 0; i < count && r.err == nil; i++ {
		key := r.key(last.person)
		if i > 0 && last.compare(key) >= 0 {
			r.fail("out of order")
		}
		if r.err == nil {
			r.diary(key)
		}
		last = key
	}
	if len(r.b) > 0 {
		r.fail("bytes left over")
	}
	return r.out, r.err
}

func (r *diaryReader) key(before int32) diaryKey {
	k := diaryKey{
		person:  before + int32(r.number("person", r.people-1-int(before))),
		day:     uint8(r.octet("day", len(r.days)-2)),
		service: uint16(r.number("service", r.services-1)),
	}
	place := r.octet("place", int(rollcall.Work))
	kind := r.octet("kind", int(rollcall.Use))
	if place == 0 || kind == 0 {
		r.fail("place or kind")
	}
	k.where = whereOf(rollcall.Location(place), rollcall.Kind(kind))
	return k
}

func (r *diaryReader) diary(k diaryKey) {
	n := r.number("runs", min(rollcall.MaxMinute/2+1, len(r.b)/2))
	if n == 0 {
		r.fail("no runs")
	}
	d := diary{person: k.person, first: uint32(len(r.out.runs)), count: uint16(n), day: k.day, service: uint8(k.service), where: k.where}
	first := r.days[k.day]
	length := int(r.days[k.day+1] - first)
	last := 0
	for i := range n {
		gap := r.number("run", length-last)
		size := r.number("run's length", length-last-gap)
		if r.err != nil || size == 0 || i > 0 && gap == 0 {
			r.fail("empty run")
			return
		}
		from := last + gap
		last = from + size
		r.out.runs = append(r.out.runs, run{uint16(int(first) + from), uint16(int(first) + last)})
	}
	if int(k.service) == r.online {
		r.out.runs, d.count = r.out.runs[:d.first], 0
	}
	r.out.list = append(r.out.list, d)
}
