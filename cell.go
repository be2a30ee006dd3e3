package rollcall

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
