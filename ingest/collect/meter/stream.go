package meter

import (
	"bytes"
	"container/list"
	"regexp"
	"slices"
	"time"

	"rollcall/ingest/collect/meter/msnp"
	"rollcall/ingest/collect/meter/netmeeting"
	"rollcall/ingest/collect/meter/oscar"
	"rollcall/ingest/collect/meter/toc"
	"rollcall/ingest/collect/meter/tunnel"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/xmpp"
	"rollcall/ingest/collect/meter/ymsg"
)

// protocol is what the meter can read: how it begins, and how to read it.
type protocol struct {
	name  string
	match func(head []byte, whole bool) wire.Verdict
	open  func(*stream) wire.Dissector
}

// protocols is the table of everything that the meter can read.
func protocols(m *meter, sink wire.Sink) []protocol {
	sessions := oscar.New(sink)
	inner := tunnel.Inner{
		Open: func(o wire.Opening) wire.Dissector {
			return &stream{meter: m, opening: o, refused: o.Depth > nestingMost}
		},
		XMPP:   func(o wire.Opening) wire.Dissector { return xmpp.OpenFramed(sink, o) },
		Budget: sink.Budget,
	}
	m.gateways = tunnel.NewGateways(inner)
	m.directories = netmeeting.New(sink, m.tracker.ByDNS)
	return []protocol{
		{"toc", toc.Match, func(s *stream) wire.Dissector { return toc.Open(sink, s.opening) }},
		{"oscar", oscar.Match, func(s *stream) wire.Dissector { return sessions.Open(s.opening) }},
		{"msnp", msnp.Match, func(s *stream) wire.Dissector { return msnp.Open(sink, s.opening) }},
		{"ymsg", ymsg.Match, func(s *stream) wire.Dissector { return ymsg.Open(sink, s.opening) }},
		{"xmpp", xmpp.Match, func(s *stream) wire.Dissector { return xmpp.Open(sink, s.opening) }},
		{"ils", netmeeting.Match, func(s *stream) wire.Dissector { return m.directories.Open(s.opening) }},
		{"h225", netmeeting.MatchCall, func(s *stream) wire.Dissector { return m.directories.OpenCall(s.opening) }},
		{"socks", tunnel.MatchSocks, func(s *stream) wire.Dissector { return tunnel.OpenSocks(inner, s.opening) }},
		{"tls", matchTLS, func(s *stream) wire.Dissector { return &hello{meter: m, opening: s.opening} }},
		{"http", tunnel.MatchHTTP, func(s *stream) wire.Dissector { return m.gateways.OpenHTTP(s.opening) }},
	}
}

// Limits of looking for a protocol.
const (
	sniffMost   = 4 << 10  // bytes of a direction that are looked at
	sniffLeast  = 64       // so many are looked at with every piece
	nestingMost = 4        // streams within streams
	waitingMost = 32 << 20 // bytes that wait, of all streams, and what they cost
	chunkCost   = 64       // bytes that a chunk costs beside its data
)

// chunk is a run of bytes of one side.
type chunk struct {
	side wire.Side
	at   time.Time
	data []byte
}

// cost is what is held of a chunk that waits: its data are in the head too.
func (k chunk) cost() int { return chunkCost + 2*len(k.data) }

// stream finds the dissector of a connection, or of what is within one, and
// feeds it. Until it is found, the first bytes wait.
type stream struct {
	meter     *meter
	opening   wire.Opening // Whole is settled by the time a dissector is chosen
	dissector wire.Dissector
	messenger bool // its protocol is one
	refused   bool
	waiting   []chunk
	head      [2][]byte
	looked    [2]int        // how long the head was when it was last looked at
	held      int           // bytes that wait, counted in the meter's too
	place     *list.Element // among the meter's that wait; nil where nothing does
	holed     [2]bool
}

// Feed takes the next bytes. It never errs: a dissector that can't read them is
// let go.
func (s *stream) Feed(side wire.Side, t time.Time, data []byte) error {
	switch {
	case s.refused:
	case s.dissector != nil:
		s.give(side, t, data)
	case s.opening.On(dnsPort) && s.whole(side):
		s.dissector = &dnsStream{meter: s.meter, opening: s.opening}
		s.give(side, t, data)
	default:
		s.sniff(chunk{side, t, data})
	}
	return nil
}

// Gap says that bytes are missing; what waits before them is of no more use.
func (s *stream) Gap(side wire.Side, t time.Time) {
	if s.dissector != nil {
		s.dissector.Gap(side, t)
		return
	}
	s.holed[side], s.head[side], s.looked[side] = true, nil, 0
	s.waiting = slices.DeleteFunc(s.waiting, func(k chunk) bool { return k.side == side })
	cost := 0
	for _, k := range s.waiting {
		cost += k.cost()
	}
	s.hold(cost - s.held)
}

