package secure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// The two versions of QUIC whose Initials are read (RFC 9000 and 9001, RFC
// 9369): how their keys are derived from the connection id that the client
// chose, and the type of an Initial.
type version struct {
	salt    []byte
	prefix  string
	initial byte
}

const (
	quic1 = 1
	quic2 = 0x6B3343CF
)

func versionOf(number uint32) (version, bool) {
	switch number {
	case quic1:
		return version{[]byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}, "quic ", 0}, true
	case quic2:
		return version{[]byte{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}, "quicv2 ", 1}, true
	}
	return version{}, false
}

// keys open a client's Initials.
type keys struct {
	aead cipher.AEAD
	iv   []byte
	mask cipher.Block
}

// label expands a secret as TLS 1.3 does: length u16, "tls13 " and the label,
// no context.
func label(secret []byte, name string, n int) ([]byte, error) {
	name = "tls13 " + name
	info := append([]byte{0, byte(n), byte(len(name))}, name...)
	return hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
}

// clientKeys derives the keys of a client's Initials.
func clientKeys(v version, id []byte) (*keys, error) {
	initial, err := hkdf.Extract(sha256.New, id, v.salt)
	if err != nil {
		return nil, err
	}
	client, err := label(initial, "client in", sha256.Size)
	if err != nil {
		return nil, err
	}
	key, err1 := label(client, v.prefix+"key", 16)
	iv, err2 := label(client, v.prefix+"iv", 12)
	hp, err3 := label(client, v.prefix+"hp", 16)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	block, err1 := aes.NewCipher(key)
	mask, err2 := aes.NewCipher(hp)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &keys{aead, iv, mask}, err
}

// Limits of reading one connection's Initials.
const (
	initialsMost = 24
	cryptoMost   = 32 << 10
	rangesMost   = 64
)

// Initials puts the ClientHello of one QUIC connection together, over as many
// packets as it takes.
type Initials struct {
	keys   *keys
	tried  int
	crypto []byte
	ranges [][2]int // of crypto, what is there
	Done   bool     // there is no more to read
	Found  bool
	Hello  Hello
}

// IsInitial reports whether a datagram begins like a QUIC Initial of a version
// that is read.
func IsInitial(b []byte) bool {
	if len(b) < 7 || b[0]&0xC0 != 0xC0 {
		return false
	}
	v, ok := versionOf(binary.BigEndian.Uint32(b[1:]))
	return ok && b[0]>>4&3 == v.initial
}

// Feed takes a datagram of either side; only the client's can be opened.
func (q *Initials) Feed(b []byte) {
	for len(b) > 0 && !q.Done {
		if !IsInitial(b) {
			return
		}
		if q.tried++; q.tried > initialsMost {
			q.Done = true
			return
		}
		n := q.packet(b)
		if n <= 0 {
			return
		}
		b = b[n:]
	}
}

// packet reads one packet of a datagram and gives its length.
func (q *Initials) packet(b []byte) int {
	v, _ := versionOf(binary.BigEndian.Uint32(b[1:]))
	c := cursor{b: b[5:]}
	id := c.take(c.u8())
	c.take(c.u8())
	c.take(c.varint())
	length := c.varint()
	at := len(b) - len(c.b) // of the packet number
	if c.bad || length < 4+16 || length > len(c.b) || len(id) > 20 {
		return 0
	}
	whole := at + length
	if q.keys != nil && q.open(q.keys, b[:whole], at) {
		return whole
	}
	if k, err := clientKeys(v, id); err == nil && q.open(k, b[:whole], at) {
		q.keys = k
	}
	return whole
}

// open removes header protection and encryption, and reads the frames.
func (q *Initials) open(k *keys, packet []byte, at int) bool {
	var mask [aes.BlockSize]byte
	k.mask.Encrypt(mask[:], packet[at+4:at+4+aes.BlockSize])
	n := int((packet[0]^mask[0])&3) + 1
	header := bytes.Clone(packet[:at+n])
	header[0] ^= mask[0] & 0x0F
	nonce := bytes.Clone(k.iv)
	for i := range n {
		header[at+i] ^= mask[1+i] //nolint:gosec // n is 4 at most, of 16
		nonce[len(nonce)-n+i] ^= header[at+i]
	}
	plain, err := k.aead.Open(nil, nonce, packet[at+n:], header)
	if err != nil {
		return false
	}
	q.frames(plain)
	return true
}

// frames reads the frames that an Initial may have.
func (q *Initials) frames(b []byte) {
	c := cursor{b: b}
	for len(c.b) > 0 && !c.bad && !q.Done {
		switch typ := c.varint(); typ {
		case 0, 1: // padding, ping
		case 2, 3:
			c.acknowledged(typ == 3)
		case 6:
			at := c.varint()
			q.insert(at, c.take(c.varint()))
		default:
			return // the end of a connection, or no Initial's
		}
	}
}

// acknowledged passes over an ACK.
func (c *cursor) acknowledged(ecn bool) {
	c.varint()
	c.varint()
	n := c.varint()
	c.varint()
	for ; n > 0 && !c.bad; n-- {
		c.varint()
		c.varint()
	}
	for i := 0; ecn && i < 3; i++ {
		c.varint()
	}
}

// varint reads a number whose first two bits say its length.
func (c *cursor) varint() int {
	first := c.u8()
	v := uint64(first & 63)
	for range 1<<(first>>6) - 1 {
		v = v<<8 | uint64(c.u8())
	}
	if v > 1<<30 {
		c.bad = true
		return 0
	}
	return int(v)
}

// insert puts a piece of the handshake in its place, and reads it once it is
// whole.
func (q *Initials) insert(at int, b []byte) {
	end := at + len(b)
	if len(b) == 0 || end > cryptoMost || len(q.ranges) >= rangesMost {
		return
	}
	if end > len(q.crypto) {
		q.crypto = append(q.crypto, make([]byte, end-len(q.crypto))...)
	}
	copy(q.crypto[at:], b)
	q.ranges = append(q.ranges, [2]int{at, end})
	have := 0
	for grown := true; grown; {
		grown = false
		for _, r := range q.ranges {
			if r[0] <= have && r[1] > have {
				have, grown = r[1], true
			}
		}
	}
	if whole, done := wholeHello(q.crypto[:have]); done {
		q.Done = true
		if whole != nil {
			q.Hello, q.Found = ParseHello(whole)
		}
		q.crypto, q.ranges = nil, nil
	}
}
