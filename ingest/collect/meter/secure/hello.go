package secure

import (
	"encoding/binary"
	"strings"
)

// Hello is what a ClientHello says in clear.
type Hello struct {
	Name   string   // of the server asked for; empty where none is
	ALPN   []string // application protocols
	Hidden bool     // by ECH: the name is not the one that is meant
}

// Limits of a ClientHello.
const (
	helloMost     = 64 << 10
	clientHello   = 1
	handshakeHead = 4
	nameMost      = 255
)

// TLS extensions.
const (
	extName = 0
	extALPN = 16
	extECH  = 0xFE0D
	extESNI = 0xFFCE // its draft, once
)

// cursor reads what a message says; after a short read it is bad, and reads
// nothing more.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) u8() int {
	if v := c.take(1); v != nil {
		return int(v[0])
	}
	return 0
}

func (c *cursor) u16() int {
	if v := c.take(2); v != nil {
		return int(binary.BigEndian.Uint16(v))
	}
	return 0
}

// ParseHello reads a ClientHello without its record, type u8 and length u24
// first; ok is false where it is none.
func ParseHello(b []byte) (h Hello, ok bool) {
	if len(b) < handshakeHead || b[0] != clientHello {
		return h, false
	}
	c := cursor{b: b[handshakeHead:]}
	c.take(2 + 32)  // version, random
	c.take(c.u8())  // session
	c.take(c.u16()) // ciphers
	c.take(c.u8())  // compression
	if c.bad {
		return h, false
	}
	extensions := cursor{b: c.take(c.u16())}
	for len(extensions.b) > 0 && !extensions.bad {
		typ, value := extensions.u16(), cursor{b: extensions.take(extensions.u16())}
		switch typ {
		case extName:
			h.Name = serverName(&value)
		case extALPN:
			h.ALPN = protocols(&value)
		case extECH, extESNI:
			h.Hidden = true
		}
	}
	return h, true
}

// serverName reads a list of names: type u8, length u16, name.
func serverName(c *cursor) string {
	list := cursor{b: c.take(c.u16())}
	for len(list.b) > 0 && !list.bad {
		typ, name := list.u8(), list.take(list.u16())
		if typ == 0 && len(name) > 0 && len(name) <= nameMost && printable(name) {
			return strings.ToLower(string(name))
		}
	}
	return ""
}

// protocols reads a list of names of protocols, u8 length first.
func protocols(c *cursor) (names []string) {
	list := cursor{b: c.take(c.u16())}
	for len(list.b) > 0 && !list.bad && len(names) < 16 {
		if name := list.take(list.u8()); printable(name) {
			names = append(names, string(name))
		}
	}
	return names
}

func printable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// HelloReader puts a ClientHello together from a TLS client's bytes, over
// records and segments.
type HelloReader struct {
	head    [recordHeader]byte
	have    int
	left    int
	message []byte
	Done    bool // there is no more to read: it is whole, or none
	Found   bool
	Hello   Hello
}

// Feed takes the next bytes.
func (r *HelloReader) Feed(b []byte) {
	for len(b) > 0 && !r.Done {
		if r.left == 0 {
			n := copy(r.head[r.have:], b)
			r.have, b = r.have+n, b[n:]
			if r.have < recordHeader {
				return
			}
			r.have, r.left = 0, int(binary.BigEndian.Uint16(r.head[3:]))
			r.Done = r.head[0] != recordHandshake || r.head[1] != 3 || r.left > recordMost
			continue
		}
		n := min(r.left, len(b))
		r.message = append(r.message, b[:n]...)
		r.left, b = r.left-n, b[n:]
		r.look()
	}
}

// look reads the message once it is whole.
func (r *HelloReader) look() {
	whole, done := wholeHello(r.message)
	if !done {
		return
	}
	r.Done = true
	if whole != nil {
		r.Hello, r.Found = ParseHello(whole)
	}
	r.message = nil
}

// wholeHello gives a ClientHello that is whole; done also where it can't be one.
func wholeHello(b []byte) (whole []byte, done bool) {
	if len(b) < handshakeHead {
		return nil, false
	}
	n := handshakeHead + int(binary.BigEndian.Uint32(b)&0xFFFFFF)
	if b[0] != clientHello || n > helloMost {
		return nil, true
	}
	if len(b) < n {
		return nil, false
	}
	return b[:n], true
}

// Begins says whether a client's first bytes are a TLS ClientHello's; more that
// there are too few to tell.
func Begins(b []byte) (yes, more bool) {
	want := [...]int{recordHandshake, 3, -1, -1, -1, clientHello}
	for i, w := range want {
		if i >= len(b) {
			return false, true
		}
		if w >= 0 && int(b[i]) != w {
			return false, false
		}
	}
	return b[2] <= 4, false
}
