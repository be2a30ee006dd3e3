package meter

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// through feeds messages to connections of one client, a minute each: the
// connection's digit, "C", "S", "G" (a gap of the client), "g" (of the server) or "F"
// (closed), and bytes. It gives what was yielded, in minutes.
func through(t *testing.T, messages ...string) (lines []string) {
	t.Helper()
	m, err := newMeter(atHome, rollcall.MaxEvent, nil)
	if err != nil {
		t.Fatal(err)
	}
	streams := make(map[byte]*stream)
	for i, message := range messages {
		now := morning.Add(time.Duration(i) * time.Minute)
		s := streams[message[0]]
		if s == nil {
			s = &stream{meter: m, opening: wire.Opening{Start: now, Whole: [2]bool{true, true}}}
			s.opening.Ends[wire.Client] = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.5"), 4000+uint16(message[0]))
			streams[message[0]] = s
		}
		switch data := []byte(message[2:]); message[1] {
		case 'C':
			_ = s.Feed(wire.Client, now, data)
		case 'S':
			_ = s.Feed(wire.Server, now, data)
		case 'G':
			s.Gap(wire.Client, now)
		case 'g':
			s.Gap(wire.Server, now)
		case 'F':
			s.End(now, wire.Closed)
			delete(streams, message[0])
		}
	}
	end := morning.Add(time.Duration(len(messages)-1) * time.Minute)
	for _, digit := range []byte("0123456789") {
		if s := streams[digit]; s != nil {
			s.End(end, wire.Cut)
		}
	}
	m.gateways.Close()
	m.directories.Close()
	return minutes(m.out)
}

