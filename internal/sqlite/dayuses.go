package sqlite

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"rollcall"
)

// use is what a diary is of, within one panelist's day.
type use struct {
	service  rollcall.ServiceID
	location rollcall.Location // one place
	kind     rollcall.Kind
}

func (u use) compare(v use) int {
	return cmp.Or(
		cmp.Compare(u.service, v.service),
		cmp.Compare(u.location, v.location),
		cmp.Compare(u.kind, v.kind),
	)
}

type entry struct {
	use
	minutes rollcall.Minutes
}

// dayUses is the diaries of one panelist's local day under one key, ascending
// by use. Its encoding is canonical: the same diaries give the same bytes.
type dayUses []entry

// unite adds the minutes of a use and reports whether that changed them.
func (b *dayUses) unite(u use, m *rollcall.Minutes) bool {
	i, found := slices.BinarySearchFunc(*b, u, func(e entry, u use) int { return e.compare(u) })
	if !found {
		if m.Len() == 0 {
			return false
		}
		*b = slices.Insert(*b, i, entry{use: u})
	}
	return (*b)[i].minutes.Union(m)
}

// dayUsesVersion is the first byte of the encoding.
const dayUsesVersion = 1

// append appends the encoding, which decode specifies.
func (b dayUses) append(dst []byte) []byte {
	dst = append(dst, dayUsesVersion)
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	for i := range b {
		e := &b[i]
		if i > 0 && b[i-1].service == e.service {
			dst = append(dst, 0)
		} else {
			dst = append(dst, byte(len(e.service)))
			dst = append(dst, e.service...)
		}
		dst = append(dst, byte(e.location)<<4|byte(e.kind))
		dst = appendRuns(dst, &e.minutes)
	}
	return dst
}

func appendRuns(dst []byte, m *rollcall.Minutes) []byte {
	n, last := 0, 0
	for range m.Runs {
		n++
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for from, to := range m.Runs {
		dst = binary.AppendUvarint(dst, uint64(from-last))
		dst = binary.AppendUvarint(dst, uint64(to-from))
		last = to
	}
	return dst
}

// errDayUses is the kind of every error about bytes that are no day of uses.
var errDayUses = errors.New("malformed diary")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDayUses, fmt.Sprintf(format, args...))
}

// names keeps one string for each service's name.
type names map[string]rollcall.ServiceID

func (n names) of(b []byte) rollcall.ServiceID {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := rollcall.ServiceID(b)
	n[string(s)] = s
	return s
}

// decode replaces the uses by those encoded in b, version 1:
//
//	u8       version, 1
//	uvarint  number of entries, 1 or more
//	entries, ascending by (service, location, kind), no two the same:
//	  u8       length of the service's name, 1..64, and the name;
//	           0 where the entry before has the same service
//	  u8       location << 4 | kind; location is 1 home, 2 work, 4 elsewhere;
//	           kind is 1 login, 2 presence, 3 use
//	  uvarint  number of runs, 1 or more
//	  runs, ascending, as long as can be:
//	    uvarint  minutes from the end of the run before (the first: from the
//	             day's beginning) to the run's first minute; 1 or more but in
//	             the first
//	    uvarint  minutes in the run, 1 or more
//
// A uvarint is LEB128 of the least length; minutes are under 1860. All else
// (bytes left over or missing, another order, an entry or run of nothing) is
// refused, so that a set of diaries has one encoding. After an error the uses
// have no meaning.
func (b *dayUses) decode(src []byte, known names) error {
	r := reader{src}
	if v := r.byte(); v != dayUsesVersion {
		return malformed("version %d", v)
	}
	n, ok := r.uvarint(len(src))
	if !ok || n == 0 {
		return malformed("no number of entries")
	}
	*b = (*b)[:0]
	for range n {
		*b = append(*b, entry{})
		if err := b.decodeLast(&r, known); err != nil {
			return err
		}
	}
	if len(r.b) != 0 {
		return malformed("%d bytes left over", len(r.b))
	}
	return nil
}

// decodeLast reads the entry at the end.
func (b dayUses) decodeLast(r *reader, known names) error {
	i := len(b) - 1
	e := &b[i]
	switch n := r.byte(); {
	case n == 0 && i > 0:
		e.service = b[i-1].service
	case n <= 0 || n > 64 || len(r.b) < n:
		return malformed("entry %d has no service", i)
	default:
		e.service = known.of(r.take(n))
		if i > 0 && e.service == b[i-1].service {
			return malformed("entry %d repeats its service", i)
		}
	}
	place := r.byte()
	e.location, e.kind = rollcall.Location(place>>4&15), rollcall.Kind(place&15)
	if place < 0 || !e.location.One() || !e.kind.Counts() {
		return malformed("entry %d has location and kind %#x", i, place)
	}
	if i > 0 && b[i-1].compare(e.use) >= 0 {
		return malformed("entry %d is out of order", i)
	}
	if err := e.decodeRuns(r); err != nil {
		return fmt.Errorf("entry %d: %w", i, err)
	}
	return nil
}

func (e *entry) decodeRuns(r *reader) error {
	n, ok := r.uvarint(rollcall.MaxMinute)
	if !ok || n == 0 {
		return malformed("no number of runs")
	}
	at := 0
	for i := range n {
		gap, ok1 := r.uvarint(rollcall.MaxMinute)
		length, ok2 := r.uvarint(rollcall.MaxMinute)
		from, to := at+gap, at+gap+length
		if !ok1 || !ok2 || length == 0 || i > 0 && gap == 0 || to > rollcall.MaxMinute {
			return malformed("run %d is not one", i)
		}
		e.minutes.AddRange(from, to)
		at = to
	}
	return nil
}

// reader takes bytes from the front.
type reader struct{ b []byte }

// byte gives the next byte, -1 at the end.
func (r *reader) byte() int {
	if len(r.b) == 0 {
		return -1
	}
	return int(r.take(1)[0])
}

func (r *reader) take(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// uvarint gives the next uvarint of least length, if there is one of at most most.
func (r *reader) uvarint(most int) (int, bool) {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 || v > uint64(most) {
		return 0, false
	}
	r.b = r.b[n:]
	return int(v), true
}