// End tells the dissector, and lets everything go.
func (s *stream) End(t time.Time, why wire.End) {
	for side := wire.Client; side <= wire.Server && s.dissector == nil && !s.refused; side++ {
		if len(s.head[side]) > s.looked[side] {
			s.look(side)
		}
	}
	if s.dissector != nil {
		s.dissector.End(t, why)
	}
	s.refuse()
}

// refuse lets everything go.
func (s *stream) refuse() {
	s.hold(-s.held)
	s.dissector, s.refused, s.waiting, s.head = nil, true, nil, [2][]byte{}
}

// give hands bytes to the dissector.
func (s *stream) give(side wire.Side, t time.Time, data []byte) {
	if err := s.dissector.Feed(side, t, data); err != nil {
		s.meter.stats.GivenUp[err.Error()]++
		s.End(t, wire.Nonsense)
	}
}

// whole reports whether a side's bytes begin at the beginning.
func (s *stream) whole(side wire.Side) bool { return s.opening.Whole[side] && !s.holed[side] }

// sniff takes the first bytes. A long beginning that comes in small pieces is
// not looked at with every one of them.
func (s *stream) sniff(k chunk) {
	k.data = bytes.Clone(k.data)
	s.waiting = append(s.waiting, k)
	s.head[k.side] = append(s.head[k.side], k.data...)
	s.hold(k.cost())
	if s.meter.letGoOfSniffed(); s.refused {
		return
	}
	if n := len(s.head[k.side]); n <= sniffLeast || n >= s.looked[k.side]+s.looked[k.side]/4 || n > sniffMost {
		s.look(k.side)
	}
}

// hold counts bytes that wait, or wait no more.
func (s *stream) hold(n int) {
	s.held += n
	s.meter.waiting += n
	switch {
	case s.place == nil && s.held > 0:
		s.place = s.meter.sniffed.PushBack(s)
	case s.held > 0:
		s.meter.sniffed.MoveToBack(s.place)
	case s.place != nil:
		s.meter.sniffed.Remove(s.place)
		s.place = nil
	}
}

// letGoOfSniffed refuses, where too many bytes wait for a protocol, the streams that
// said nothing for longest.
func (m *meter) letGoOfSniffed() {
	for m.waiting > waitingMost {
		s := m.sniffed.Front().Value.(*stream)
		m.stats.GivenUp["too many streams of no known protocol at a time"]++
		m.tracker.ByAddress(s.opening)
		s.refuse()
	}
}

// http tells HTTP in mid-stream: what looks like a messenger's behind its first line
// is in a body, whose session does not end with the connection.
var http = regexp.MustCompile(`^(?:GET|HEAD|POST|PUT|CONNECT|OPTIONS) |^HTTP/1\.`)

// known gives the protocol of the first bytes of a direction, or whether further
// ones may tell.
func (m *meter) known(head []byte, whole bool) (p *protocol, maybe bool) {
	carried := !whole && http.Match(head)
	for i, p := range m.protocols {
		if carried && p.name != "http" {
			continue
		}
		switch p.match(head, whole) {
		case wire.Yes:
			return &m.protocols[i], false
		case wire.More:
			maybe = true
		}
	}
	return nil, maybe
}

// look looks for the protocol of the first bytes of a side.
func (s *stream) look(side wire.Side) {
	head, whole := s.head[side], s.whole(side)
	s.looked[side] = len(head)
	p, maybe := s.meter.known(head, whole)
	if p != nil {
		s.choose(*p)
		return
	}
	if side == wire.Client && whole {
		known, more := s.meter.tracker.ByBytes(s.opening, head)
		if known {
			s.refuse()
			return
		}
		maybe = maybe || more
	} else if !whole { // its beginning, with a name perhaps, was not seen
		s.meter.tracker.ByAddress(s.opening)
	}
	if !maybe || len(head) > sniffMost {
		if other := side.Other(); len(s.head[other]) > s.looked[other] {
			if s.look(other); s.dissector != nil || s.refused { // it came in pieces that were not looked at yet
				return
			}
		}
		s.meter.tracker.ByAddress(s.opening)
		s.refuse()
	}
}

// choose opens the dissector and gives it what waited. What it reads speaks for
// itself, whatever the address.
func (s *stream) choose(p protocol) {
	s.meter.stats.Protocols[p.name]++
	s.messenger = p.name != "tls" && p.name != "http" && p.name != "socks"
	if f := s.opening.Flow; f != nil {
		*f = wire.Flow{Settled: s.messenger}
	}
	for side := range s.opening.Whole {
		s.opening.Whole[side] = s.whole(wire.Side(side))
	}
	waiting := s.waiting
	s.hold(-s.held)
	s.dissector, s.waiting, s.head = p.open(s), nil, [2][]byte{}
	for _, k := range waiting {
		_ = s.Feed(k.side, k.at, k.data)
	}
}
