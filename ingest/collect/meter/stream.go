package meter

import (
	"bytes"
	"slices"
	"time"

	"rollcall/ingest/collect/meter/msnp"
	"rollcall/ingest/collect/meter/oscar"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/xmpp"
	"rollcall/ingest/collect/meter/ymsg"
)

// dissector reads the two directions of one connection, in order.
type dissector interface {
	// Feed takes the next bytes of a side; an error gives the connection up.
	Feed(side wire.Side, t time.Time, data []byte) error
	// Gap says that bytes of a side are missing before those of t.
	Gap(side wire.Side, t time.Time)
	// End says that the connection is over.
	End(t time.Time, why wire.End)
}

// protocol is what the meter can read: how it begins, and how to read it.
type protocol struct {
	name  string
	match func(head []byte, whole bool) wire.Verdict
	open  func(wire.Opening) dissector
}

// protocols is the table of everything that the meter can read.
func protocols(sink wire.Sink) []protocol {
	sessions := oscar.New(sink)
	return []protocol{
		{"oscar", oscar.Match, func(o wire.Opening) dissector { return sessions.Open(o) }},
		{"msnp", msnp.Match, func(o wire.Opening) dissector { return msnp.Open(sink, o) }},
		{"ymsg", ymsg.Match, func(o wire.Opening) dissector { return ymsg.Open(sink, o) }},
		{"xmpp", xmpp.Match, func(o wire.Opening) dissector { return xmpp.Open(sink, o) }},
	}
}

// sniffMost is how many bytes of a direction are looked at for a protocol.
const sniffMost = 4 << 10

// chunk is a run of bytes of one side.
type chunk struct {
	side wire.Side
	at   time.Time
	data []byte
}

// stream finds the dissector of a connection and feeds it. Until it is found,
// the first bytes wait.
type stream struct {
	dissector dissector
	refused   bool
	waiting   []chunk
	head      [2][]byte
	holed     [2]bool
}

// data takes the next bytes.
func (s *stream) data(c *conn, k chunk) {
	switch {
	case s.refused:
	case s.dissector != nil:
		s.feed(c, k)
	default:
		s.sniff(c, k)
	}
}

// gap says that bytes are missing; what waits before them is of no more use.
func (s *stream) gap(side wire.Side, t time.Time) {
	if s.dissector != nil {
		s.dissector.Gap(side, t)
		return
	}
	s.holed[side], s.head[side] = true, nil
	s.waiting = slices.DeleteFunc(s.waiting, func(k chunk) bool { return k.side == side })
}

// end tells the dissector, and lets everything go.
func (s *stream) end(t time.Time, why wire.End) {
	if s.dissector != nil {
		s.dissector.End(t, why)
	}
	*s = stream{refused: true}
}

// feed gives bytes to the dissector; one that can't read them is let go.
func (s *stream) feed(c *conn, k chunk) {
	if err := s.dissector.Feed(k.side, k.at, k.data); err != nil {
		c.meter.stats.GivenUp[err.Error()]++
		s.end(k.at, wire.Nonsense)
	}
}

// sniff looks for the protocol of the first bytes.
func (s *stream) sniff(c *conn, k chunk) {
	k.data = bytes.Clone(k.data)
	s.waiting = append(s.waiting, k)
	s.head[k.side] = append(s.head[k.side], k.data...)
	head, whole := s.head[k.side], c.syn[k.side] != nil && !s.holed[k.side]
	maybe := false
	for _, p := range c.meter.protocols {
		switch p.match(head, whole) {
		case wire.Yes:
			s.choose(c, p)
			return
		case wire.More:
			maybe = true
		}
	}
	if !maybe || len(head) > sniffMost {
		*s = stream{refused: true}
	}
}

// choose opens the dissector and gives it what waited.
func (s *stream) choose(c *conn, p protocol) {
	c.meter.stats.Protocols[p.name]++
	o := wire.Opening{Start: c.first}
	for side := range o.Whole {
		o.Whole[side] = c.syn[side] != nil && !s.holed[side]
	}
	waiting := s.waiting
	s.dissector, s.waiting, s.head = p.open(o), nil, [2][]byte{}
	for _, k := range waiting {
		s.data(c, k)
	}
}
