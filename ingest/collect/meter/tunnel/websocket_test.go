package tunnel

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/wire"
)

// opened gives what comes through a WebSocket, and the error of the last bytes:
// messages are of the server, after the client's "<open/>".
func opened(t *testing.T, extensions string, messages ...string) (string, *Gateways, error) {
	t.Helper()
	inner := new(heard)
	budget := inflate.NewBudget(64 << 20)
	hub := NewGateways(Inner{XMPP: func(wire.Opening) wire.Dissector { return inner }, Budget: budget})
	w := hub.openWebSocket(wire.Opening{Start: noon}, true, &head{lines: "Upgrade: websocket\r\n" + extensions})
	err := w.Feed(wire.Client, noon, []byte("\x81\x07<open/>"))
	for _, m := range messages {
		if err == nil {
			err = w.Feed(wire.Server, noon, []byte(m))
		}
	}
	if budget.Held() > 2*(3<<14+1+2<<10) {
		t.Errorf("%d bytes are held", budget.Held())
	}
	if again := w.Feed(wire.Server, noon, []byte("\x81\x01x")); !errors.Is(again, err) {
		t.Errorf("after %v: %v", err, again)
	}
	w.End(noon, wire.Closed)
	if budget.Held() != 0 {
		t.Errorf("%d bytes are held at the end", budget.Held())
	}
	return strings.TrimSuffix(string(inner.sides[wire.Server]), "x"), hub, err
}

const (
	agreed = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	alone  = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
)

