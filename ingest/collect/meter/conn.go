package meter

import (
	"net/netip"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// conn is one TCP connection.
type conn struct {
	meter    *meter
	number   int64     // in the order of first packets
	next     *conn     // another between the same two ports, in another tunnel
	ways     [2]uint32 // by Side: the number of its tunnel, where each direction has its own
	client   netip.AddrPort
	last     time.Time
	halves   [2]half   // by Side
	syn      [2]uint32 // by Side: the number of its SYN
	synSeen  [2]bool
	spoke    bool      // anybody said anything
	acked    [2]uint32 // by Side: what it acknowledged last
	finished time.Time // the first FIN; zero while open
	finisher wire.Side // who sent it
	over     bool
	stream   stream
	credit   wire.Flow
	begun    bool // its beginning is credited
}

// newConn opens a connection by its first segment.
func newConn(m *meter, s segment) *conn {
	c := &conn{meter: m, last: s.at, client: s.src}
	server := s.dst
	if s.tcp.SYN && s.tcp.ACK || !s.tcp.SYN && s.src.Port() < s.dst.Port() {
		c.client, server = s.dst, s.src
	}
	c.ways[c.sideOf(s.src)] = s.way
	c.stream = stream{meter: m, opening: wire.Opening{
		Start: s.at, Ends: [2]netip.AddrPort{c.client, server}, Owner: m.install.owner(c.client.Addr(), server.Addr()), Flow: &c.credit,
	}}
	return c
}

// carries reports whether the segment is of the connection by its tunnel, and
// whether that is certain: a direction's number is known by its first segment.
func (c *conn) carries(s segment) (certain, perhaps bool) {
	side := c.sideOf(s.src)
	if c.ways[side] != 0 || s.way == 0 {
		return c.ways[side] == s.way, false
	}
	if other := side.Other(); s.tcp.SYN && s.tcp.ACK && c.synSeen[other] {
		return false, s.tcp.Ack == c.syn[other]+1
	}
	return false, true
}

func (c *conn) sideOf(a netip.AddrPort) wire.Side {
	if a == c.client {
		return wire.Client
	}
	return wire.Server
}

// replacedBy reports whether the segment belongs to another connection between
// the same two ports: a SYN with another sequence number, or anything after a
// silence that ended the connection.
func (c *conn) replacedBy(s segment) bool {
	if s.at.Sub(c.last) > idleAfter {
		return true
	}
	if !s.tcp.SYN {
		return false
	}
	if side := c.sideOf(s.src); c.synSeen[side] {
		return c.syn[side] != s.tcp.Seq
	}
	return c.over || !s.tcp.ACK && !c.synSeen[wire.Server] && !c.overtaken(s)
}

// overtaken reports whether a SYN is of the connection, whose first data came
// before it: its number is just before theirs, or before what the other side
// acknowledged.
func (c *conn) overtaken(s segment) bool {
	side := c.sideOf(s.src)
	from := c.acked[side.Other()]
	if h := &c.halves[side]; h.begun {
		from = h.first
	}
	n := int32(from - s.tcp.Seq)
	return 0 < n && n < overtaking
}

// overtaking is how much a side may have said before its SYN is seen.
const overtaking = 64 << 10

// saw notes what the segment says of the connection itself.
func (c *conn) saw(s segment) {
	if s.at.After(c.last) {
		c.last = s.at
	}
	side := c.sideOf(s.src)
	c.ways[side] = s.way
	c.spoke = c.spoke || len(s.tcp.Payload) > 0
	if s.tcp.SYN {
		c.begins(side, s.tcp.Seq)
	}
	if other := side.Other(); s.tcp.ACK && !c.synSeen[other] && (s.tcp.SYN || c.shakes(side, s)) {
		c.begins(other, s.tcp.Ack-1)
	}
	if s.tcp.ACK {
		c.acked[side] = s.tcp.Ack
	}
}

// begins notes the number of a side's SYN.
func (c *conn) begins(side wire.Side, syn uint32) {
	c.syn[side], c.synSeen[side] = syn, true
	h := &c.halves[side]
	c.stream.opening.Whole[side] = !h.begun || h.first == syn+1
}

// shakes reports whether a segment ends the handshake: it is the first after the side's
// SYN, so what it acknowledges of a SYN that was lost is the SYN alone.
func (c *conn) shakes(side wire.Side, s segment) bool {
	return c.synSeen[side] && c.acked[side] == 0 && s.tcp.Seq == c.syn[side]+1
}

// stale reports whether the connection must be let go: half closed for long
// enough, or silent for too long.
func (c *conn) stale(now time.Time) bool {
	half, most := !c.finished.IsZero() && now.Sub(c.finished) > lingerFor, idleAfter
	if !c.spoke {
		most = mutedFor
	}
	return half || now.Sub(c.last) > most
}

// end closes the connection once, with what waits for missing bytes; after a
// FIN it ended when that came.
func (c *conn) end(t time.Time, why wire.End) {
	if c.over {
		return
	}
	c.expire(c.last.Add(1)) // all that waits
	if c.over {             // by a FIN that waited
		return
	}
	c.over = true
	if !c.finished.IsZero() {
		t, why = c.finished, wire.Closed
		if c.finisher == wire.Server {
			why = wire.ClosedByServer
		}
	}
	c.stream.End(t, why)
}
