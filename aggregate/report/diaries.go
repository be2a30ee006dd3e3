package report

import (
	"encoding/binary"
	"fmt"

	"rollcall"
)

// run is a run of credited minutes [from, to), in minutes since the first
// instant of the month: local midnights are no border in it.
type run struct{ from, to int32 }

// diary is one frozen diary: a panelist's use of one service at one place on
// one day.
type diary struct {
	person  int32 // index in the roster
	service uint16
	day     uint8 // of the month, from 0
	place   rollcall.Location
	kind    rollcall.Kind
	runs    []run
}

const diariesVersion = 1

// The frozen diaries of a month, version 1, all numbers unsigned varints
// unless said otherwise:
//
//	u8 version, number of diaries, then for each diary, ordered by person,
//	day, service, place and kind:
//	  person        index in the roster, as the difference from the diary before
//	  u8 day        of the month, from 0
//	  service       index in the document's catalogue
//	  u8 place      1 home, 2 work, 4 elsewhere
//	  u8 kind       1 login, 2 presence, 3 use
//	  runs          number of runs of minutes
//	  from, length  of each run in minutes of the local day; from is the
//	                difference from the end of the run before
//
// The same facts always give the same bytes.
func appendDiary(dst []byte, before int32, d *rollcall.Minutes, e *diary) []byte {
	dst = binary.AppendUvarint(dst, uint64(e.person-before))
	dst = append(dst, e.day)
	dst = binary.AppendUvarint(dst, uint64(e.service))
	dst = append(dst, byte(e.place), byte(e.kind))
	runs := 0
	for range d.Runs {
		runs++
	}
	dst = binary.AppendUvarint(dst, uint64(runs))
	last := 0
	for from, to := range d.Runs {
		dst = binary.AppendUvarint(dst, uint64(from-last))
		dst = binary.AppendUvarint(dst, uint64(to-from))
		last = to
	}
	return dst
}

// diaryReader reads what appendDiary wrote. Everything malformed is an error.
type diaryReader struct {
	b        []byte
	err      error
	people   int
	services int
	days     []int32 // first minute of each day of the month, on the month's line
}

func (r *diaryReader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("frozen diaries: %s, %d bytes before the end: %w", what, len(r.b), rollcall.ErrInvalid)
	}
}

func (r *diaryReader) number(what string, limit int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(limit) {
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

// read gives every diary, by service, in order of person and day.
func (r *diaryReader) read() ([][]diary, error) {
	if r.octet("version", 255) != diariesVersion {
		r.fail("unknown version")
	}
	count := r.number("number of diaries", len(r.b))
	out := make([][]diary, r.services)
	last := diary{}
	for i := 0; i < count && r.err == nil; i++ {
		d := r.diary(last.person)
		if r.err == nil && i > 0 && compareDiaries(&last, &d) >= 0 {
			r.fail("out of order")
		}
		if r.err == nil {
			out[d.service] = append(out[d.service], d)
		}
		last = d
	}
	if len(r.b) > 0 {
		r.fail("bytes left over")
	}
	return out, r.err
}

func (r *diaryReader) diary(before int32) diary {
	d := diary{
		person:  before + int32(r.number("person", r.people-1-int(before))),
		day:     uint8(r.octet("day", len(r.days)-1)),
		service: uint16(r.number("service", r.services-1)),
		place:   rollcall.Location(r.octet("place", int(rollcall.Elsewhere))),
		kind:    rollcall.Kind(r.octet("kind", int(rollcall.Use))),
	}
	if r.err == nil && (!d.place.One() || !d.kind.Counts()) {
		r.fail("place or kind")
	}
	if r.err == nil {
		d.runs = r.runs(r.days[d.day])
	}
	return d
}

func (r *diaryReader) runs(first int32) []run {
	n := r.number("runs", rollcall.MaxMinute/2+1)
	if n > len(r.b)/2 {
		r.fail("runs")
		return nil
	}
	runs := make([]run, n)
	last := 0
	for i := range runs {
		gap := r.number("run", rollcall.MaxMinute-last)
		length := r.number("run's length", rollcall.MaxMinute-last-gap)
		if length == 0 || i > 0 && gap == 0 {
			r.fail("empty run")
		}
		from := last + gap
		last = from + length
		runs[i] = run{first + int32(from), first + int32(last)}
	}
	return runs
}

// compareDiaries orders by person, day, service, place, kind.
func compareDiaries(a, b *diary) int {
	return compareKeys(a.key(), b.key())
}

func (d *diary) key() [5]int32 {
	return [5]int32{d.person, int32(d.day), int32(d.service), int32(d.place), int32(d.kind)}
}

func compareKeys(a, b [5]int32) int {
	for i := range a {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return 0
}
