package rollcall

// Cell is the census's only key. A cell holds two sketches: its visitors, and
// its pairs of visitor and minute.
type Cell struct {
	Market   MarketID
	Day      Day
	Service  ServiceID
	Location Location // one place
	Kind     Kind
	Key      KeyID
}

// CellState is a cell's two sketches in the canonical encoding of
// aggregate/hll, which is ClickHouse's own.
type CellState struct {
	Visitors []byte
	Minutes  []byte
}
