package reach

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

// DNS record types and limits.
const (
	typeA       = 1
	typeAAAA    = 28
	dnsHeader   = 12
	recordsMost = 64
	pointers    = 16 // followed in one name
	nameMost    = 255
)

// DNS reads a DNS message between a client and its resolver. The addresses of
// an answer are the service's that was asked for, for as long as the record
// lives.
func (t *Tracker) DNS(from, to netip.Addr, at time.Time, b []byte) {
	if len(b) < dnsHeader {
		return
	}
	flags, questions, answers := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	name, n := "", dnsHeader
	for range min(questions, recordsMost) {
		asked, next, ok := dnsName(b, n)
		if !ok || next+4 > len(b) {
			return
		}
		name, n = asked, next+4
		t.named(name)
	}
	if flags&0x8000 == 0 || flags>>11&15 != 0 || questions != 1 {
		return // a question, or no answer to one
	}
	s := t.table.ByName(name)
	for range min(answers, recordsMost) {
		server, life, next := dnsRecord(b, n)
		if next == 0 {
			return
		}
		if server.IsValid() {
			t.names.learn(to, server, s, at, life)
		}
		n = next
	}
}

// dnsRecord reads a record: name, type u16, class u16, life u32, length u16,
// value. It gives the address, if it has one, and where the next begins.
func dnsRecord(b []byte, at int) (server netip.Addr, life time.Duration, next int) {
	_, n, ok := dnsName(b, at)
	if !ok || n+10 > len(b) {
		return netip.Addr{}, 0, 0
	}
	typ, seconds, length := binary.BigEndian.Uint16(b[n:]), binary.BigEndian.Uint32(b[n+4:]), int(binary.BigEndian.Uint16(b[n+8:]))
	n += 10
	if n+length > len(b) {
		return netip.Addr{}, 0, 0
	}
	if typ == typeA && length == 4 || typ == typeAAAA && length == 16 {
		server, _ = netip.AddrFromSlice(b[n : n+length])
	}
	return server, time.Duration(seconds&0x7FFFFFFF) * time.Second, n + length
}

// dnsName reads a name, which may point back, and gives where what follows it
// begins.
func dnsName(b []byte, at int) (name string, next int, ok bool) {
	var text strings.Builder
	for jumps := 0; at < len(b); {
		n := int(b[at])
		switch {
		case n == 0:
			if next == 0 {
				next = at + 1
			}
			return strings.ToLower(text.String()), next, true
		case n&0xC0 == 0xC0:
			if at+1 >= len(b) || jumps >= pointers {
				return "", 0, false
			}
			if next == 0 {
				next = at + 2
			}
			at, jumps = int(binary.BigEndian.Uint16(b[at:])&0x3FFF), jumps+1
		case n > 63 || at+1+n > len(b) || text.Len()+n+1 > nameMost:
			return "", 0, false
		default:
			if text.Len() > 0 {
				text.WriteByte('.')
			}
			text.Write(b[at+1 : at+1+n])
			at += 1 + n
		}
	}
	return "", 0, false
}
