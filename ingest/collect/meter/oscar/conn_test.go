package oscar

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

func line(s ingest.Sighting) string {
	l := fmt.Sprintf("%s %s %s %g", s.Kind, s.Service, s.Account, s.Time.Sub(noon).Minutes())
	if !s.Until.IsZero() {
		l += fmt.Sprintf("-%g", s.Until.Sub(noon).Minutes())
	}
	return l
}

// conversation is a connection of a test.
type conversation struct {
	opening wire.Opening
	why     wire.End
	talk    []say
}

// TestSessions reads conversations and wants the visits that they were.
// reason: a table, a case a way that a session begins, goes on or ends.
func TestSessions(t *testing.T) {
	online := say{client, 2, snacs(2, oservice, clientOnline)}
	mine := say{server, 2, snacs(102, oservice, selfInfo, named("Ann Panel"), u16(0), u16(0))}
	late := wire.Opening{Start: noon}
	oldHello := say{client, 0, greeting(1, tlv(tlvName, "1000201"), tlv(tlvPassword, "\xf3\x26\x81"), tlv(tlvClient, "ICQ 2000b"))}
	for name, test := range map[string]struct {
		conns   []conversation
		want    []string
		unnamed int
	}{
		"accepted, online, signed off by FIN": {[]conversation{
			{whole, wire.Closed, login("Ann Panel", accept("c1"))},
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{mine, online, {server, 9, flap(keepAlive, 103)}})},
		}, []string{"login aim annpanel 0", "presence aim annpanel 2-10", "logout aim annpanel 10"}, 0},
		"known by the cookie alone": {[]conversation{
			{whole, wire.Closed, login("1000201", accept("c1"))},
			{whole, wire.Reset, slices.Concat(begin("c1", bos...), []say{online})},
		}, []string{"login icq 1000201 0", "presence icq 1000201 2-3", "logout icq 1000201 3"}, 0},
		"refused": {[]conversation{{whole, wire.Closed, login("ann panel", tlv(tlvError, "\x00\x05"))}},
			[]string{"login_failed aim annpanel 0"}, 0},
		"accepted twice": {[]conversation{{whole, wire.Closed, slices.Concat(login("ann", accept("c1"))[:6], login("ann", accept("c1"))[5:])}},
			[]string{"login aim ann 0"}, 0},
		"refused twice": {[]conversation{{whole, wire.Closed, slices.Concat(login("ann", tlv(tlvError, "\x00\x05"))[:6], login("ann", tlv(tlvError, "\x00\x05"))[5:])}},
			[]string{"login_failed aim ann 0"}, 0},
		"a login that never came online": {[]conversation{{whole, wire.Closed, login("ann", accept("c1"))}},
			[]string{"login aim ann 0"}, 0},
		"signed off on channel 4 before the FIN": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{mine, online, {client, 5, flap(signOff, 3)}, {server, 6, flap(keepAlive, 103)}})},
		}, []string{"login aim annpanel 0", "presence aim annpanel 2-5", "logout aim annpanel 5"}, 0},
		"still open at the end of the capture": {[]conversation{
			{whole, wire.Cut, slices.Concat(begin("c1", bos...), []say{mine, online})},
		}, []string{"login aim annpanel 0", "presence aim annpanel 2-4"}, 0},
		"secondary service by its families": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", 1, chatNav), []say{mine, online})},
			{whole, wire.Closed, slices.Concat(begin("c2", 1, chat), []say{mine, online})},
			{whole, wire.Closed, slices.Concat(begin("c3", 1, icons), []say{mine, online})},
		}, nil, 0},
		"secondary service by the cookie that the session was given": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{mine, online,
				{server, 3, snacs(103, oservice, serviceResponse, tlv(0x0D, "\x00\x0d"), accept("c2"))}})},
			{whole, wire.Closed, []say{{client, 4, greeting(1, tlv(tlvCookie, "c2"))}, {server, 4, greeting(100)}, mine, online}},
		}, []string{"login aim annpanel 0", "presence aim annpanel 2-4", "logout aim annpanel 4"}, 0},
		"old style, accepted": {[]conversation{
			{whole, wire.Closed, []say{oldHello, {server, 0, greeting(100)}, {server, 0, flap(signOff, 101, tlv(tlvName, "1000201"), accept("c1"))}}},
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{online})},
		}, []string{"login icq 1000201 0", "presence icq 1000201 2-3", "logout icq 1000201 3"}, 0},
		"old style, refused": {[]conversation{
			{whole, wire.Closed, []say{oldHello, {server, 0, greeting(100)}, {server, 0, flap(signOff, 101, tlv(tlvName, "1000201"), tlv(4, "http://"), tlv(tlvError, "\x00\x05"))}}},
		}, []string{"login_failed icq 1000201 0"}, 0},
		"contacts are not the user": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{mine, online,
				{server, 3, snacs(103, buddy, 0x0B, named("bob"), u16(0), u16(0))}, {server, 4, snacs(104, buddy, 0x0C, named("bob"), u16(0), u16(0))}})},
		}, []string{"login aim annpanel 0", "presence aim annpanel 2-5", "logout aim annpanel 5"}, 0},
		"already open: presence, no login": {[]conversation{
			{late, wire.Closed, []say{{server, 1, snacs(101, buddy, 0x0B, named("bob"))}, mine, {server, 7, snacs(103, icbm, 7)}}},
		}, []string{"presence aim annpanel 0-8", "logout aim annpanel 8"}, 0},
		"already open, but a chat": {[]conversation{
			{late, wire.Closed, []say{{server, 1, snacs(101, chat, 6)}, mine, {server, 7, snacs(103, chat, 6)}}},
		}, nil, 0},
		"a session with no name": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{online})},
		}, nil, 1},
		"a server's SNAC from the client is nothing": {[]conversation{
			{whole, wire.Closed, []say{{client, 0, greeting(1)}, {client, 0, snacs(2, bucp, loginReply, tlv(tlvName, "eve"), accept("c"))}}},
		}, nil, 0},
		"SNAC with a block before its body": {[]conversation{
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{
				{server, 2, flap(snac, 102, u16(oservice), u16(selfInfo), u16(flagBlock), make([]byte, 4), u16(6), tlv(1, "ab"), named("Ann"), u16(0), u16(0))}, online})},
		}, []string{"login aim ann 0", "presence aim ann 2-3", "logout aim ann 3"}, 0},
		"a sign-on by e-mail address, named in the session": {[]conversation{
			{whole, wire.Closed, login("Ann@Mail.example", accept("c1"))},
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{{server, 2, snacs(102, oservice, selfInfo, named("1000201"), u16(0), u16(0))}, online})},
		}, []string{"login icq 1000201 0", "presence icq 1000201 2-3", "logout icq 1000201 3"}, 0},
		"a sign-on by e-mail address that is never named": {[]conversation{
			{whole, wire.Closed, login("Ann@Mail.example", accept("c1"))},
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{online})},
		}, nil, 1},
		"a refused e-mail address": {[]conversation{{whole, wire.Closed, login("ann@mail.example", tlv(tlvError, "\x00\x05"))}}, nil, 1},
		"sent on to another server": {[]conversation{
			{whole, wire.Closed, login("ann", accept("c1"))},
			{whole, wire.Closed, slices.Concat(begin("c1", bos...), []say{mine, online,
				{server, 5, snacs(103, oservice, migrate, u16(2), u16(1), u16(4), accept("c2"))}})},
			{whole, wire.Closed, slices.Concat(begin("c2", bos...), []say{mine, online})},
		}, []string{"login aim ann 0", "presence aim annpanel 2-6", "presence aim annpanel 2-3", "logout aim annpanel 3"}, 0},
		"closed in mid-login": {[]conversation{{whole, wire.Closed, login("ann")[:5]}}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := listen(rollcall.MaxEvent)
			for _, c := range test.conns {
				if err := run(h.Sessions, c.opening, c.why, c.talk); err != nil {
					t.Fatal(err)
				}
			}
			if got := h.lines(); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if h.unnamed != test.unnamed {
				t.Errorf("unnamed: got %d, want %d", h.unnamed, test.unnamed)
			}
		})
	}
}

