package meter

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/netmeeting"
	"rollcall/ingest/collect/meter/packet"
	"rollcall/ingest/collect/meter/reach"
	"rollcall/ingest/collect/meter/tunnel"
	"rollcall/ingest/collect/meter/wire"
)

// Limits, in packet time and in numbers.
const (
	flushEvery = 30 * time.Second // of packet time, between looks for what is stale
	watchEvery = time.Second      // of packet time, between tellings of the counts
	idleAfter  = 2 * time.Hour    // a connection with no packet for so long is over
	mutedFor   = 10 * time.Minute // one that nobody has spoken on, for so long: most are somebody's scan
	lingerFor  = 2 * time.Minute  // a closed connection swallows late segments for so long
	connsMost  = 1 << 17          // connections kept at a time

	unpackingMost = 64 << 20 // bytes held to unpack what is compressed, of all streams
)

// errYield marks an error of the caller's own yield.
var errYield = errors.New("sighting not taken")

// meter holds everything of one reading.
type meter struct {
	install     Install
	yield       func(ingest.Sighting) error
	protocols   []protocol
	gateways    *tunnel.Gateways
	tracker     *reach.Tracker
	directories *netmeeting.Directories
	unpacking   *inflate.Budget
	flows       map[pair]*flow
	stats       Stats
	out         []ingest.Sighting // found since the last delivery

	decoder   packet.Decoder
	tcp       layers.TCP // the segment being read
	conns     map[pair]*conn
	open      int        // of conns, those behind each other included
	connsMost int        // of them
	flowsMost int        // of flows
	held      int        // bytes that came before others that are missing, and what they cost
	holders   *list.List // each holder of those, the one that began to wait first at the front
	waiting   int        // bytes of streams whose protocol is not known yet
	sniffed   *list.List // those *stream, the one that was fed last at the back
	now       time.Time
	flushedAt time.Time
	watchedAt time.Time
}

// pair names a connection by its ends, the lower first, and by the VLANs and
// tunnels that it came through.
type pair struct {
	low, high netip.AddrPort
	path      packet.Path
}

func pairOf(a, b netip.AddrPort, path packet.Path) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b, path}
}

// compare orders pairs.
func (p pair) compare(other pair) int {
	return cmp.Or(p.low.Compare(other.low), p.high.Compare(other.high), cmp.Compare(p.path, other.path))
}

func newMeter(install Install, piece time.Duration, yield func(ingest.Sighting) error) (*meter, error) {
	if err := install.Validate(); err != nil {
		return nil, err
	}
	m := &meter{
		install: install, yield: yield, conns: make(map[pair]*conn), flows: make(map[pair]*flow), holders: list.New(), sniffed: list.New(), connsMost: connsMost, flowsMost: flowsMost,
		stats: Stats{Protocols: make(map[string]int64), GivenUp: make(map[string]int64)}, unpacking: inflate.NewBudget(unpackingMost),
	}
	table, err := install.table()
	if err != nil {
		return nil, err
	}
	sink := wire.Sink{Piece: piece, Yield: m.found, Unnamed: func() { m.stats.Unnamed++ }, OnePerson: install.Panelist != "", Budget: m.unpacking}
	if m.install.named != nil {
		sink.Named = m.install.named
	}
	m.tracker = reach.New(sink, table)
	m.protocols = protocols(m, sink)
	return m, nil
}

// found takes a dissector's sighting.
func (m *meter) found(s ingest.Sighting) {
	if s.Account == "" && m.install.Panelist == "" && s.Kind != rollcall.Logout {
		m.stats.Unnamed++
	}
	m.out = append(m.out, m.install.stamp(s))
}

// deliver yields what was found.
func (m *meter) deliver() error {
	for _, s := range m.out {
		if err := m.yield(s); err != nil {
			return fmt.Errorf("meter: packet %d: %w: %w", m.stats.Packets, errYield, err)
		}
		m.stats.Sightings++
	}
	m.out = m.out[:0]
	return nil
}

// packet takes the next packet.
func (m *meter) packet(p frame) error {
	m.stats.Packets++
	m.stats.Bytes += int64(len(p.data))
	m.clock(p.at)
	if p.at.Sub(m.flushedAt) >= flushEvery {
		m.flush()
	}
	if since := m.now.Sub(m.watchedAt); since >= watchEvery || since < 0 {
		m.watch()
	}
	d, how := m.decoder.Decode(p.at, p.link, p.data)
	if how != packet.Found {
		m.stats.unread(how)
		return m.deliver()
	}
	if d.Protocol == packet.TCP {
		m.takeTCP(d)
	} else {
		m.takeUDP(d)
	}
	return m.deliver()
}

// takeTCP takes a TCP segment.
func (m *meter) takeTCP(d packet.Datagram) {
	s, ok := m.segment(d)
	if !ok {
		m.stats.Damaged++
		return
	}
	c := m.find(s)
	if c == nil {
		return
	}
	c.take(s)
	if len(s.tcp.Payload) > 0 {
		m.active(&c.credit, &c.begun, c.stream.opening, s.at)
	}
}

