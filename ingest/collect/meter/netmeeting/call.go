package netmeeting

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// TPKT: 03 00, length u16. Q.931: 08, the call's reference (u8 its length
// first), the message's type.
const (
	tpktHead = 4
	q931     = 0x08
	setup    = 0x05
	answered = 0x07
	released = 0x5A
)

var errTPKT = errors.New("h225: no TPKT where a message begins")

// MatchCall says whether the first bytes of one direction are a call's, on
// whatever port.
func MatchCall(b []byte, whole bool) wire.Verdict {
	want := [...]int{3, 0, -1, -1, q931}
	for i, w := range want {
		switch {
		case !whole:
			return wire.No
		case i >= len(b):
			return wire.More
		case w >= 0 && int(b[i]) != w:
			return wire.No
		}
	}
	return wire.Yes
}

// Call reads one connection of H.225: one call.
type Call struct {
	hub      *Directories
	opening  wire.Opening
	side     [2]calls
	from     time.Time // the setup; zero before
	ref      []byte    // the call's, by it
	answered bool
	over     bool
}

// OpenCall begins a connection.
func (d *Directories) OpenCall(o wire.Opening) *Call { return &Call{hub: d, opening: o} }

// calls cuts one direction into messages, of which the types are read.
type calls struct {
	buf  []byte
	skip int
	lost bool // where messages begin is looked for
}

// typeWithin is how many bytes of a message are looked at: a reference is of
// 15 bytes at most.
const typeWithin = 32

// feed takes the next bytes and emits the messages that they complete, each by
// its reference and its type. After a gap the next one is found by the call's
// reference; without one nothing is.
func (s *calls) feed(data, call []byte, emit func(call []byte, typ byte)) error {
	if s.lost {
		if data = s.search(data, call); s.lost {
			return nil
		}
	}
	for len(data) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(data))
			s.skip, data = s.skip-n, data[n:]
			continue
		}
		need := tpktHead
		if len(s.buf) >= tpktHead {
			need = s.read()
		}
		n := min(need-len(s.buf), len(data))
		s.buf, data = append(s.buf, data[:n]...), data[n:]
		if !bytes.HasPrefix([]byte{3, 0}, s.buf[:min(2, len(s.buf))]) {
			return errTPKT
		}
		if len(s.buf) < tpktHead || len(s.buf) < s.read() {
			continue
		}
		if b := s.buf[tpktHead:]; len(b) > 2 && b[0] == q931 && len(b) > 2+int(b[1]&15) {
			n := 2 + int(b[1]&15)
			emit(b[2:n], b[n])
		}
		s.skip, s.buf = max(0, s.whole()-len(s.buf)), s.buf[:0]
	}
	return nil
}

// whole is how long the message in buf says that it is, and read how much of it
// is looked at.
func (s *calls) whole() int { return int(binary.BigEndian.Uint16(s.buf[2:])) }
func (s *calls) read() int  { return min(max(tpktHead, s.whole()), tpktHead+typeWithin) }

// search looks for a message of the call, and gives the bytes from there on. A
// side sets the first bit of a reference that the other has chosen.
func (s *calls) search(data, call []byte) []byte {
	all := append(s.buf, data...)
	s.buf = nil
	whole := tpktHead + 2 + len(call)
	for ; len(all) >= whole && len(call) > 1; all = all[1:] {
		ref := all[tpktHead+2 : whole]
		if all[0] == 3 && all[1] == 0 && all[4] == q931 && int(all[5]) == len(call) && ref[0]&0x7F == call[0]&0x7F && bytes.Equal(ref[1:], call[1:]) {
			s.lost = false
			return all
		}
	}
	s.buf = bytes.Clone(all[max(0, len(all)-whole+1):])
	return nil
}

// Feed takes the next bytes of one side. An error says that they are no call.
func (c *Call) Feed(side wire.Side, t time.Time, data []byte) error {
	return c.side[side].feed(data, c.ref, func(call []byte, typ byte) {
		switch typ {
		case setup:
			if c.from.IsZero() {
				c.from, c.ref = t, bytes.Clone(call)
			}
		case answered:
			c.answered = c.answered || side == wire.Server
		case released:
			c.done(t)
		}
	})
}

// Gap says that bytes of one side are missing: where messages begin is looked for.
func (c *Call) Gap(side wire.Side, _ time.Time) { c.side[side] = calls{lost: true} }

// End says that the connection is over.
func (c *Call) End(t time.Time, _ wire.End) { c.done(t) }

// done yields the use of a call that was answered, from its setup. Who called
// is known where the client is in a directory.
func (c *Call) done(t time.Time) {
	if c.over || c.from.IsZero() || !c.answered {
		return
	}
	c.over = true
	seen := wire.Stay{Name: "H.225"}
	seen.Who.Service = NetMeeting
	if who, ok := c.hub.of(c.opening.Ends[wire.Client].Addr()); ok && c.opening.Owner != wire.Others {
		seen.Who = who.Who
	} else if who, ok := c.hub.of(c.opening.Ends[wire.Server].Addr()); ok {
		seen.Who = who.Who
	}
	s := seen.Who
	s.Kind, s.Time, s.Evidence = rollcall.Use, c.from, "H.225 call: setup to release"
	if t.After(c.from) {
		s.Until = t
	}
	c.hub.sink.Yield(s)
}
