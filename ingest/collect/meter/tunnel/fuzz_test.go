package tunnel

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// heard is what arrives inside a tunnel.
type heard struct{ sides [2][]byte }

func (h *heard) Feed(side wire.Side, _ time.Time, b []byte) error {
	h.sides[side] = append(h.sides[side], b...)
	return nil
}
func (h *heard) Gap(side wire.Side, _ time.Time) {
	h.sides[side] = append(h.sides[side], " gap "...)
}
func (*heard) End(time.Time, wire.End)       {}
func (h *heard) String() string              { return fmt.Sprintf("%q", h.sides) }
func says(side byte, text string) []byte     { return append([]byte{side, byte(len(text))}, text...) }
func talk(parts ...[]byte) (messages []byte) { return slices.Concat(parts...) }

var noon = time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC)

// inside gives what the messages bring through a tunnel, cut into parts of the
// size. A message is a side, a length and bytes.
func inside(open func(Inner) wire.Dissector, messages []byte, size int) string {
	var all []*heard
	here := func(wire.Opening) wire.Dissector {
		h := new(heard)
		all = append(all, h)
		return h
	}
	d := open(Inner{Open: here, XMPP: here})
	var failed error
	for len(messages) >= 2 && failed == nil {
		side, n := wire.Side(messages[0]&1), min(int(messages[1]), len(messages)-2)
		for part := range slices.Chunk(messages[2:2+n], size) {
			if failed = d.Feed(side, noon, slices.Clone(part)); failed != nil {
				break
			}
		}
		messages = messages[2+n:]
	}
	d.End(noon, wire.Closed)
	return fmt.Sprint(all, failed)
}

// fuzz holds that the same comes through a tunnel however the bytes are cut.
func fuzz(f *testing.F, open func(Inner) wire.Dissector, seeds ...[]byte) {
	for _, seed := range seeds {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(2))
	}
	f.Fuzz(func(t *testing.T, messages []byte, size uint8) {
		whole, parts := inside(open, messages, 255), inside(open, messages, 1+int(size))
		if whole != parts {
			t.Errorf("at once %s\nin parts %s", whole, parts)
		}
	})
}

func FuzzSocks(f *testing.F) {
	fuzz(f, func(i Inner) wire.Dissector { return OpenSocks(i, wire.Opening{Start: noon}) },
		talk(says(0, "\x04\x01\x07\x47\x0a\x00\x00\x09me\x00"), says(1, "\x00\x5a\x00\x00\x00\x00\x00\x00"), says(0, "VER 1"), says(1, "VER 2")),
		talk(says(0, "\x04\x01\x07\x47\x00\x00\x00\x01me\x00a.example\x00"), says(1, "\x00\x5a\x00\x00\x00\x00\x00\x00"), says(0, "VER 1")),
		talk(says(0, "\x05\x02\x00\x02"), says(1, "\x05\x02"), says(0, "\x01\x02me\x06secret"), says(1, "\x01\x00"),
			says(0, "\x05\x01\x00\x03\x09a.example\x07\x47"), says(1, "\x05\x00\x00\x01\x0a\x00\x00\x09\x04\x00"), says(0, "VER 1"), says(1, "VER 2")))
}

func FuzzWebSocket(f *testing.F) {
	fuzz(f, func(i Inner) wire.Dissector {
		answer := head{lines: "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"}
		return NewGateways(i).openWebSocket(wire.Opening{}, true, &answer)
	},
		talk(says(0, "\xc1\x8d\x00\x00\x00\x00\xb2\x29\x28\x4a\x2d\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00"), says(0, "\xc1\x83\x00\x00\x00\x00\x02\x13\x00")),
		talk(says(1, "\x41\x05\xb2\x29\x28\x4a\x2d\x89\x00\x80\x08\x4e\xcd\x4b\x4e\xd5\xb7\x03\x00"), says(1, "\xc1\x03\x02\x13\x00\x81\x01a"), says(0, "\x81\x80....")),
		talk(says(0, "\x81\x85\x01\x02\x03\x04igomn"), says(1, "\x81\x05hello"), says(1, "\x89\x02..\x01\x7e\x00\x03abc")),
		talk(says(0, "\x01\x7f\x00\x00\x00\x00\x00\x00\x00\x02ab\x80\x01c"), says(1, "\xc1\x01x")))
}

func FuzzHTTP(f *testing.F) {
	fuzz(f, func(i Inner) wire.Dissector { return NewGateways(i).OpenHTTP(wire.Opening{Start: noon}) },
		talk(says(0, "CONNECT a:1863 HTTP/1.1\r\nHost: a\r\n\r\n"), says(1, "HTTP/1.1 200 OK\r\nVia: p\r\n\r\nVER 1"), says(0, "VER 2")),
		talk(says(0, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"), says(1, "HTTP/1.1 101 Switch\r\n\r\n\x81\x05hello"), says(0, "\x81\x85\x01\x02\x03\x04igomn")),
		talk(says(0, "POST http://shttp.msg.yahoo.com/notify/ HTTP/1.1\r\nContent-Length: 21\r\n\r\nYMSG\x0a\x00\x00\x00\x00\x01\x00\x57\x00\x00\x00\x00\x00\x00\x00\x00x"), says(1, "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n\x00\x00\x00\x01YMSG\x0a\x00\x00\x00\x00\x00\x00\x57\x00\x00\x00\x00\x00\x00\x00\x00")),
		talk(says(0, "GET http://p/hello HTTP/1.1\r\n\r\n"), says(1, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n\x00\x0c\x04\x43\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01"),
			says(0, "POST http://p/data?sid=aa&seq=1 HTTP/1.1\r\nContent-Length: 19\r\n\r\n\x00\x11\x04\x43\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01login"), says(1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
			says(0, "POST http://p/data?sid=aa&seq=2 HTTP/1.1\r\nContent-Length: 17\r\n\r\n\x00\x0f\x04\x43\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01\x2a\x01\x00")),
		talk(says(0, "POST /w HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 18\r\n\r\n0;k,<stream:stream"), says(1, "HTTP/1.1 200 OK\r\nSet-Cookie: ID=7:8; path=/\r\nContent-Length: 4\r\n\r\n<a/>"),
			says(0, "POST /w HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\n7:8,<b/>"), says(1, "HTTP/1.1 200 OK\r\nSet-Cookie: ID=0:0\r\nContent-Length: 0\r\n\r\n")),
		talk(says(0, "POST /http-bind HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 68\r\n\r\n<body to='a' rid='1' xmlns='http://jabber.org/protocol/httpbind'></b>"), says(1, "HTTP/1.1 200 OK\r\nContent-Length: 67\r\n\r\n<body sid='s1' xmlns='http://jabber.org/protocol/httpbind'>a</body>")),
		talk(says(0, "POST /gateway/gateway.dll?Action=open&Server=NS&IP=a HTTP/1.1\r\nContent-Length: 5\r\n\r\nVER 1"),
			says(1, "HTTP/1.1 200 OK\r\nX-MSN-Messenger: SessionID=1.2; GW-IP=1.2.3.4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nVER\r\n0\r\n\r\n")))
}
