package rollcall

import (
	"cmp"
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
	Removal  Action = "removal"  // the cells of some days are removed, and what was logged before does not come back
	Erasing  Action = "erasing"  // an account is taken out of the sets of its service
	Outage   Action = "outage"   // days are marked as ones on which a collector was down
	Cleared  Action = "cleared"  // marks that were made before are lifted
	Restored Action = "restored" // a replay has brought back what the log had of a removal
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

// Since gives the time of the last removal that covers a cell, in milliseconds of
// Unix time as the log and the stores have it: of what the log has, the cell counts
// what is stamped after it. 0: nothing was removed.
func (all Corrections) Since(of *Cell) int64 {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Covers(of) {
			return all[i].Time.UnixMilli()
		}
	}
	return 0
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

// Restored gives the time since when what the log had of a removal is back; the
// zero time: it is not.
func (all Corrections) Restored(removal *Correction) time.Time {
	for _, c := range all {
		if c.Action == Restored && !c.Time.Before(removal.Time) && c.Market == removal.Market && c.Service == removal.Service &&
			c.Segment == removal.Segment && c.From == removal.From && c.To == removal.To {
			return c.Time
		}
	}
	return time.Time{}
}

// Erasings are those of accounts, by what they were erased from: very many may be
// recorded, and few are of one cell.
type Erasings map[erasedFrom]Corrections

type erasedFrom struct {
	service ServiceID
	key     KeyID
}

// Erasings gives those among the corrections.
func (all Corrections) Erasings() Erasings {
	erasings := make(Erasings)
	for _, c := range all {
		if c.Action == Erasing {
			from := erasedFrom{c.Service, c.Key}
			erasings[from] = append(erasings[from], c)
		}
	}
	return erasings
}

// Of gives the accounts that are not to be counted in a cell.
func (e Erasings) Of(cell *Cell) (who []Visitor) {
	for _, c := range e[erasedFrom{cell.Service, cell.Key}] {
		if cell.Day <= c.To {
			who = append(who, c.Visitor)
		}
	}
	return who
}

// Down gives the marks that are in force of the days from to to, cut to them: a
// mark is lifted, day by day, by what clears its service later. Service is empty
// for all marks of a market.
func (all Corrections) Down(market MarketID, service ServiceID, from, to Day) (marks []Correction) {
	for i, c := range all {
		if c.Action != Outage || c.Market != market || service != "" && c.Service != "" && c.Service != service {
			continue
		}
		of := cmp.Or(service, c.Service)
		for day := max(c.From, from); day <= min(c.To, to); day++ {
			if all[i+1:].cleared(market, of, day) {
				continue
			}
			if n := len(marks); n > 0 && marks[n-1].To == day-1 && marks[n-1].Time.Equal(c.Time) {
				marks[n-1].To = day
				continue
			}
			one := c
			one.From, one.To = day, day
			marks = append(marks, one)
		}
	}
	return marks
}

func (all Corrections) cleared(market MarketID, service ServiceID, day Day) bool {
	return slices.ContainsFunc(all, func(c Correction) bool {
		return c.Action == Cleared && c.Market == market && (c.Service == "" || c.Service == service) && c.From <= day && day <= c.To
	})
}

// Days gives "2002-10-03", or "2002-10-03 to 2002-10-05".
func (c *Correction) Days() string {
	if c.From == c.To {
		return c.From.String()
	}
	return c.From.String() + " to " + c.To.String()
}

// Removed says what came of a removal, of a mark or of its clearing.
type Removed struct {
	Correction
	Cells    int      // that were removed
	Segments []string // that a removal is of: the one named, and those merged into it
	New      bool     // it was not recorded before
}

// ErasedAccount says what came of the erasing of an account.
type ErasedAccount struct {
	Service ServiceID `json:"service"`
	Last    Day       `json:"last_day" doc:"the last day on which the account doesn't count"`
	Keys    int       `json:"keys" doc:"under which it was recorded"`
	Sets    int       `json:"sets" doc:"of accounts that had it"`
	Lost    Day       `json:"lost,omitempty" doc:"it was not looked for before this day: the master key of then is lost"`
	Notes   []string  `json:"notes" doc:"what is not forgotten"`
}
