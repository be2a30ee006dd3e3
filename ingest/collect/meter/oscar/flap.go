package oscar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// FLAP channels.
const (
	signOn    = 1
	snac      = 2
	flapError = 3
	signOff   = 4
	keepAlive = 5
)

const (
	mark       = 0x2A
	headerLen  = 6         // mark, channel, sequence u16, length u16
	snacLen    = 10        // family u16, subtype u16, flags u16, request u32
	mostBody   = 8 << 10   // a longer body is passed over: no frame that is read comes near it
	searchMost = 128 << 10 // bytes looked through for a frame before giving up
)

// Why a stream is given up.
var (
	errMark    = errors.New("oscar: no FLAP mark 2A where a frame begins")
	errChannel = errors.New("oscar: FLAP channel outside 1 to 5")
	errShort   = errors.New("oscar: SNAC shorter than its header")
	errTLV     = errors.New("oscar: TLV longer than its block")
	errSearch  = errors.New("oscar: no FLAP frame found after a gap")
)

// frame is one FLAP frame. Its body is there only where it is wanted, and
// is valid until the next call of the scanner.
type frame struct {
	at      time.Time // when its last wanted byte came
	channel uint8
	family  uint16 // channel 2
	subtype uint16
	body    []byte
}

// is reports whether the frame is the SNAC family/subtype.
func (f *frame) is(family, subtype uint16) bool {
	return f.channel == snac && f.family == family && f.subtype == subtype
}

// wanted reports whether the frame's body is read. All others, messages among
// them, are passed over by their length and never held.
func (f *frame) wanted() bool {
	switch f.channel {
	case signOn, signOff:
		return true
	case snac:
		return f.family == oservice && (f.subtype == clientOnline || f.subtype == hostOnline ||
			f.subtype == serviceResponse || f.subtype == selfInfo || f.subtype == migrate) ||
			f.family == bucp && (f.subtype == loginRequest || f.subtype == loginReply || f.subtype == challengeRequest)
	}
	return false
}

// phase is how sure the scanner is of where frames begin.
type phase uint8

const (
	synced   phase = iota
	lost           // looking for something like a frame
	guessing       // the frame in buf looks like one
	unsure         // an assumed frame is complete; the next header decides
)

// scanner cuts the bytes of one direction into FLAP frames, however they
// arrive. After a gap, or where the beginning was not seen, it looks for a
// plausible frame and believes it once the next header follows with the next
// sequence number.
type scanner struct {
	phase    phase
	buf      []byte // the frame begun: header, SNAC header, wanted body
	skip     int    // bytes of an unwanted body still to come
	next     uint16 // the sequence number that confirms an assumed frame
	held     *frame // the assumed frame
	searched int    // bytes looked through since the last good frame
}

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() {
	*s = scanner{buf: s.buf[:0], phase: lost, searched: s.searched}
}

// feed takes the next bytes and emits the frames that they complete.
func (s *scanner) feed(t time.Time, data []byte, emit func(*frame) error) error {
	for len(data) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(data))
			s.skip, data = s.skip-n, data[n:]
			continue
		}
		n := min(s.need()-len(s.buf), len(data))
		s.buf, data = append(s.buf, data[:n]...), data[n:]
		if err := s.advance(t, emit); err != nil {
			return err
		}
	}
	return nil
}

// need gives how many bytes must be in buf before advance can go on; always
// more than there are.
func (s *scanner) need() int {
	have := len(s.buf)
	switch {
	case s.phase == lost:
		return have + 1
	case have < headerLen:
		return headerLen
	case s.buf[1] == snac && have < headerLen+snacLen:
		return headerLen + snacLen
	}
	return headerLen + int(binary.BigEndian.Uint16(s.buf[4:]))
}

// advance does what the bytes in buf allow.
func (s *scanner) advance(t time.Time, emit func(*frame) error) error {
	if s.phase == unsure && len(s.buf) >= headerLen {
		if err := s.decide(emit); err != nil {
			return err
		}
	}
	if s.phase == lost {
		if !s.search() {
			return s.searchedEnough()
		}
		s.phase = guessing
	}
	if len(s.buf) < headerLen {
		return nil
	}
	if err := checkHeader(s.buf); err != nil {
		return err
	}
	return s.body(t, emit)
}

// decide confirms the assumed frame by the header in buf, or drops it.
func (s *scanner) decide(emit func(*frame) error) error {
	f := s.held
	s.held = nil
	seq := binary.BigEndian.Uint16(s.buf[2:])
	if checkHeader(s.buf) != nil || seq != s.next && seq != 0 {
		s.phase = lost
		return nil //nolint:nilerr // the assumption was wrong; the search goes on
	}
	s.phase, s.searched = synced, 0
	return emit(f)
}

// search drops bytes from buf until it begins like a frame.
func (s *scanner) search() bool {
	for len(s.buf) > 0 {
		switch plausible(s.buf) {
		case wire.Yes:
			return true
		case wire.More:
			return false
		}
		drop := len(s.buf)
		if i := bytes.IndexByte(s.buf[1:], mark); i >= 0 {
			drop = i + 1
		}
		s.searched += drop
		s.buf = append(s.buf[:0], s.buf[drop:]...)
	}
	return false
}

func (s *scanner) searchedEnough() error {
	if s.searched > searchMost {
		return errSearch
	}
	return nil
}

// body finishes the frame in buf once enough of it is there, and passes over
// the rest of one that is not wanted.
func (s *scanner) body(t time.Time, emit func(*frame) error) error {
	f := frame{at: t, channel: s.buf[1]}
	if f.channel == snac {
		if len(s.buf) < headerLen+snacLen {
			return nil
		}
		f.family, f.subtype = binary.BigEndian.Uint16(s.buf[6:]), binary.BigEndian.Uint16(s.buf[8:])
	}
	whole := headerLen + int(binary.BigEndian.Uint16(s.buf[4:]))
	if !f.wanted() || whole > mostBody {
		s.skip = whole - len(s.buf)
		return s.finish(&f, emit)
	}
	if len(s.buf) < whole {
		return nil
	}
	f.body = s.buf[headerLen:]
	return s.finish(&f, emit)
}

// finish emits a frame, or holds an assumed one, and wipes what was read: it may
// have been a password.
func (s *scanner) finish(f *frame, emit func(*frame) error) error {
	defer func(read []byte) { clear(read) }(s.buf)
	seq := binary.BigEndian.Uint16(s.buf[2:])
	s.buf = s.buf[:0]
	if s.phase != guessing {
		return emit(f)
	}
	f.body = bytes.Clone(f.body)
	s.held, s.next, s.phase = f, seq+1, unsure
	return nil
}

// checkHeader reads the header at the start of b, and the least length of a SNAC.
func checkHeader(b []byte) error {
	switch {
	case b[0] != mark:
		return errMark
	case b[1] < signOn || b[1] > keepAlive:
		return errChannel
	case b[1] == snac && binary.BigEndian.Uint16(b[4:]) < snacLen:
		return errShort
	}
	return nil
}