func TestLongSessionInPieces(t *testing.T) {
	h := listen(rollcall.MaxEvent)
	talk := slices.Concat(begin("c1", bos...), []say{
		{server, 2, snacs(102, oservice, selfInfo, named("ann"))}, {client, 2, snacs(2, oservice, clientOnline)}})
	for hour := 1; hour <= 50; hour++ {
		talk = append(talk, say{client, 2 + 60*hour, flap(keepAlive, 3)})
	}
	if err := run(h.Sessions, whole, wire.Closed, talk); err != nil {
		t.Fatal(err)
	}
	want := []string{"login aim ann 0", "presence aim ann 2-1442", "presence aim ann 1442-2882", "presence aim ann 2882-3003", "logout aim ann 3003"}
	if got := h.lines(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, s := range h.list {
		if err := rollcall.CheckInterval(s.Time, s.Until); err != nil {
			t.Error(err)
		}
	}
}

// A lost segment costs frames, not the session: the scanner finds its way.
func TestGap(t *testing.T) {
	for name, test := range map[string]struct {
		lost wire.Side
		want []string
	}{
		"of the server":                          {server, []string{"login aim ann 0", "presence aim ann 2-9", "logout aim ann 9"}},
		"of the client, its 01/02 perhaps in it": {client, []string{"login aim ann 0", "presence aim ann 3-9", "logout aim ann 9"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := listen(rollcall.MaxEvent)
			c := h.Open(whole)
			feed := func(messages ...say) {
				for _, message := range messages {
					if err := c.Feed(message.side, noon.Add(time.Duration(message.minute)*time.Minute), message.data); err != nil {
						t.Fatal(err)
					}
				}
			}
			feed(begin("c1", bos...)...)
			feed(say{server, 1, snacs(102, oservice, selfInfo, named("ann"))})
			if test.lost == server {
				feed(say{client, 2, snacs(2, oservice, clientOnline)})
			}
			c.Gap(test.lost, noon.Add(2*time.Minute))
			middle := []byte{0, 1, mark, 1, mark, snac, 0, 9}
			feed(say{test.lost, 3, middle}, say{test.lost, 3, snacs(7, icbm, 7, make([]byte, 300))}, say{test.lost, 4, snacs(8, icbm, 7)})
			if c.scan[test.lost].phase != synced && c.scan[test.lost].phase != unsure {
				t.Errorf("phase %d: not found again", c.scan[test.lost].phase)
			}
			feed(say{test.lost, 5, snacs(9, icbm, 7)}, say{test.lost, 6, flap(keepAlive, 10)})
			if c.scan[test.lost].phase != synced {
				t.Errorf("phase %d, not synced", c.scan[test.lost].phase)
			}
			c.End(noon.Add(9*time.Minute), wire.Closed)
			if got := h.lines(); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// Neither password, hash nor cookie is anywhere in what a connection holds.
func TestSecretsAreNotKept(t *testing.T) {
	h := listen(rollcall.MaxEvent)
	c := h.Open(whole)
	for _, message := range slices.Concat(login("ann", accept("COOKIECOOKIE")), []say{
		{client, 0, greeting(1, tlv(tlvName, "ann"), tlv(tlvPassword, "ROASTED"))}}) {
		_ = c.Feed(message.side, noon, message.data)
	}
	kept := fmt.Sprintf("%+v %+v", c, h.list)
	for side := range c.scan {
		buf := c.scan[side].buf
		kept += string(buf[:cap(buf)])
	}
	for k, g := range h.cookies {
		kept += string(k[:]) + g.name
	}
	for _, secret := range []string{"HASHHASH", "COOKIE", "ROASTED"} {
		if strings.Contains(kept, secret) {
			t.Errorf("%s is still there", secret)
		}
	}
	if !strings.Contains(kept, "ann") {
		t.Error("the test looks in the wrong place: the name is not there either")
	}
}

func TestCookiesAreBounded(t *testing.T) {
	h := listen(rollcall.MaxEvent)
	for i := range 3 * mostCookies {
		h.remember(fmt.Appendf(nil, "cookie %d", i), grant{})
	}
	if len(h.cookies) != mostCookies || len(h.order) != mostCookies {
		t.Errorf("%d cookies in an order of %d, want %d", len(h.cookies), len(h.order), mostCookies)
	}
}

// Frames that are not read, messages first, are neither held nor copied.
func TestMessagesCostNothing(t *testing.T) {
	h := listen(rollcall.MaxEvent)
	c := h.Open(whole)
	for _, message := range begin("c1", bos...) {
		if err := c.Feed(message.side, noon, message.data); err != nil {
			t.Fatal(err)
		}
	}
	message := snacs(102, icbm, 7, bytes.Repeat([]byte("hello "), 10_000))
	perMessage := testing.AllocsPerRun(100, func() {
		if err := c.Feed(server, noon, message); err != nil {
			t.Fatal(err)
		}
	})
	if perMessage > 2 {
		t.Errorf("%g allocations a message, want at most 2", perMessage)
	}
	if held := cap(c.scan[server].buf); held > 1024 {
		t.Errorf("%d bytes held after messages of %d", held, len(message))
	}
}

func TestAccount(t *testing.T) {
	for name, want := range map[string]string{
		"Ann Panel": "aim annpanel", "1000201": "icq 1000201", "1 000 201": "icq 1000201",
		"a1000201": "aim a1000201", "Zoë@Mail.example": "aim zoë@mail.example", " ": "aim ",
	} {
		service, account := Account(name)
		if got := string(service) + " " + account; got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
