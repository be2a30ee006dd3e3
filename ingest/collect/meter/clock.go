package meter

import (
	"bytes"
	"time"
)

// jump is how far a packet's time may stand from the one before it without
// being looked at twice.
const jump = 5 * time.Minute

// steady is a source of packets whose clock is believed only where the next
// packet confirms it: a time that leaps for one packet becomes the time before.
type steady struct {
	src    packets
	last   time.Time // of the packet given last; zero before the first
	ahead  []frame   // read, not yet given
	before time.Time // of the packet read last, as the source has it
	failed error     // how the source ended
	wild   *int64    // counts times that were not believed
}

// next gives the next packet.
func (s *steady) next() (frame, error) {
	p, err := s.take()
	if err != nil {
		return p, err
	}
	first := s.last.IsZero()
	if first || !near(p.at, s.last) {
		p.data = bytes.Clone(p.data) // the source's own is gone when it is asked again
		s.judge(&p, first)
	}
	s.last = p.at
	return p, nil
}

// judge looks at the packets that follow, and mends the packet's time.
func (s *steady) judge(p *frame, first bool) {
	after, ok := s.peek(0)
	switch {
	case !ok && !first && p.at.Before(s.last):
		s.mend(p, s.last)
	case !ok:
	case first:
		third, ok := s.peek(1)
		if ok && p.at.Sub(after) > jump && p.at.Sub(third) > jump {
			s.mend(p, after)
		}
	case p.at.After(s.last) && p.at.Sub(after) > jump, p.at.Before(s.last) && after.Sub(p.at) > jump:
		s.mend(p, s.last)
	}
}

func (s *steady) mend(p *frame, t time.Time) {
	p.at = t
	*s.wild++
}

func near(a, b time.Time) bool {
	d := a.Sub(b)
	return -jump <= d && d <= jump
}

// take gives the next packet as the source has it.
func (s *steady) take() (frame, error) {
	if len(s.ahead) > 0 {
		p := s.ahead[0]
		s.ahead = s.ahead[1:]
		return p, nil
	}
	return s.read()
}

// peek gives the time of the packet that many places ahead, if there is one.
func (s *steady) peek(n int) (time.Time, bool) {
	for len(s.ahead) <= n {
		p, err := s.read()
		if err != nil {
			return time.Time{}, false
		}
		p.data = bytes.Clone(p.data)
		s.ahead = append(s.ahead, p)
	}
	return s.ahead[n].at, true
}

// read reads until the source's first error, which it gives ever after. A packet
// without a time has that of the one before it; where there is none, it is passed
// over.
func (s *steady) read() (frame, error) {
	if s.failed != nil {
		return frame{}, s.failed
	}
	p, err := s.src.next()
	for err == nil && p.at.IsZero() { // pcapng has packets without a time
		*s.wild++
		if p.at = s.before; !p.at.IsZero() {
			break
		}
		p, err = s.src.next()
	}
	s.before, s.failed = p.at, err
	return p, err
}
