package oscar

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SNAC families and subtypes that say something of presence.
const (
	oservice         = 0x01
	clientOnline     = 0x02 // c: the sign-on is finished
	hostOnline       = 0x03 // s: the families that this connection serves
	serviceResponse  = 0x05 // s: address and cookie of a secondary service
	selfInfo         = 0x0F // s: the user's own name and state
	migrate          = 0x12 // s: families, and the address and cookie of where they are from now on
	locate           = 0x02
	buddy            = 0x03
	icbm             = 0x04
	chatNav          = 0x0D
	chat             = 0x0E
	icons            = 0x10
	feedbag          = 0x13
	bucp             = 0x17
	loginRequest     = 0x02 // c: name and hash
	loginReply       = 0x03 // s: accepted or refused
	challengeRequest = 0x06 // c: name
	lastFamily       = 0x25
)

// TLV types.
const (
	tlvName     = 0x01
	tlvPassword = 0x02 // in an old-style hello; looked for, never read
	tlvClient   = 0x03
	tlvAddress  = 0x05
	tlvCookie   = 0x06
	tlvError    = 0x08
)

// flagBlock in a SNAC's flags says that a block, u16 length first, stands
// before the body.
const flagBlock = 0x8000

// snacBody gives what follows the SNAC header, and the block if there is one.
func snacBody(b []byte) ([]byte, error) {
	flags, rest := binary.BigEndian.Uint16(b[4:]), b[snacLen:]
	if flags&flagBlock == 0 {
		return rest, nil
	}
	if len(rest) < 2 {
		return nil, errShort
	}
	n := int(binary.BigEndian.Uint16(rest))
	if len(rest)-2 < n {
		return nil, errShort
	}
	return rest[2+n:], nil
}

// block is a run of TLVs, read where they stand: type u16, length u16, value.
type block []byte

// check refuses a block whose last TLV is longer than what is left.
func (b block) check() error {
	for len(b) > 0 {
		if len(b) < 4 {
			return errTLV
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if len(b)-4 < n {
			return errTLV
		}
		b = b[4+n:]
	}
	return nil
}

// find gives the first TLV of the type; the block has passed check.
func (b block) find(typ uint16) ([]byte, bool) {
	for len(b) > 0 {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if binary.BigEndian.Uint16(b) == typ {
			return b[4 : 4+n], true
		}
		b = b[4+n:]
	}
	return nil, false
}

// text gives a TLV's value as text, empty where it is none.
func (b block) text(typ uint16) string {
	v, _ := b.find(typ)
	return text(v)
}

// text gives printable bytes as a string of at most 255 bytes, the most that a
// name's own length can say; anything else gives "".
func text(v []byte) string {
	if len(v) > 255 || !utf8.Valid(v) {
		return ""
	}
	s := string(v)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}

// families reads the list of u16 of s 01/03.
func families(b []byte) []uint16 {
	var list []uint16
	for ; len(b) >= 2; b = b[2:] {
		list = append(list, binary.BigEndian.Uint16(b))
	}
	return list
}
