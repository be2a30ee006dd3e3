package ymsg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"
)

// A packet: "YMSG", version u16, vendor u16, length u16, service u16, status
// u32, session u32, body. The version is little endian from some clients and
// is not looked at.
const (
	headerLen  = 20
	mostBody   = 32 << 10  // a longer body is passed over
	searchMost = 128 << 10 // bytes looked through for a packet before giving up
)

// Services that say something of presence.
const (
	logon     = 0x01
	logoff    = 0x02
	message   = 0x06
	peer      = 0x4F // between two clients
	response  = 0x54
	list      = 0x55
	challenge = 0x57
	keepAlive = 0x8A
	statuses  = 0xF0 // s: of contacts, since version 15
	list15    = 0xF1 // s: the list, since version 15
)

var (
	magic     = []byte("YMSG")
	separator = []byte{0xC0, 0x80}
)

// Why a stream is given up.
var (
	errMagic  = errors.New("ymsg: no YMSG where a packet begins")
	errSearch = errors.New("ymsg: no packet found after a gap")
)

// packet is one packet; its body, read only where wanted, is valid until the
// next.
type packet struct {
	at      time.Time
	service uint16
	status  uint32
	body    []byte
}

// value gives the first value of a key, and whether it is there.
func (p *packet) value(key string) (string, bool) {
	parts := p.body
	for len(parts) > 0 {
		k, rest, _ := bytes.Cut(parts, separator)
		v, next, _ := bytes.Cut(rest, separator)
		if string(k) == key {
			return string(v), true
		}
		parts = next
	}
	return "", false
}

// wanted reports whether the body of a service is read.
func wanted(service uint16) bool {
	switch service {
	case logon, logoff, response, challenge, keepAlive: // not the list: it is contacts and cookies
		return true
	}
	return false
}

// scanner cuts the bytes of one direction into packets, and passes over the
// bodies of messages unread.
type scanner struct {
	buf      []byte
	skip     int
	holed    bool // bytes were missed: nonsense is looked through, not given up
	searched int
}

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() { *s = scanner{buf: s.buf[:0], holed: true, searched: s.searched} }

// feed takes the next bytes and emits the packets that they complete.
func (s *scanner) feed(t time.Time, data []byte, emit func(*packet)) error {
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
	switch have := len(s.buf); {
	case have < len(magic):
		return len(magic)
	case have < headerLen:
		return headerLen
	}
	return headerLen + s.length()
}

func (s *scanner) length() int { return int(binary.BigEndian.Uint16(s.buf[8:])) }

// advance does what the bytes in buf allow.
func (s *scanner) advance(t time.Time, emit func(*packet)) error {
	if !bytes.HasPrefix(s.buf, magic[:min(len(magic), len(s.buf))]) {
		return s.search()
	}
	if len(s.buf) < headerLen {
		return nil
	}
	p := &packet{at: t, service: binary.BigEndian.Uint16(s.buf[10:]), status: binary.BigEndian.Uint32(s.buf[12:])}
	whole := headerLen + s.length()
	if !wanted(p.service) || whole > mostBody {
		s.skip = whole - len(s.buf)
		s.buf = s.buf[:0]
		emit(p)
		return nil
	}
	if len(s.buf) < whole {
		return nil
	}
	p.body, s.searched = s.buf[headerLen:], 0
	emit(p)
	clear(s.buf) // hashes may have been in it
	s.buf = s.buf[:0]
	return nil
}

// search drops bytes that begin no packet, where that may be after a gap.
func (s *scanner) search() error {
	if !s.holed {
		return errMagic
	}
	for len(s.buf) > 0 && !bytes.HasPrefix(magic, s.buf) {
		s.buf = append(s.buf[:0], s.buf[1:]...)
		s.searched++
	}
	if s.searched > searchMost {
		return errSearch
	}
	return nil
}
