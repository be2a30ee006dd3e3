package meter

import (
	"encoding/binary"
	"net/netip"
	"time"

	"rollcall/ingest/collect/meter/packet"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/wire"
)

// Limits of UDP flows.
const (
	udpHeader = 8
	flowsMost = 1 << 16         // kept at a time
	udpIdle   = 5 * time.Minute // a flow with no datagram for so long is over
	dnsPort   = 53
	mdnsPort  = 5353
	ownPorts  = 1024 // below are ports of servers
)

// flow is one UDP talk between two ports.
type flow struct {
	opening  wire.Opening
	credit   wire.Flow
	initials *secure.Initials // while the beginning of QUIC is read
	begun    bool             // its beginning is credited
	last     time.Time
}

// takeUDP takes a UDP datagram.
func (m *meter) takeUDP(d packet.Datagram) {
	m.stats.Datagrams++
	b := d.Segment[udpHeader:]
	if d.Src.Port() == dnsPort || d.Dst.Port() == dnsPort || d.Dst.Port() == mdnsPort {
		m.tracker.DNS(d.Src.Addr(), d.Dst.Addr(), d.At, b)
		return
	}
	key := pairOf(d.Src, d.Dst, d.Path)
	f := m.flows[key]
	if f == nil || d.At.Sub(f.last) > udpIdle {
		if f == nil && len(m.flows) >= m.flowsMost {
			m.letGoOfFlows()
		}
		f = m.newFlow(d)
		m.flows[key] = f
	}
	if d.At.After(f.last) {
		f.last = d.At
	}
	if !f.credit.Settled {
		m.settle(f, b)
	}
	m.active(&f.credit, &f.begun, f.opening, d.At)
}

// newFlow opens a flow by its first datagram.
func (m *meter) newFlow(d packet.Datagram) *flow {
	client, server := d.Src, d.Dst
	if client.Port() < ownPorts && server.Port() >= ownPorts {
		client, server = server, client
	}
	f := &flow{last: d.At}
	f.opening = wire.Opening{
		Start: d.At, Ends: [2]netip.AddrPort{client, server},
		Owner: m.install.owner(client.Addr(), server.Addr()), Flow: &f.credit,
	}
	return f
}

// settle looks for what a flow may be credited to: the name in QUIC's first
// packets, or else the address.
func (m *meter) settle(f *flow, b []byte) {
	if f.initials == nil {
		if !secure.IsInitial(b) {
			if !m.tracker.ByDatagram(f.opening, b) {
				m.tracker.ByAddress(f.opening)
			}
			return
		}
		f.initials = new(secure.Initials)
	}
	f.initials.Feed(b)
	if !f.initials.Done {
		return
	}
	if f.initials.Found {
		m.tracker.ByHello(f.opening, f.initials.Hello, wire.ByQUIC)
	} else {
		m.tracker.ByAddress(f.opening)
	}
	f.initials = nil
}

// active credits a flow's activity, from its beginning where that is not yet.
func (m *meter) active(f *wire.Flow, begun *bool, o wire.Opening, at time.Time) {
	if f.Service == "" {
		return
	}
	from := at
	if !*begun && at.Sub(o.Start) < idleAfter {
		from = o.Start
	}
	*begun = true
	m.tracker.Active(o.Ends[wire.Client].Addr(), f, from, at)
}

// flushFlows lets go of the UDP flows that are over.
func (m *meter) flushFlows() {
	for key, f := range m.flows {
		if m.now.Sub(f.last) > udpIdle {
			delete(m.flows, key)
		}
	}
}

// hello reads a TLS connection's ClientHello, and nothing more.
type hello struct {
	meter   *meter
	opening wire.Opening
	read    secure.HelloReader
}

// matchTLS says whether the first bytes of one direction are a TLS client's.
func matchTLS(head []byte, whole bool) wire.Verdict {
	yes, more := secure.Begins(head)
	switch {
	case !whole:
		return wire.No
	case yes:
		return wire.Yes
	case more:
		return wire.More
	}
	return wire.No
}

// Feed takes the next bytes of one side.
func (h *hello) Feed(side wire.Side, _ time.Time, data []byte) error {
	if side != wire.Client || h.read.Done {
		return nil
	}
	h.read.Feed(data)
	if h.read.Done {
		h.settle()
	}
	return nil
}

func (h *hello) settle() {
	if h.read.Found {
		h.meter.tracker.ByHello(h.opening, h.read.Hello, wire.ByTLS)
		return
	}
	h.meter.tracker.ByAddress(h.opening)
}

// Gap says that bytes are missing: a ClientHello with a hole is not read.
func (h *hello) Gap(side wire.Side, _ time.Time) {
	if side == wire.Client && !h.read.Done {
		h.read = secure.HelloReader{Done: true}
		h.settle()
	}
}

// End says that the connection is over.
func (h *hello) End(time.Time, wire.End) {}

// dnsStream reads DNS over TCP: messages, u16 their length first.
type dnsStream struct {
	meter   *meter
	opening wire.Opening
	buf     [2][]byte
	lost    [2]bool
}

// Feed takes the next bytes of one side.
func (s *dnsStream) Feed(side wire.Side, t time.Time, data []byte) error {
	if s.lost[side] {
		return nil
	}
	b := append(s.buf[side], data...)
	for len(b) >= 2 {
		n := 2 + int(binary.BigEndian.Uint16(b))
		if len(b) < n {
			break
		}
		s.meter.tracker.DNS(s.opening.Ends[side].Addr(), s.opening.Ends[side.Other()].Addr(), t, b[2:n])
		b = b[n:]
	}
	s.buf[side] = append(s.buf[side][:0], b...)
	return nil
}

// Gap says that bytes are missing: where messages begin is lost.
func (s *dnsStream) Gap(side wire.Side, _ time.Time) { s.lost[side], s.buf[side] = true, nil }

// End says that the connection is over.
func (s *dnsStream) End(time.Time, wire.End) {}