// The examples of RFC 7692, 7.2.3, and what its section 6 forbids.
func TestPackedMessages(t *testing.T) {
	for name, test := range map[string]struct {
		extensions string
		frames     string
		want       string
		err        error
	}{
		"one block":                       {agreed, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", nil},
		"two frames":                      {agreed, "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00", "Hello", nil},
		"a ping between two frames":       {agreed, "\x41\x03\xf2\x48\xcd\x89\x02hi\x80\x04\xc9\xc9\x07\x00", "Hello", nil},
		"referring to the message before": {agreed, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00", "HelloHello", nil},
		"referring, in clear between":     {agreed, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x01.\xc1\x05\xf2\x00\x11\x00\x00", "Hello.Hello", nil},
		"a block that is not packed":      {agreed, "\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello", nil},
		"a last block":                    {agreed, "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHello", nil},
		"two blocks":                      {agreed, "\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello", nil},
		"empty messages":                  {agreed, "\xc1\x01\x00\xc1\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", nil},
		"each message alone":              {alone, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHello", nil},
		"alone, and yet referring":        {alone, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloH gap Hello", nil},
		"not packed after all":            {agreed, "\xc1\x02\x07\x00\x81\x01a\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x01b", " gap a gap b", nil},
		"ended within a block":            {agreed, "\xc1\x03\xf2\x48\xcd\x81\x01a", "Heh gap a", nil},
		"nothing was agreed on":           {"", "\x81\x01a\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "a", errReserved},
		"another extension":               {"Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "", errReserved},
		"the second of two lines":         {"Sec-WebSocket-Extensions: mux\r\nsec-websocket-extensions: permessage-deflate; server_max_window_bits=\"10\"\r\n", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", nil},
		"an unknown parameter":            {"Sec-WebSocket-Extensions: permessage-deflate; level=9\r\n", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "", errReserved},
		"a window that can't be":          {"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "", errReserved},
		"said of a second frame too":      {agreed, "\x41\x03\xf2\x48\xcd\xc0\x04\xc9\xc9\x07\x00", "", errReserved},
		"said of a ping":                  {agreed, "\xc9\x01\x00", "", errReserved},
		"a second reserved bit":           {agreed, "\xe1\x01\x00", "", errReserved},
		"a part of nothing":               {agreed, "\x80\x01a", "", errFragment},
		"a message in another":            {agreed, "\x01\x01a\x81\x01b", "a", errFragment},
	} {
		for _, size := range []int{1, 1000} {
			var parts []string
			for part := range slices.Chunk([]byte(test.frames), size) {
				parts = append(parts, string(part))
			}
			got, _, err := opened(t, test.extensions, parts...)
			if got != test.want && !(test.err != nil && test.want == "") || !errors.Is(err, test.err) {
				t.Errorf("%s, in parts of %d: got %q, %v, want %q, %v", name, size, got, err, test.want, test.err)
			}
		}
	}
}

// zeros gives a packed message of so many zeros, in one frame.
func zeros(t *testing.T, kib int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for range kib {
		if _, err := w.Write(make([]byte, 1<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	n := b.Len() - 4
	return string([]byte{0xc1, 127, 0, 0, 0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}) + b.String()[:n]
}

// A bomb is cut off at the message's limit. What comes after it is read, unless
// it refers to what is too much to unpack; what is in clear always.
func TestBombs(t *testing.T) {
	const hello = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"
	for name, test := range map[string]struct {
		extensions string
		mib        int
		want       string
	}{
		"as long as is read":        {agreed, 1, "Hello a"},
		"longer":                    {agreed, 8, " gap Hello a"},
		"much longer":               {agreed, 64, " gap  gap  a"},
		"much longer, each alone":   {alone, 64, " gap Hello a"},
		"as long as is read, alone": {alone, 1, "Hello a"},
	} {
		got, _, err := opened(t, test.extensions, zeros(t, 1024*test.mib), hello, "\x81\x02 a")
		zeros := strings.Count(got, "\x00")
		if got = strings.ReplaceAll(got, "\x00", ""); got != test.want || zeros != unpackedMost || err != nil {
			t.Errorf("%s: got %q and %d zeros, %v, want %q", name, got, zeros, err, test.want)
		}
	}
}

// Where very many are held, further ones are not unpacked.
func TestWindowsAreBounded(t *testing.T) {
	inner := new(heard)
	budget := inflate.NewBudget(1 << 20)
	hub := NewGateways(Inner{XMPP: func(wire.Opening) wire.Dissector { return inner }, Budget: budget})
	full := zeros(t, 64)
	var all []*webSocket
	for range 50 {
		w := hub.openWebSocket(wire.Opening{Start: noon}, true, &head{lines: agreed})
		if err := w.Feed(wire.Server, noon, []byte(full)); err != nil {
			t.Fatal(err)
		}
		if all = append(all, w); budget.Held() > 1<<20 {
			t.Fatalf("%d bytes are held by %d", budget.Held(), len(all))
		}
		inner.sides[wire.Server] = nil
	}
	for _, w := range all {
		w.End(noon, wire.Closed)
	}
	if budget.Held() != 0 {
		t.Errorf("%d bytes are held at the end", budget.Held())
	}
}

// Each message alone may be a bomb; all of them together become not much more than 64
// bytes for each of theirs.
func TestManyBombs(t *testing.T) {
	var inner heard
	hub := NewGateways(Inner{XMPP: func(wire.Opening) wire.Dissector { return &inner }, Budget: inflate.NewBudget(64 << 20)})
	w := hub.openWebSocket(wire.Opening{Start: noon}, true, &head{lines: alone})
	bomb, unpacked := zeros(t, 1024), 0
	messages := slices.Repeat([]string{bomb}, 600)
	for _, m := range append(messages, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00") {
		inner.sides[wire.Server] = inner.sides[wire.Server][:0]
		if err := w.Feed(wire.Server, noon, []byte(m)); err != nil {
			t.Fatal(err)
		}
		unpacked += len(inner.sides[wire.Server])
	}
	if most := 256<<20 + 600*(64*len(bomb)+100); unpacked > most || string(inner.sides[wire.Server]) != "Hello" {
		t.Errorf("%d bytes, want %d at most; the last %q", unpacked, most, inner.sides[wire.Server])
	}
}

// What waits for the client's first bytes is in few parts, of messages of a byte too,
// and is told as it would be of one.
func TestEarly(t *testing.T) {
	var inner heard
	hub := NewGateways(Inner{Open: func(wire.Opening) wire.Dissector { return &inner }})
	w := hub.openWebSocket(wire.Opening{Start: noon}, true, &head{})
	for range earlyMost / 2 {
		if err := w.Feed(wire.Server, noon, []byte("\x81\x01a")); err != nil || len(w.early) > earlyParts {
			t.Fatalf("%d parts wait, %v", len(w.early), err)
		}
	}
	if err := w.Feed(wire.Client, noon, []byte("\x81\x06<?xml ")); err != nil {
		t.Fatal(err)
	}
	if said := string(inner.sides[wire.Server]); said != strings.Repeat("a", earlyMost/2) || string(inner.sides[wire.Client]) != "<?xml " {
		t.Errorf("%d bytes and %q", len(said), inner.sides[wire.Client])
	}
}

// A body in a coding is read where it becomes not very much more.
func TestDecoded(t *testing.T) {
	for name, test := range map[string]struct {
		plain string
		want  bool
	}{
		"little": {"<body/>", true}, "little, of one letter": {strings.Repeat("a", decodedLeast), true},
		"a list": {strings.Repeat("<item jid='ann@jab.example'/><item jid='bob@jab.example'/>", 100), true}, "a bomb": {strings.Repeat("a", unpackedMost), false},
	} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(test.plain)); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		if got, ok := decoded(b.Bytes(), "gzip"); ok != test.want || ok && string(got) != test.plain {
			t.Errorf("%s, %d bytes: %t, %d bytes", name, b.Len(), ok, len(got))
		}
	}
}

// Of the many forms and texts that are sent to the web, only the answers to those of a
// session are kept until they are whole.
func TestAnswersToOthers(t *testing.T) {
	const stream = "0,<stream:stream to='jab.example' xmlns='jabber:client'>"
	for _, test := range []struct {
		kind, body string
		kept       int
	}{
		{"application/x-www-form-urlencoded", "name=ann&to=0,5", 0}, {"text/plain", "hello", 0}, {"", "<a/>", 0},
		{"application/x-www-form-urlencoded", stream, 7}, {"text/xml", "<body xmlns='http://jabber.org/protocol/httpbind' to='jab.example'/>", 7},
	} {
		here := func(wire.Opening) wire.Dissector { return new(heard) }
		c := NewGateways(Inner{Open: here, XMPP: here}).OpenHTTP(wire.Opening{Start: noon})
		asked := c.Feed(wire.Client, noon, fmt.Appendf(nil, "POST /a HTTP/1.1\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", test.kind, len(test.body), test.body))
		answered := c.Feed(wire.Server, noon, []byte("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<html>\n"))
		if n := len(c.parse[wire.Server].body); asked != nil || answered != nil || n != test.kept {
			t.Errorf("%q, %q: %d bytes are kept, want %d; %v, %v", test.kind, test.body, n, test.kept, asked, answered)
		}
	}
}

// What is inside is told by the client's first bytes, and the subprotocol.
func TestInside(t *testing.T) {
	for name, test := range map[string]struct {
		xmpp  bool
		first string
		want  bool
	}{
		"RFC 7395": {true, " <open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", true}, "without its subprotocol": {false, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", true},
		"as before it": {true, "<stream:stream>", false}, "with a declaration": {true, "<?xml version='1.0'?>", false},
		"in the middle": {true, "<presence/>", true}, "another's": {false, "VER 1 MSNP8 CVR0\r\n", false},
	} {
		for _, size := range []int{1, 100} {
			yes, sure := false, false
			for n := size; !sure && n <= max(len(test.first), size); n += size {
				yes, sure = framed([]byte(test.first[:min(n, len(test.first))]), test.xmpp)
			}
			if yes != test.want || !sure {
				t.Errorf("%s, %d bytes: %t, %t", name, size, yes, sure)
			}
		}
	}
}

// ending tells its number when it is let go.
type ending struct {
	heard
	tell func()
}

// End tells it.
func (e *ending) End(time.Time, wire.End) { e.tell() }

// TestSessionsOfMany: the sessions that polls carry are bounded; those that were silent for
// longest end for others, the same ones each time.
func TestSessionsOfMany(t *testing.T) {
	ended := func() (numbers []int) {
		begun := 0
		hub := NewGateways(Inner{XMPP: func(wire.Opening) wire.Dissector {
			begun++
			return &ending{tell: func(n int) func() { return func() { numbers = append(numbers, n) } }(begun)}
		}})
		c := hub.OpenHTTP(wire.Opening{Start: noon})
		for i := range sessionsMost + 3 {
			hub.find(c, bosh, fmt.Sprint(i), noon.Add(-time.Duration(i/2000)*time.Minute))
			if len(hub.sessions)+len(hub.loose) > sessionsMost {
				t.Fatalf("%d sessions are followed", len(hub.sessions)+len(hub.loose))
			}
		}
		return numbers
	}
	first, second := ended(), ended()
	if len(first) == 0 || len(first) > sessionsMost/16 || first[0] != 4001 || !slices.Equal(first, second) {
		t.Errorf("%d ended, then %d: %v, %v", len(first), len(second), first[:min(len(first), 9)], second[:min(len(second), 9)])
	}
}
