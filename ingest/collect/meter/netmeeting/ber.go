package netmeeting

import (
	"bytes"
	"encoding/binary"
	"errors"

	"rollcall/ingest/collect/meter/wire"
)

// Limits of a message.
const (
	messageMost = 64 << 10
	depthMost   = 8
)

var (
	errBER    = errors.New("ldap: no message where one begins")
	errLength = errors.New("ldap: message longer than 64 KiB")
)

// value is one BER value: its tag and what it holds.
type value struct {
	tag  byte
	body []byte
}

// next reads the value at the start of b; ok is false where it is not whole, or
// none. Lengths are definite, as LDAP wants.
func next(b []byte) (v value, rest []byte, ok bool) {
	head, n := length(b)
	if head == 0 || len(b) < head+n {
		return v, nil, false
	}
	return value{b[0], b[head : head+n]}, b[head+n:], true
}

// length gives the lengths of a value's head and of its body; head is 0 where
// too little is there, or the body is longer than any that is read.
func length(b []byte) (head, body int) {
	if len(b) < 2 {
		return 0, 0
	}
	if b[1] < 0x80 {
		return 2, int(b[1])
	}
	n := int(b[1] & 0x7F)
	if n < 1 || n > 4 || len(b) < 2+n {
		return 0, 0
	}
	var four [4]byte
	copy(four[4-n:], b[2:2+n])
	body = int(binary.BigEndian.Uint32(four[:]))
	return 2 + n, body
}

// sequence and integer are the tags that begin every message.
const (
	tagInteger  = 0x02
	tagString   = 0x04
	tagSequence = 0x30
	tagEqual    = 0xA3 // of a search's filter
	tagControls = 0xA0
)

// messages cuts the bytes of one direction into LDAP messages.
type messages struct {
	buf  []byte
	skip int
	lost bool
}

// feed takes the next bytes and emits the messages that they complete: the
// number and the operation. A message that is too long is passed over.
func (m *messages) feed(data []byte, emit func(id uint32, op value)) error {
	if m.lost {
		if m.search(data); m.lost {
			return nil
		}
		data = nil
	}
	if n := min(m.skip, len(data)); n > 0 {
		m.skip, data = m.skip-n, data[n:]
	}
	m.buf = append(m.buf, data...)
	for len(m.buf) > 0 {
		if m.buf[0] != tagSequence {
			return errBER
		}
		head, body := length(m.buf)
		switch {
		case head == 0 && len(m.buf) >= 6:
			return errBER
		case head == 0:
			return nil
		case body > 16<<20:
			return errLength
		case body > messageMost:
			m.skip = max(0, head+body-len(m.buf))
			m.buf = m.buf[:copy(m.buf, m.buf[min(len(m.buf), head+body):])]
			continue
		case len(m.buf) < head+body:
			return nil
		}
		if id, op, ok := message(m.buf[head : head+body]); ok {
			emit(id, op)
		}
		whole := m.buf[:head+body]
		clear(whole) // a password, perhaps
		m.buf = m.buf[:copy(m.buf, m.buf[head+body:])]
	}
	return nil
}

// search looks for where a message begins.
func (m *messages) search(data []byte) {
	m.buf = append(m.buf, data...)
	for len(m.buf) > 0 {
		switch plausible(m.buf) {
		case wire.Yes:
			m.lost = false
			return
		case wire.More:
			return
		}
		passed := len(m.buf)
		if i := bytes.IndexByte(m.buf[1:], tagSequence); i >= 0 {
			passed = 1 + i
		}
		m.buf = m.buf[:copy(m.buf, m.buf[passed:])]
	}
}

// operations are those of a client, and their answers.
var operations = []byte{opBind, 0x61, opUnbind, opSearch, 0x64, 0x65, opModify, 0x67, opAdd, opAdded, opDelete, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F}

// plausible says whether b begins with a message: a number and an operation that
// fill it, or leave what controls take.
func plausible(b []byte) wire.Verdict {
	head, body := length(b)
	switch {
	case b[0] != tagSequence, head == 0 && len(b) >= 6, head > 0 && (body < 5 || body > messageMost):
		return wire.No
	case head == 0 || len(b) < head+3:
		return wire.More
	}
	b = b[head:]
	n := 2 + int(b[1])
	switch {
	case b[0] != tagInteger || n < 3 || n > 6:
		return wire.No
	case len(b) <= n:
		return wire.More
	}
	return fills(b[n:], body-n)
}

// fills says whether b begins with an operation of a size, or of all but
// what controls take.
func fills(b []byte, size int) wire.Verdict {
	head, body := length(b)
	end := head + body
	switch {
	case !bytes.Contains(operations, b[:1]), head == 0 && len(b) >= 6, end > size:
		return wire.No
	case head == 0:
		return wire.More
	case end == size:
		return wire.Yes
	case len(b) <= end:
		return wire.More
	case b[end] == tagControls:
		return wire.Yes
	}
	return wire.No
}

// message reads a message's number and its operation.
func message(b []byte) (id uint32, op value, ok bool) {
	number, rest, ok := next(b)
	if !ok || number.tag != tagInteger || len(number.body) > 4 {
		return 0, op, false
	}
	for _, x := range number.body {
		id = id<<8 | uint32(x)
	}
	op, _, ok = next(rest)
	return id, op, ok
}

// each calls f for the values one after another in b.
func each(b []byte, f func(value)) {
	for len(b) > 0 {
		v, rest, ok := next(b)
		if !ok {
			return
		}
		f(v)
		b = rest
	}
}