// clock moves packet time, which runs back only where it was set back.
func (m *meter) clock(t time.Time) {
	if m.stats.First.IsZero() {
		m.stats.First, m.flushedAt = t, t
	}
	if t.Before(m.stats.First) {
		m.stats.First = t
	}
	if t.After(m.stats.Last) {
		m.stats.Last = t
	}
	if t.After(m.now) || m.now.Sub(t) > jump {
		m.now = t
	}
	if m.flushedAt.After(m.now) {
		m.flushedAt = m.now
	}
}

// find gives the connection of a segment, opening it where it is new; nil
// where there is nothing to follow.
func (m *meter) find(s segment) *conn {
	key := pairOf(s.src, s.dst, s.path)
	c := carrier(m.conns[key], s)
	if c != nil && c.replacedBy(s) {
		c.end(c.last, wire.Idle)
		m.remove(key, c)
		c = nil
	}
	if c == nil {
		if c = m.begin(key, s); c == nil {
			return nil
		}
	}
	if c.over {
		return nil
	}
	c.saw(s)
	return c
}

// carrier finds the segment's connection among those between its two ports.
func carrier(c *conn, s segment) (likely *conn) {
	for ; c != nil; c = c.next {
		certain, perhaps := c.carries(s)
		if certain {
			return c
		}
		if perhaps && likely == nil {
			likely = c
		}
	}
	return likely
}

// begin opens a connection by its first segment, if there is something to
// follow.
func (m *meter) begin(key pair, s segment) *conn {
	if len(s.tcp.Payload) == 0 && !s.tcp.SYN {
		return nil // the tail of something over, or nothing yet
	}
	if m.open >= m.connsMost {
		m.letGoOfConns()
	}
	m.open++
	m.stats.Connections++
	c := newConn(m, s)
	c.number = m.stats.Connections
	c.next, m.conns[key] = m.conns[key], c
	return c
}

// remove lets go of a connection.
func (m *meter) remove(key pair, gone *conn) {
	for at, c := (*conn)(nil), m.conns[key]; c != nil; at, c = c, c.next {
		if c != gone {
			continue
		}
		m.open--
		switch {
		case at != nil:
			at.next = c.next
		case c.next != nil:
			m.conns[key] = c.next
		default:
			delete(m.conns, key)
		}
		return
	}
}

// flush gives up what has waited too long, by packet time.
func (m *meter) flush() {
	m.flushedAt = m.now
	before := len(m.out)
	m.expire(m.now.Add(-gapAfter))
	for key, first := range m.conns {
		for c := first; c != nil; c = c.next {
			if c.stale(m.now) {
				c.end(c.last, wire.Idle)
			}
			if c.over && m.now.Sub(c.last) > lingerFor {
				m.remove(key, c)
			}
		}
	}
	m.flushFlows()
	m.gateways.Flush(m.now)
	m.directories.Flush(m.now)
	m.tracker.Flush(m.now)
	sortSightings(m.out[before:])
}

// expire gives up, in the order of connections, bytes that have been missing
// since before a time: one connection's may explain another.
func (m *meter) expire(before time.Time) {
	var late []*conn
	for _, first := range m.conns {
		for c := first; c != nil; c = c.next {
			if c.waits(before) {
				late = append(late, c)
			}
		}
	}
	slices.SortFunc(late, func(a, b *conn) int { return cmp.Compare(a.number, b.number) })
	for _, c := range late {
		c.expire(before)
	}
}

// watch tells the counts, where somebody watches.
func (m *meter) watch() {
	m.watchedAt = m.now
	if m.install.Watch != nil {
		m.install.Watch(m.told())
	}
}

// told gives the counts as they stand.
func (m *meter) told() Stats {
	s := m.stats
	s.FragmentsLost = m.decoder.Lost()
	s.Protocols, s.GivenUp = maps.Clone(s.Protocols), maps.Clone(s.GivenUp)
	for why, n := range m.unpacking.Refused() {
		s.GivenUp[why.Error()] += n
	}
	return s
}

// close ends every connection at the end of the capture.
func (m *meter) close() error {
	if m.now.Sub(m.flushedAt) > 0 {
		m.flush()
	}
	m.decoder.Close()
	before := len(m.out)
	m.expire(m.stats.Last.Add(1)) // all that waits
	for _, first := range m.conns {
		for c := first; c != nil; c = c.next {
			c.end(c.last, wire.Cut)
		}
	}
	m.gateways.Close()
	m.directories.Close()
	m.tracker.Close()
	sortSightings(m.out[before:])
	err := m.deliver()
	m.watch()
	return err
}

// sortSightings orders what connections in no order yielded.
func sortSightings(list []ingest.Sighting) {
	slices.SortStableFunc(list, func(a, b ingest.Sighting) int {
		return cmp.Or(a.Time.Compare(b.Time), a.Until.Compare(b.Until), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Service, b.Service), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Evidence, b.Evidence))
	})
}