func minutes(list []ingest.Sighting) (lines []string) {
	for _, s := range list {
		line := fmt.Sprintf("%s %s %s %g", s.Kind, s.Service, s.Account, s.Time.Sub(morning).Minutes())
		if !s.Until.IsZero() {
			line += fmt.Sprintf("-%g", s.Until.Sub(morning).Minutes())
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// post and reply write HTTP with a body.
func post(target, headers, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s", target, headers, len(body), body)
}

func reply(headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", headers, len(body), body)
}

// signOn is a sign-on to MSN, in messages.
var signOn = []string{"CVER 1 MSNP8 CVR0\r\n", "SVER 1 MSNP8\r\n", "CUSR 3 TWN I ann@mail.example\r\n", "SUSR 3 TWN S ct=1\r\n", "CUSR 4 TWN S t=x\r\n", "SUSR 4 OK ann@mail.example Ann 1 0\r\n", "SCHG 6 NLN 0\r\n"}

// within gives the messages in a connection.
func on(conn string, messages ...string) (out []string) {
	for _, turn := range messages {
		out = append(out, conn+turn)
	}
	return out
}

func TestProxies(t *testing.T) {
	msn := func(from float64) []string {
		return []string{fmt.Sprintf("login msn ann@mail.example %g", from+5), fmt.Sprintf("logout msn ann@mail.example %g", from+7), fmt.Sprintf("presence msn ann@mail.example %g-%g", from+6, from+7)}
	}
	for name, test := range map[string]struct {
		messages []string
		want     []string
	}{
		"CONNECT":           {slices.Concat([]string{"1CCONNECT a:1863 HTTP/1.1\r\nHost: a\r\n\r\n", "1SHTTP/1.1 200 OK\r\nVia: p\r\n\r\n"}, on("1", signOn...), []string{"1F"}), msn(2)},
		"CONNECT in pieces": {slices.Concat([]string{"1CCONN", "1CECT a:1863 HTTP/1.1\r\nHost: a\r\n", "1C\r\n", "1SHTTP/1.0 2", "1S00 OK\r\n", "1S\r\n"}, on("1", signOn...), []string{"1F"}), msn(6)},
		"CONNECT, with a password at the second try": {slices.Concat([]string{"1CCONNECT a:1863 HTTP/1.1\r\nHost: a\r\n\r\n", "1SHTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nbody",
			"1CCONNECT a:1863 HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n", "1SHTTP/1.1 200 OK\r\n\r\n"}, on("1", signOn...), []string{"1F"}), msn(4)},
		"CONNECT, with NTLM, a page in chunks": {slices.Concat([]string{"1CCONNECT a:1863 HTTP/1.0\r\nContent-Length: 0\r\nProxy-Connection: Keep-Alive\r\n\r\n", "1SHTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nVER 1\r\n0\r\n\r\n",
			"1CCONNECT a:1863 HTTP/1.0\r\nProxy-Authorization: NTLM TlRMTVNTUAAB\r\n\r\n", "1SHTTP/1.1 407 No\r\nProxy-Authenticate: NTLM TlRMTVNTUAAC\r\nContent-Length: 4\r\n\r\nbody",
			"1CCONNECT a:1863 HTTP/1.0\r\nProxy-Authorization: NTLM TlRMTVNTUAAD\r\n\r\n", "1SHTTP/1.0 200 Connection established\r\nContent-Length: 0\r\n\r\n"}, on("1", signOn...), []string{"1F"}), msn(6)},
		"CONNECT, closed at the first try, by the proxy": {slices.Concat([]string{"1CCONNECT a:1863 HTTP/1.0\r\n\r\n", "1SHTTP/1.0 407 No\r\nConnection: close\r\n\r\n<html>VER 1", "1F",
			"2CCONNECT a:1863 HTTP/1.0\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n", "2SHTTP/1.0 200 OK\n\n"}, on("2", signOn...), []string{"2F"}), msn(5)},
		"CONNECT, the client does not wait": {slices.Concat([]string{"1CCONNECT a:1863 HTTP/1.0\r\n\r\n" + signOn[0][1:], "1SHTTP/1.0 200 OK\r\n\r\n" + signOn[1][1:]}, on("1", signOn[2:]...), []string{"1F"}), msn(0)},
		"CONNECT in CONNECT":                {slices.Concat([]string{"1CCONNECT p:8080 HTTP/1.0\r\n\r\n", "1SHTTP/1.0 200 OK\r\n\r\n", "1CCONNECT a:1863 HTTP/1.0\r\n\r\n", "1SHTTP/1.0 200 OK\r\n\r\n"}, on("1", signOn...), []string{"1F"}), msn(4)},
		"a page, then CONNECT":              {slices.Concat([]string{"1CGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "1SHTTP/1.1 304 Not Modified\r\n\r\n", "1CCONNECT a:1863 HTTP/1.1\r\n\r\n", "1SHTTP/1.1 200 OK\r\n\r\n"}, on("1", signOn...), []string{"1F"}), msn(4)},
		"CONNECT refused":                   {append([]string{"1CCONNECT a:1863 HTTP/1.1\r\n\r\n", "1SHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}, on("1", signOn...)...), nil},
		"CONNECT, its answer missed":        {append([]string{"1CCONNECT a:1863 HTTP/1.1\r\n\r\n", "1g"}, on("1", signOn...)...), nil},
		"SOCKS 4":                           {slices.Concat([]string{"1C\x04\x01\x07\x47\x0a\x00\x00\x09me\x00", "1S\x00\x5a\x00\x00\x00\x00\x00\x00"}, on("1", signOn...), []string{"1F"}), msn(2)},
		"SOCKS 4a":                          {slices.Concat([]string{"1C\x04\x01\x07\x47\x00\x00\x00\x01\x00a.example\x00", "1S\x00\x5a\x00\x00\x00\x00\x00\x00"}, on("1", signOn...), []string{"1F"}), msn(2)},
		"SOCKS 4 refused":                   {append([]string{"1C\x04\x01\x07\x47\x0a\x00\x00\x09\x00", "1S\x00\x5b\x00\x00\x00\x00\x00\x00"}, on("1", signOn...)...), nil},
		"SOCKS 5": {slices.Concat([]string{"1C\x05\x02\x00\x02", "1S\x05\x02", "1C\x01\x02me\x06secret", "1S\x01\x00", "1C\x05\x01\x00\x03\x09a.example\x07\x47", "1S\x05\x00\x00\x01\x0a\x00\x00\x09\x04\x00"},
			on("1", signOn...), []string{"1F"}), msn(6)},
		"SOCKS 5 in SOCKS 4, byte by byte": {slices.Concat([]string{"1C\x04\x01\x07\x47\x0a\x00\x00\x09\x00", "1S\x00", "1S\x5a\x00\x00\x00\x00\x00\x00", "1C\x05\x01\x00", "1S\x05", "1S\x00", "1C\x05\x01\x00\x01\x0a\x00", "1C\x00\x09\x07\x47", "1S\x05\x00\x00\x01\x0a\x00\x00\x09\x04\x00"},
			on("1", signOn...), []string{"1F"}), msn(9)},
	} {
		if got := through(t, test.messages...); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// gzipped and zlibbed give a body in a content coding.
func gzipped(t *testing.T, body string) string {
	var b bytes.Buffer
	return coded(t, &b, gzip.NewWriter(&b), body)
}

func zlibbed(t *testing.T, body string) string {
	var b bytes.Buffer
	return coded(t, &b, zlib.NewWriter(&b), body)
}

func coded(t *testing.T, b *bytes.Buffer, w io.WriteCloser, body string) string {
	t.Helper()
	if _, err := io.WriteString(w, body); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The polls of one session may come over many connections.
// reason: a table, a case a way over HTTP, and the packets of each.
func TestGateways(t *testing.T) {
	const dll = "http://gateway.messenger.hotmail.com/gateway/gateway.dll?"
	const denied = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nContent-Length: 15\r\n\r\n<html>\r\nSorry\r\n"
	session := func(n int) string { return fmt.Sprintf("X-MSN-Messenger: SessionID=9.%d; GW-IP=1\r\n", n) }
	polls := []string{
		"1C" + post(dll+"Action=open&Server=NS&IP=x", "", signOn[0][1:]), "1S" + reply(session(1), signOn[1][1:]), "1F",
		"2C" + post(dll+"SessionID=9.1", "", signOn[2][1:]), "2S" + reply(session(2), signOn[3][1:]), "2F",
		"3C" + post(dll+"SessionID=9.2", "", signOn[4][1:]), "3S" + reply(session(3), signOn[5][1:]+signOn[6][1:]), "3F", // 6, 7, 8
	}
	later := []string{"4C" + post(dll+"Action=poll&SessionID=9.3", "", ""), "4S" + reply(session(4), ""), "4F"}
	ymsg := func(service int, status uint32, body string) string {
		var b []byte
		for _, word := range []byte(body) {
			if word == ' ' {
				b = append(b, 0xC0, 0x80)
			} else {
				b = append(b, word)
			}
		}
		h := binary.BigEndian.AppendUint16([]byte("YMSG\x0a\x00\x00\x00"), uint16(len(b)))
		h = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(h, uint16(service)), status)
		return string(append(append(h, 0, 0, 0, 0), b...))
	}
	yahoo := "http://shttp.msg.yahoo.com/notify/"
	bosh := func(attributes, stanzas string) string {
		return "<body xmlns='http://jabber.org/protocol/httpbind' " + attributes + ">" + stanzas + "</body>"
	}
	const xml, form = "Content-Type: text/xml; charset=utf-8\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
	const stream = "<stream:stream to='jab.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	flap := func(channel byte, seq int, body string) string {
		b := append([]byte{0x2A, channel}, 0, byte(seq), byte(len(body)>>8), byte(len(body)))
		return string(b) + body
	}
	aim := func(typ byte, data string) string {
		n := 12 + len(data)
		return string([]byte{byte(n >> 8), byte(n), 4, 0x43, 0, typ, 0, 0, 0, 0, 0, 0, 0, 1}) + data
	}
	tlv := func(typ byte, value string) string { return string([]byte{0, typ, 0, byte(len(value))}) + value }
	snac := func(family, subtype byte, body string) string {
		return string([]byte{0, family, 0, subtype, 0, 0, 0, 0, 0, 0}) + body
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00ann\x00secret"))
	for name, test := range map[string]struct {
		messages []string
		want     []string
	}{
		"MSN, over four connections": {append(slices.Clone(polls), later...), []string{"login msn ann@mail.example 7", "presence msn ann@mail.example 7-11"}},
		"MSN, closed by the server":  {append(slices.Clone(polls), "4C"+post(dll+"SessionID=9.3", "", "OUT\r\n"), "4S"+reply("X-MSN-Messenger: SessionID=9.4; Session=close\r\n", "")), []string{"login msn ann@mail.example 7", "logout msn ann@mail.example 9", "presence msn ann@mail.example 7-9"}},
		"MSN, closed by the server at the challenge": {append(slices.Clone(polls[:4]), "3C"+post(dll+"Action=poll&SessionID=9.1", "", ""), polls[4],
			"3S"+reply("X-MSN-Messenger: SessionID=9.2; Session=close\r\n", "")), nil},
		"MSN, an answer missed": {slices.Concat(polls[:7], []string{"3g", "3F"}, later), nil},
		"MSN, a proxy's error page between": {slices.Concat(polls, []string{"4C" + post(dll+"Action=poll&SessionID=9.3", "", ""), "4SHTTP/1.0 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>\r\nSorry\r\n", "4F"}, later),
			[]string{"login msn ann@mail.example 7", "presence msn ann@mail.example 7-14"}},
		"MSN, a password for the proxy at the second try": {slices.Concat([]string{"1C" + post(dll+"Action=open&Server=NS&IP=x", "", signOn[0][1:]), "1S" + denied}, polls),
			[]string{"login msn ann@mail.example 9", "presence msn ann@mail.example 9-10"}},
		"MSN, a password for the proxy asked again": {slices.Concat(polls[:6], []string{"3C" + post(dll+"SessionID=9.2", "", signOn[4][1:]), "3S" + denied}, polls[6:], later),
			[]string{"login msn ann@mail.example 9", "presence msn ann@mail.example 9-13"}},
		"MSN, another number from the server": {slices.Concat(polls[:7], []string{"3S" + reply("X-MSN-Messenger: SessionID=12.3; GW-IP=1\r\n", signOn[5][1:]+signOn[6][1:]), "3F"},
			[]string{"4C" + post(dll+"Action=poll&SessionID=12.3", "", ""), "4S" + reply("X-MSN-Messenger: SessionID=12.4; Session=close\r\n", "OUT OTH\r\n")}),
			[]string{"login msn ann@mail.example 7", "logout msn ann@mail.example 10", "presence msn ann@mail.example 7-10"}},
		"MSN, packed by the proxy": {slices.Concat(polls[:7], []string{"3S" + reply(session(3)+"Content-Encoding: gzip\r\n", gzipped(t, signOn[5][1:]+signOn[6][1:])), "3F"}, later),
			[]string{"login msn ann@mail.example 7", "presence msn ann@mail.example 7-11"}},
		"BOSH, packed": {[]string{"1C" + post("/http-bind", xml, bosh("rid='1' to='jab.example'", "")), "1S" + reply(xml+"Content-Encoding: deflate\r\n", zlibbed(t, bosh("sid='s1'", "<stream:features/>"))),
			"2C" + post("/http-bind", xml, bosh("rid='2' sid='s1'", "<auth mechanism='PLAIN'>"+plain+"</auth>")), "2S" + reply(xml+"Content-Encoding: x-gzip\r\n", gzipped(t, bosh("", "<success/>"))),
			"1C" + post("/http-bind", xml, bosh("rid='4' sid='s1'", "<presence/>")), "2C" + post("/http-bind", xml, bosh("rid='6' sid='s1' type='terminate'", ""))},
			[]string{"login jabber ann@jab.example 3", "logout jabber ann@jab.example 5", "presence jabber ann@jab.example 4-5"}},
		"Yahoo!": {[]string{"1C" + post(yahoo, "", ymsg(0x57, 0, "1 ann ")), "1S" + reply("", "\x00\x00\x00\x01"+ymsg(0x57, 1, "1 ann 94 seed ")),
			"1C" + post(yahoo, "", ymsg(0x54, 0, "0 ann 6 hash 1 ann ")), "1S" + reply("", ymsg(0x55, 0, "87 x ")+ymsg(1, 0, "0 ann 1 ann ")), "1F"},
			[]string{"login yahoo ann 3", "presence yahoo ann 3-4"}},
		"BOSH": {[]string{"1C" + post("/http-bind", xml, bosh("rid='1' to='jab.example'", "")), "1S" + reply(xml, bosh("sid='s1'", "<stream:features/>")),
			"2C" + post("/http-bind", xml, bosh("rid='2' sid='s1'", "<auth mechanism='PLAIN'>"+plain+"</auth>")), "2S" + reply(xml, bosh("", "<success/>")),
			"1C" + post("/http-bind", xml, bosh("rid='3' sid='s1' xmpp:restart='true'", "")), "1S" + reply(xml, bosh("", "<stream:features/>")),
			"1C" + post("/http-bind", xml, bosh("rid='4' sid='s1'", "<presence/>")), "2C" + post("/http-bind", xml, bosh("rid='5' sid='s1'", "<message to='b@x'><body>hi</body></message>")), "1S" + reply(xml, bosh("", "")),
			"2C" + post("/http-bind", xml, bosh("rid='6' sid='s1' type='terminate'", "<presence type='unavailable'/>"))},
			[]string{"login jabber ann@jab.example 3", "logout jabber ann@jab.example 9", "presence jabber ann@jab.example 6-9", "use jabber ann@jab.example 7"}},
		"BOSH, as text": {[]string{"1C" + post("/http-bind/", "Content-Type: text/plain;charset=UTF-8\r\n", bosh("rid='1' to='jab.example'", "")), "1S" + reply(xml, bosh("sid='s1'", "<stream:features/>")),
			"1C" + post("/http-bind/", "", bosh("rid='2' sid='s1'", "<auth mechanism='PLAIN'>"+plain+"</auth>")), "1S" + reply("", bosh("", "<success/>")), "1C" + post("/http-bind/", "", bosh("rid='3' sid='s1'", "<presence/>")), "1S" + reply("", bosh("type='terminate' condition='remote-stream-error'", ""))},
			[]string{"login jabber ann@jab.example 3", "logout jabber ann@jab.example 5", "presence jabber ann@jab.example 4-5"}},
		"Jabber's polling, before BOSH": {[]string{"1C" + post("/webclient", form, "0;VvxEk07IFy6hUmG/PPBlTLE2fiA=,"+stream), "1S" + reply("Set-Cookie: ID=7776:2054; path=/webclient/; expires=-1\r\n"+xml, stream+"<stream:features/>"),
			"2C" + post("/webclient", form, "7776:2054;moPFsvHytDGiJQTt6Ln0K7ZRXLs=,<auth mechanism='PLAIN'>"+plain+"</auth>"), "2S" + reply("Set-Cookie: ID=7776:2054; path=/webclient/; expires=-1\r\n"+xml, "<success/>"),
			"1C" + post("/webclient", form, "7776:2054;a,"+stream), "1S" + reply(xml, stream+"<stream:features/>"), "1C" + post("/webclient", form, "7776:2054;b,<presence/><message to='b@x'><body>hi</body></message>"), "1S" + reply(xml, ""),
			"1C" + post("/webclient", form, "7776:2054;c,"), "1S" + reply("Set-Cookie: ID=0:0; path=/webclient/; expires=-1\r\n"+xml, ""), "1C" + post("/other", form, "7777:1,<presence/>"), "1C" + post("/search", form, "q=a,b&x=0,<presence/>")},
			[]string{"login jabber ann@jab.example 3", "logout jabber ann@jab.example 9", "presence jabber ann@jab.example 6-9", "use jabber ann@jab.example 6"}},
		"Jabber's polling, without keys": {[]string{"1C" + post("/webclient", form, "0,"+stream), "1S" + reply("Set-Cookie: ID=a1; path=/webclient/; expires=-1\r\n"+xml, stream), "1C" + post("/webclient", form, "a1,<auth mechanism='PLAIN'>"+plain+"</auth>"), "1S" + reply(xml, "<success/>"),
			"1C" + post("/webclient", form, "a1,<presence/>"), "1S" + reply(xml, ""), "1C" + post("/webclient", form, "a1,</stream:stream>")},
			[]string{"login jabber ann@jab.example 3", "logout jabber ann@jab.example 6", "presence jabber ann@jab.example 4-6"}},
		"AIM's proxy": {[]string{"1CGET http://proxy/hello HTTP/1.1\r\n\r\n", "1S" + reply("", aim(2, "")),
			"1C" + post("http://proxy/data?sid=aa&seq=1", "", aim(3, "login")), "1S" + reply("", ""),
			"1C" + post("http://proxy/data?sid=aa&seq=2", "", aim(5, flap(1, 1, "\x00\x00\x00\x01")+flap(2, 2, snac(0x17, 6, tlv(1, "ann"))))), "2CGET http://proxy/monitor?sid=aa HTTP/1.1\r\n\r\n",
			"2S" + reply("", aim(5, flap(1, 1, "\x00\x00\x00\x01")+flap(2, 2, snac(0x17, 3, tlv(1, "ann")+tlv(5, "h:1")+tlv(6, "c"))))), "2F"},
			[]string{"login aim ann 6"}},
		"a page": {[]string{"1CGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "1SHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nVER 1\r\n0\r\n\r\n", "1C" + post("/b", xml, "<rss/>"), "1SHTTP/1.1 204 No\r\n\r\n"}, nil},
	} {
		if got := through(t, test.messages...); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Where the beginning of a connection was not seen, what a body has of a messenger
// is not read as the connection's own.
func TestBodiesInMidStream(t *testing.T) {
	const dll = "http://gateway.messenger.hotmail.com/gateway/gateway.dll?SessionID=9.1"
	for name, messages := range map[string][]wire.Side{"the client's": {wire.Client}, "the server's": {wire.Server}, "both": {wire.Client, wire.Server}} {
		m, err := newMeter(atHome, rollcall.MaxEvent, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &stream{meter: m, opening: wire.Opening{Start: morning}}
		said := [2]string{post(dll, "", "CHG 6 NLN 0\r\n"), reply("X-MSN-Messenger: SessionID=9.2\r\n", "USR 4 OK ann@mail.example Ann 1 0\r\nCHG 6 NLN 0\r\n")}
		for _, side := range messages {
			_ = s.Feed(side, morning, []byte(said[side]))
		}
		s.End(morning.Add(time.Hour), wire.Closed)
		m.gateways.Close()
		if len(m.out) > 0 {
			t.Errorf("%s: got %q", name, minutes(m.out))
		}
	}
}
