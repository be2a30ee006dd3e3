package meter

import (
	"encoding/base64"
	"slices"
	"testing"

	"rollcall"
	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/wire"
)

// frames writes a text as a WebSocket's frames of so many bytes, a ping between,
// masked or not.
func frames(text string, size int, masked bool) (out string) {
	frame := func(flags byte, text string) {
		mask := []byte{0x37, 0xFA, 0x21, 0x3D}
		b := []byte(text)
		n := byte(len(b))
		if masked {
			n |= 0x80
		} else {
			mask = nil
		}
		for i := range b {
			if masked {
				b[i] ^= mask[i&3]
			}
		}
		out += string([]byte{flags, n}) + string(mask) + string(b)
	}
	for at := 0; at < len(text); at += size {
		end := min(len(text), at+size)
		flags := byte(0)
		if at == 0 {
			flags = 1
		} else {
			frame(0x89, "still there?")
		}
		if end == len(text) {
			flags |= 0x80
		}
		frame(flags, text[at:end])
	}
	return out
}

func TestWebSockets(t *testing.T) {
	talk := func(conn string, size int, serverMasks bool, messages ...string) (out []string) {
		for _, m := range messages {
			out = append(out, conn+m[:1]+frames(m[1:], size, m[0] == 'C' || serverMasks))
		}
		return out
	}
	const framing = " xmlns='urn:ietf:params:xml:ns:xmpp-framing' "
	auth := "C<auth mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte("\x00ann\x00secret")) + "</auth>"
	rfc := []string{"C<open" + framing + "to='jab.example'/>", "S<open" + framing + "from='jab.example'/>", auth, "S<success/>", "C<presence/>", "C<close" + framing + "/>"}
	before := []string{"C<stream:stream to='jab.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
		"S<stream:stream from='jab.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>", auth, "S<success/>", "C<presence/>", "C</stream:stream>"}
	asked := func(target, protocol string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: jab.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + protocol + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
	}
	const xmpp, granted = "Sec-WebSocket-Protocol: chat, xmpp\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	begin := []string{"1C" + asked("/ws", xmpp), "1S" + granted}
	want := func(from string) []string {
		return map[string][]string{
			"2": {"login jabber ann@jab.example 5", "logout jabber ann@jab.example 7", "presence jabber ann@jab.example 6-7"},
			"4": {"login jabber ann@jab.example 7", "logout jabber ann@jab.example 9", "presence jabber ann@jab.example 8-9"},
		}[from]
	}
	for name, test := range map[string]struct {
		messages []string
		want     []string
	}{
		"in clear":                         {append(begin, talk("1", 125, false, rfc...)...), want("2")},
		"in small frames":                  {append(begin, talk("1", 3, false, rfc...)...), want("2")},
		"both masked":                      {append(begin, talk("1", 20, true, rfc...)...), want("2")},
		"without its subprotocol":          {append([]string{"1C" + asked("/ws", ""), "1S" + granted}, talk("1", 125, false, rfc...)...), want("2")},
		"with a stream, as before the RFC": {append(begin, talk("1", 125, false, before...)...), want("2")},
		"by a proxy":                       {append([]string{"1C" + asked("http://jab.example/ws", xmpp), "1S" + granted}, talk("1", 125, false, rfc...)...), want("2")},
		"in CONNECT":                       {append([]string{"1CCONNECT jab.example:80 HTTP/1.1\r\n\r\n", "1SHTTP/1.1 200 OK\r\n\r\n", "1C" + asked("/ws", xmpp), "1S" + granted}, talk("1", 125, false, rfc...)...), want("4")},
		"refused, then on another":         {slices.Concat([]string{"1C" + asked("/ws", xmpp), "1SHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "2C" + asked("/ws", xmpp), "2S" + granted}, talk("2", 125, false, rfc...)), want("4")},
		"a password for the proxy at the second try": {slices.Concat([]string{"1C" + asked("http://jab.example/ws", xmpp), "1SHTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nbody", "1C" + asked("http://jab.example/ws", xmpp), "1S" + granted}, talk("1", 125, false, rfc...)), want("4")},
		"packed, which nothing allows":               {append(begin, "1C\xc1\x87\x00\x00\x00\x00\xf2\x48\xcd\xc9\xc9\x07\x00", talk("1", 125, false, rfc...)[0]), nil},
		"closed, its stream left open": {slices.Concat(begin, talk("1", 125, false, rfc[:5]...), []string{"1C\x88\x82\x00\x00\x00\x00\x03\xe8", "1S\x88\x02\x03\xe8", "1F"}),
			[]string{"login jabber ann@jab.example 5", "logout jabber ann@jab.example 9", "presence jabber ann@jab.example 6-9"}},
		"closed by the server's word": {slices.Concat(begin, talk("1", 125, false, rfc[:5]...), talk("1", 125, false, "S<close"+framing+"/>")), want("2")},
		"a page's own":                {append([]string{"1C" + asked("/live", ""), "1S" + granted}, talk("1", 125, false, "C{\"subscribe\":\"VER 1 MSNP8\"}", "S{\"USR 4 OK ann@mail.example Ann\":0}")...), nil},
		"MSN":                         {append([]string{"1C" + asked("/tcp", "Sec-WebSocket-Protocol: binary\r\n"), "1S" + granted}, talk("1", 125, false, signOn...)...), []string{"login msn ann@mail.example 7", "presence msn ann@mail.example 8-9"}},
	} {
		if got := through(t, test.messages...); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// What can't be unpacked is told among the streams that were given up, as the rest of
// what is not read.
func TestPackedIsToldUnread(t *testing.T) {
	m, err := newMeter(atHome, rollcall.MaxEvent, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{meter: m, opening: wire.Opening{Start: morning, Whole: [2]bool{true, true}}}
	_ = s.Feed(wire.Client, morning, []byte("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"))
	_ = s.Feed(wire.Server, morning, []byte("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"))
	_ = s.Feed(wire.Client, morning, []byte("\xc1\x01\x07"))
	s.End(morning, wire.Closed)
	if got := m.told().GivenUp; got[inflate.ErrCorrupt.Error()] != 1 || len(m.stats.GivenUp) > 0 {
		t.Errorf("told %v", got)
	}
}
