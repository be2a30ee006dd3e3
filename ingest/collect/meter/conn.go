package meter

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"

	"rollcall/ingest/collect/meter/wire"
)

// conn is one TCP connection: what the reassembler calls a Stream.
type conn struct {
	meter       *meter
	next        *conn            // another between the same two ports, in another tunnel
	ways        [2]uint32        // by Side: the number of its tunnel, where each direction has its own
	flows       [2]gopacket.Flow // by Side: its name for the reassembler
	client      netip.AddrPort
	first, last time.Time
	from        wire.Side // who sent the first segment
	syn         [2]*uint32
	finished    time.Time // the first FIN; zero while open
	resetting   bool      // the segment being assembled is a RST that its receiver takes
	over        bool
	stream      stream
	credit      wire.Flow
	begun       bool // its beginning is credited
}

// newConn opens a connection by its first segment.
func newConn(m *meter, number uint64, s segment) *conn {
	c := &conn{meter: m, first: s.at, last: s.at, client: s.src}
	server := s.dst
	if s.tcp.SYN && s.tcp.ACK || !s.tcp.SYN && s.src.Port() < s.dst.Port() {
		c.client, server = s.dst, s.src
	}
	c.from = c.sideOf(s.src)
	c.ways[c.from] = s.way
	c.flows = flowsOf(number)
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
	opened := c.syn[side.Other()]
	if s.tcp.SYN && s.tcp.ACK && opened != nil {
		return false, s.tcp.Ack == *opened+1
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
	known := c.syn[c.sideOf(s.src)]
	if known != nil {
		return *known != s.tcp.Seq
	}
	return c.over || !s.tcp.ACK && c.syn[wire.Server] == nil
}

// saw notes what the segment says of the connection itself.
func (c *conn) saw(s segment) {
	if s.at.After(c.last) {
		c.last = s.at
	}
	side := c.sideOf(s.src)
	c.ways[side] = s.way
	if s.tcp.SYN {
		seq := s.tcp.Seq
		c.syn[side] = &seq
		c.stream.opening.Whole[side] = true
	}
}

// stale reports whether the connection must be let go: half closed for long
// enough, or silent for too long.
func (c *conn) stale(now time.Time) bool {
	half := !c.finished.IsZero() && now.Sub(c.finished) > lingerFor
	return half || now.Sub(c.last) > idleAfter
}

// end closes the connection once; after a FIN it ended when that came.
func (c *conn) end(t time.Time, why wire.End) {
	if c.over {
		return
	}
	c.over = true
	if !c.finished.IsZero() {
		t, why = c.finished, wire.Closed
	}
	c.stream.End(t, why)
}

// Accept lets every segment in, and lets a stream begin without its SYN.
func (c *conn) Accept(tcp *layers.TCP, _ gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, next reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	*start = true
	ahead := next.Difference(reassembly.Sequence(tcp.Seq))
	c.resetting = tcp.RST && (next < 0 || 0 <= ahead && ahead < windowOfRST)
	return !c.over
}

// ReassembledSG takes the next bytes of one direction, at the time of the
// segment that let them through.
func (c *conn) ReassembledSG(sg reassembly.ScatterGather, ac reassembly.AssemblerContext) {
	if c.over {
		return
	}
	direction, _, end, skip := sg.Info()
	side := c.from
	if direction == reassembly.TCPDirServerToClient {
		side = side.Other()
	}
	at := ac.GetCaptureInfo().Timestamp
	if skip != 0 {
		c.meter.stats.Gaps++
		c.stream.Gap(side, at)
	}
	if n, _ := sg.Lengths(); n > 0 {
		_ = c.stream.Feed(side, at, sg.Fetch(n)) // it never errs: a dissector that does is let go
	}
	if end && !c.resetting && c.finished.IsZero() {
		c.finished = at
	}
}

// ReassemblyComplete is called with a nil context when both directions are
// closed, by FIN or by a flush; the meter's own clock says when.
func (c *conn) ReassemblyComplete(reassembly.AssemblerContext) bool {
	if !c.finished.IsZero() {
		c.end(c.finished, wire.Closed)
	}
	return true
}

// flowsOf names a connection to the reassembler by a number, so that ports used
// again are another connection.
func flowsOf(number uint64) (flows [2]gopacket.Flow) {
	var ends [2][]byte
	for i := range ends {
		ends[i] = append(binary.BigEndian.AppendUint64(nil, number), byte(i))
	}
	for side := range flows {
		flows[side] = gopacket.NewFlow(gopacket.EndpointInvalid, ends[side], ends[1-side])
	}
	return flows
}
