package tunnel

import (
	"bytes"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// MatchSocks says whether the first bytes of a direction are a SOCKS client's:
// version 4 "04 01 port address name 00", version 5 "05 n" and n methods.
func MatchSocks(b []byte, whole bool) wire.Verdict {
	switch {
	case !whole || len(b) == 0:
		return wire.No
	case b[0] == 4:
		if len(b) > 1 && b[1] != 1 || len(b) > 512 {
			return wire.No
		}
		if request4(b) > 0 {
			return wire.Yes
		}
		return wire.More
	case b[0] == 5:
		if len(b) < 2 {
			return wire.More
		}
		if n := int(b[1]); n < 1 || n > 16 || len(b) < 2+n || bytes.ContainsFunc(b[2:2+n], func(r rune) bool { return r > 9 && r < 0x80 }) {
			return wire.No
		}
		return wire.Yes
	}
	return wire.No
}

// request4 gives the length of a request of version 4; 0 where it is not whole.
func request4(b []byte) int {
	if len(b) < 9 {
		return 0
	}
	name := bytes.IndexByte(b[8:], 0)
	if name < 0 {
		return 0
	}
	n := 8 + name + 1
	if b[4] != 0 || b[5] != 0 || b[6] != 0 || b[7] == 0 {
		return n
	}
	domain := bytes.IndexByte(b[n:], 0) // version 4a: the name of a host follows
	if domain < 0 {
		return 0
	}
	return n + domain + 1
}

// Socks reads one connection.
type Socks struct {
	inner   Inner
	opening wire.Opening
	step    [2]int // by Side: what is awaited
	buf     [2][]byte
	to      wire.Dissector
	dead    bool
}

// OpenSocks begins a connection.
func OpenSocks(inner Inner, o wire.Opening) *Socks { return &Socks{inner: inner, opening: o} }

// Feed takes the next bytes of one side.
func (s *Socks) Feed(side wire.Side, t time.Time, data []byte) error {
	switch {
	case s.dead:
		return nil
	case s.to != nil && s.step[side] == through:
		return s.to.Feed(side, t, data)
	}
	s.buf[side] = append(s.buf[side], data...)
	for !s.dead && s.step[side] != through {
		n := s.next(side, t)
		if n <= 0 {
			break
		}
		clear(s.buf[side][:n]) // a name and a password, perhaps
		s.buf[side] = s.buf[side][n:]
	}
	if len(s.buf[side]) > headMost {
		s.dead = true
	}
	if s.dead {
		s.buf = [2][]byte{}
		return nil
	}
	return s.flush(t)
}

// through is the step at which a side's bytes are those of the stream inside.
const through = 9

// next takes the next message of the handshake and gives its length; 0 while
// it is not whole.
func (s *Socks) next(side wire.Side, t time.Time) int {
	b := s.buf[side]
	if len(b) == 0 {
		return 0
	}
	var n int
	if side == wire.Client {
		n = s.client(b)
	} else {
		n = s.server(b)
	}
	if n > len(b) {
		return 0
	}
	if s.step[wire.Client] == through && s.step[wire.Server] == through && s.to == nil {
		o := within(s.opening, true)
		o.Start = t
		s.to = s.inner.Open(o)
	}
	return n
}

// client reads a greeting, a name and password, or a request.
func (s *Socks) client(b []byte) int {
	switch {
	case b[0] == 4:
		n := request4(b)
		if n > 0 {
			s.step[wire.Client] = through
		}
		return n
	case len(b) < 2:
		return 0
	case b[0] == 1: // 01, a length and a name, a length and a password
		n := 2 + int(b[1])
		if len(b) <= n {
			return 0
		}
		return n + 1 + int(b[n])
	case s.step[wire.Client] == 0:
		n := 2 + int(b[1])
		if len(b) < n {
			return 0
		}
		s.step[wire.Client] = 1
		return n
	case b[0] == 5:
		n := address(b)
		if n > 0 && len(b) >= n {
			s.step[wire.Client] = through
		}
		return n
	}
	s.dead = true
	return 0
}

// server reads a choice, a verdict, or a reply.
func (s *Socks) server(b []byte) int {
	switch {
	case b[0] == 0: // version 4: 00 and 5A, port and address
		if len(b) < 8 {
			return 0
		}
		s.dead = b[1] != 0x5A
		s.step[wire.Server] = through
		return 8
	case len(b) < 2:
		return 0
	case s.step[wire.Server] == 0 || b[0] == 1:
		s.step[wire.Server] = 1
		s.dead = b[0] == 5 && b[1] != 0 && b[1] != 2 || b[0] == 1 && b[1] != 0
		return 2
	case b[0] == 5:
		n := address(b)
		if n > 0 && len(b) >= n {
			s.dead = b[1] != 0
			s.step[wire.Server] = through
		}
		return n
	}
	s.dead = true
	return 0
}

// address gives the length of a request or a reply of version 5: four bytes, of
// which the last is the kind of the address, the address, a port.
func address(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	switch b[3] {
	case 1:
		return 10
	case 3:
		return 7 + int(b[4])
	case 4:
		return 22
	}
	return 0
}

// flush gives on what came with the handshake.
func (s *Socks) flush(t time.Time) error {
	if s.to == nil {
		return nil
	}
	for side := range s.buf {
		b := s.buf[side]
		s.buf[side] = nil
		if len(b) == 0 {
			continue
		}
		if err := s.to.Feed(wire.Side(side), t, b); err != nil {
			return err
		}
	}
	return nil
}

// Gap says that bytes of one side are missing; in the handshake that ends it.
func (s *Socks) Gap(side wire.Side, t time.Time) {
	if s.to != nil {
		s.to.Gap(side, t)
		return
	}
	s.dead = true
}

// End says that the connection is over.
func (s *Socks) End(t time.Time, why wire.End) {
	if s.to != nil {
		s.to.End(t, why)
	}
}
