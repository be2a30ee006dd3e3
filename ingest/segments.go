package ingest

import (
	"strconv"
	"sync"
	"time"

	"rollcall"
)

// MaxSegments is how many segments of a service a collector takes in a market on
// a day: each is a cell of the census for every day, place, kind and platform
// that it has events of, and one sender could make them without end.
const MaxSegments = 10_000

// segments are those that a collector has taken on the day, by its own clock in
// UTC. What the log holds is folded whatever it has: so a replay decides as the
// first run did.
type segments struct {
	mu    sync.Mutex // guards the rest
	day   int64      // since 1970
	taken map[segmented]map[rollcall.SegmentID]bool
}

// segmented is what segments are of.
type segmented struct {
	market  rollcall.MarketID
	service rollcall.ServiceID
}

// take refuses an event of a segment too many.
func (s *segments) take(e *rollcall.Event, now time.Time) error {
	if e.Segment == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if day := now.Unix() / (24 * 60 * 60); day != s.day || s.taken == nil {
		s.day, s.taken = day, make(map[segmented]map[rollcall.SegmentID]bool)
	}
	of := segmented{e.Market, e.Service}
	taken := s.taken[of]
	switch {
	case taken[e.Segment]:
		return nil
	case taken == nil:
		taken = make(map[rollcall.SegmentID]bool)
		s.taken[of] = taken
	case len(taken) == MaxSegments:
		return &rollcall.Invalid{Field: "segment", Reason: "is one more than the " + strconv.Itoa(MaxSegments) + " that a service may have in a day's events", Code: "too_many_segments"}
	}
	taken[e.Segment] = true
	return nil
}
