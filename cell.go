package rollcall

import (
	"slices"
	"time"
)

// Cell is the census's only key. A cell holds two sketches: its visitors, and
// its pairs of visitor and minute.
type Cell struct {
	Market   MarketID
	Day      Day
	Service  ServiceID
	Location Location // one place
	Kind     Kind
	Platform Platform
	Segment  SegmentID
	Key      KeyID
}

// CellState is what a cell holds: two sketches in the canonical encoding of
// aggregate/hll, which is ClickHouse's own; whether some of its events tell only
// the day, so that its minutes are too few; and for a service that is counted
// exactly the set of its visitors, a list of aggregate/idset.
type CellState struct {
	Visitors []byte
	Minutes  []byte
	Coarse   bool // united by or
	Accounts []byte
	Exact    bool // Accounts has every visitor; united by and
}

// Action is what was done about a mistake in the census.
type Action string

// The actions.
const (
	Removal Action = "removal" // the cells of some days are removed, and what was logged before does not come back
	Erasing Action = "erasing" // an account is taken out of the sets of its service
	Outage  Action = "outage"  // days are marked as ones on which a collector was down
	Cleared Action = "cleared" // marks that were made before are lifted
)

// Correction is what was done about a mistake in the census, once and for all:
// it is recorded, and never changed.
type Correction struct {
	Action  Action    `json:"action"`
	Market  MarketID  `json:"market,omitempty"`  // empty: of an erasing
	Service ServiceID `json:"service,omitempty"` // empty: every service, of an outage
	Segment string    `json:"segment,omitempty"` // of a removal: of this segment alone, or of None; empty: of any
	From    Day       `json:"from"`
	To      Day       `json:"to"` // included; an erased account counts on no day up to it
	Key     KeyID     `json:"key,omitempty"`
	Visitor Visitor   `json:"visitor,omitempty"` // of an erasing: who the account is under the key
	Reason  string    `json:"reason,omitempty"`
	Time    time.Time `json:"time"` // when it was recorded, in whole milliseconds: so the log stamps its records
}

// Covers reports whether a cell is of the removal.
func (c *Correction) Covers(of *Cell) bool {
	return c.Action == Removal && c.Market == of.Market && c.Service == of.Service &&
		c.From <= of.Day && of.Day <= c.To && (c.Segment == "" || c.Segment == of.Segment.String())
}

// Corrections are those that were recorded, the earliest first.
type Corrections []Correction

// Since gives the time of the last removal that covers a cell: of what the log
// has, the cell counts what is stamped after it. The zero time: nothing was
// removed.
func (all Corrections) Since(of *Cell) time.Time {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Covers(of) {
			return all[i].Time
		}
	}
	return time.Time{}
}

// Of gives those of some actions.
func (all Corrections) Of(actions ...Action) (some Corrections) {
	for _, c := range all {
		if slices.Contains(actions, c.Action) {
			some = append(some, c)
		}
	}
	return some
}

// Lacking gives those that are not among others.
func (all Corrections) Lacking(others Corrections) (some Corrections) {
	has := make(map[Correction]bool, len(others))
	for _, c := range others {
		has[c] = true
	}
	for _, c := range all {
		if !has[c] {
			some = append(some, c)
		}
	}
	return some
}

// Erased gives the accounts that are not to be counted in the cells of a service,
// a key and a day.
func (all Corrections) Erased(of *Cell) (who []Visitor) {
	for i := range all {
		if c := &all[i]; c.Action == Erasing && c.Key == of.Key && c.Service == of.Service && of.Day <= c.To {
			who = append(who, c.Visitor)
		}
	}
	return who
}
