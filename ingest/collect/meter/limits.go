package meter

import (
	"cmp"
	"slices"

	"rollcall/ingest/collect/meter/wire"
)

// letGoPart is which part of the connections, or of the flows, is let go at once where
// there are too many: finding which costs as much as there are. A flood of them takes
// the place of others like it, and not of a messenger's.
const letGoPart = 16

// worth says what would be lost with a connection.
type worth int

const (
	lingering worth = iota // over: late segments would open it anew
	mute                   // nobody spoke: most are somebody's scan
	unread                 // of no protocol that is read
	unknown                // of a protocol that is not known yet, or of the web
	followed               // of a messenger
)

// worth of a connection.
func (c *conn) worth() worth {
	switch {
	case c.over:
		return lingering
	case !c.spoke:
		return mute
	case c.credit.Service != "":
		return followed
	case c.stream.refused:
		return unread
	case c.stream.messenger:
		return followed
	}
	return unknown
}

// letGoOfConns lets go of the connections of least worth, and of those the ones that were
// silent for longest.
func (m *meter) letGoOfConns() {
	type candidate struct {
		*conn
		key   pair
		worth worth
	}
	all := make([]candidate, 0, m.open)
	for key, first := range m.conns {
		for c := first; c != nil; c = c.next {
			all = append(all, candidate{c, key, c.worth()})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.worth, b.worth), a.last.Compare(b.last), cmp.Compare(a.number, b.number))
	})
	for _, c := range all[:(len(all)+letGoPart-1)/letGoPart] {
		if c.worth != lingering {
			m.stats.Overflow++
			c.end(c.last, wire.Idle)
		}
		m.remove(c.key, c.conn)
	}
}

// letGoOfFlows lets go of the UDP flows that are of no known service, then of others,
// and of those the ones that were silent for longest.
func (m *meter) letGoOfFlows() {
	type candidate struct {
		*flow
		key pair
	}
	all := make([]candidate, 0, len(m.flows))
	for key, f := range m.flows {
		all = append(all, candidate{f, key})
	}
	known := func(f *flow) int { return min(1, len(f.credit.Service)) }
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(known(a.flow), known(b.flow)), a.last.Compare(b.last), a.key.compare(b.key))
	})
	for _, f := range all[:(len(all)+letGoPart-1)/letGoPart] {
		m.stats.Overflow++
		delete(m.flows, f.key)
	}
}
