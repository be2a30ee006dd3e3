package profile

import (
	"cmp"
	"slices"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/session"
)

// maxStays is how many stays are held back for a later row that goes on with
// one. When there are more, all are let go: of a stay whose rows stand further
// apart in the file than that, each part counts by itself, which changes no
// audience.
const maxStays = 100_000

// Seen is a sighting and the line of the row that made it; or, with a step, what
// a log's line tells of a connection.
type Seen struct {
	ingest.Sighting
	File       string // where the rows are of several, the one that the line stands in
	Line       int
	Step       session.What
	Connection string
	Session    string
}

// stay is a sighting whose Until is as its rows have it, before the grace.
type stay struct {
	Seen
	grace time.Duration
}

// stays joins intervals of one key that touch or overlap.
type stays struct {
	byKey map[string][]stay
	n     int
}

// add takes an interval. It reports whether it went on with an earlier one.
func (s *stays) add(key string, gap time.Duration, next stay) bool {
	if s.byKey == nil {
		s.byKey = map[string][]stay{}
	}
	touched := false
	rest := s.byKey[key][:0]
	for _, old := range s.byKey[key] {
		if old.Until.Add(gap).Before(next.Time) || next.Until.Add(gap).Before(old.Time) {
			rest = append(rest, old)
			continue
		}
		touched = true
		s.n--
		until := latest(old.Until, next.Until)
		from := old.Time
		if next.Time.Before(from) {
			from = next.Time
		}
		if old.Line < next.Line {
			next.Seen = old.Seen // as its first row has it
		}
		next.Time, next.Until = from, until
	}
	s.byKey[key] = append(rest, next)
	s.n++
	return touched
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// flush lets every stay go, in the order of their first rows.
func (s *stays) flush() []stay {
	all := make([]stay, 0, s.n)
	for _, some := range s.byKey {
		all = append(all, some...)
	}
	s.byKey, s.n = nil, 0
	return inOrder(all)
}

// over lets the stays go that ended before a time.
func (s *stays) over(before time.Time) []stay {
	var all []stay
	for key, some := range s.byKey {
		open := some[:0]
		for _, one := range some {
			if one.Until.Before(before) {
				all = append(all, one)
			} else {
				open = append(open, one)
			}
		}
		s.byKey[key] = open
		if len(open) == 0 {
			delete(s.byKey, key)
		}
	}
	s.n -= len(all)
	return inOrder(all)
}

func inOrder(all []stay) []stay {
	slices.SortFunc(all, func(a, b stay) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), a.Time.Compare(b.Time), cmp.Compare(a.Account, b.Account))
	})
	return all
}

// maxPieces is where an interval ends however long it says it is.
const maxPieces = 400

// Cut gives an interval in pieces that an event may have, in order.
func Cut(s Seen) []Seen {
	var pieces []Seen
	for s.Until.Sub(s.Time) > rollcall.MaxEvent && len(pieces) < maxPieces {
		piece := s
		piece.Until = s.Time.Add(rollcall.MaxEvent)
		pieces, s.Time = append(pieces, piece), piece.Until
	}
	if len(pieces) == maxPieces {
		return pieces
	}
	return append(pieces, s)
}

// maxRecent is how many rows are remembered that a later one may double, of each a hash.
const maxRecent = 1 << 20

// recent remembers the last things that it was asked about, at least half of
// maxRecent of them.
type recent struct{ now, then map[uint64]bool }

// again reports whether the thing was asked about before, and remembers it.
func (r *recent) again(hash uint64) bool {
	if r.now[hash] || r.then[hash] {
		return true
	}
	if r.now == nil || len(r.now) >= maxRecent/2 {
		r.now, r.then = map[uint64]bool{}, r.now
	}
	r.now[hash] = true
	return false
}
