package netmeeting

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

var noon = time.Date(1999, 10, 3, 12, 0, 0, 0, time.UTC)

func ber(tag byte, parts ...string) string {
	body := ""
	for _, p := range parts {
		body += p
	}
	if len(body) < 0x80 {
		return string([]byte{tag, byte(len(body))}) + body
	}
	return string([]byte{tag, 0x84, 0, 0, byte(len(body) >> 8), byte(len(body))}) + body
}

func text(s string) string { return ber(tagString, s) }

func ldap(id byte, op string) string { return ber(tagSequence, ber(tagInteger, string(id)), op) }

func attribute(name, v string) string { return ber(tagSequence, text(name), ber(0x31, text(v))) }

var (
	bind    = ldap(1, ber(opBind, ber(tagInteger, "\x02"), text(""), ber(0x80, "secret")))
	dn      = "c=-, o=Microsoft, cn=Ann@mail.example, objectClass=RTPerson"
	add     = ldap(2, ber(opAdd, text(dn), ber(tagSequence, attribute("objectClass", "RTPerson"), attribute("cn", "Ann@mail.example"), attribute("sttl", "5"), attribute("ilsa39321630", "2"))))
	refresh = ldap(3, ber(opSearch, text("objectClass=RTPerson"), ber(10, "\x00"), ber(10, "\x00"), ber(tagInteger, "\x00"), ber(tagInteger, "\x00"), ber(1, "\x00"),
		ber(0xA0, ber(tagEqual, text("objectClass"), text("RTPerson")), ber(tagEqual, text("cn"), text("ann@mail.example")), ber(tagEqual, text("sttl"), text("5"))), ber(tagSequence)))
	look = ldap(4, ber(opSearch, text("objectClass=RTPerson"), ber(10, "\x00"), ber(10, "\x00"), ber(tagInteger, "\x00"), ber(tagInteger, "\x00"), ber(1, "\x00"),
		ber(tagEqual, text("cn"), text("ann@mail.example")), ber(tagSequence)))
	gone = ldap(5, ber(opDelete, dn))
)

func result(id, op, code byte) string {
	return ldap(id, ber(op, ber(10, string(code)), text(""), text("")))
}

func q(typ byte) string { return string([]byte{3, 0, 0, 10, q931, 2, 0, 1, typ, 0}) }

// turn is bytes of a connection, a side and minutes after noon.
type turn struct {
	conn   int
	side   wire.Side
	minute int
	data   string
}

// hear gives what the said yield, each message in parts of so many bytes.
func hear(t *testing.T, size, until int, voila bool, said ...turn) (lines []string) {
	t.Helper()
	sink := wire.Sink{Piece: rollcall.MaxEvent, Unnamed: func() {}, Yield: func(s ingest.Sighting) {
		line := fmt.Sprintf("%s %s %s %g", s.Kind, s.Service, s.Account, s.Time.Sub(noon).Minutes())
		if !s.Until.IsZero() {
			line += fmt.Sprintf("-%g", s.Until.Sub(noon).Minutes())
		}
		lines = append(lines, line)
	}}
	d := New(sink, func(_, _ netip.Addr, _ time.Time) rollcall.ServiceID {
		if voila {
			return Voila
		}
		return ""
	})
	conns := make(map[int]wire.Dissector)
	for _, turn := range said {
		now := noon.Add(time.Duration(turn.minute) * time.Minute)
		d.Flush(now)
		if conns[turn.conn] == nil {
			o := wire.Opening{Start: now, Ends: [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.5:4000"), netip.MustParseAddrPort("10.0.0.9:389")}}
			conns[turn.conn] = wire.Dissector(d.Open(o))
			if turn.data[0] == 3 {
				conns[turn.conn] = d.OpenCall(o)
			}
		}
		for part := range slices.Chunk([]byte(turn.data), size) {
			if err := conns[turn.conn].Feed(turn.side, now, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := noon.Add(time.Duration(until) * time.Minute)
	for _, c := range conns {
		c.End(end, wire.Closed)
	}
	d.Flush(end)
	d.Close()
	return lines
}

func TestDirectoryAndCalls(t *testing.T) {
	in := []turn{{1, wire.Client, 0, bind}, {1, wire.Server, 0, result(1, 0x61, 0)}, {1, wire.Client, 1, add}, {1, wire.Server, 2, result(2, opAdded, 0)}}
	for name, test := range map[string]struct {
		said  []turn
		voila bool
		want  []string
	}{
		"deleted":                    {append(slices.Clone(in), turn{1, wire.Client, 5, gone}), false, []string{"login netmeeting ann@mail.example 2", "presence netmeeting ann@mail.example 2-5", "logout netmeeting ann@mail.example 5"}},
		"Voila's":                    {append(slices.Clone(in), turn{1, wire.Client, 5, gone}), true, []string{"login voila ann@mail.example 2", "presence voila ann@mail.example 2-5", "logout voila ann@mail.example 5"}},
		"refreshed, then not":        {append(slices.Clone(in), turn{2, wire.Client, 6, refresh}, turn{2, wire.Client, 10, refresh}), false, []string{"login netmeeting ann@mail.example 2", "presence netmeeting ann@mail.example 2-15"}},
		"already there":              {[]turn{{2, wire.Client, 6, refresh}, {2, wire.Client, 9, refresh}}, false, []string{"presence netmeeting ann@mail.example 6-14"}},
		"refreshed though deleted":   {append(slices.Clone(in), turn{1, wire.Client, 5, gone}, turn{2, wire.Client, 6, refresh}), false, []string{"login netmeeting ann@mail.example 2", "presence netmeeting ann@mail.example 2-5", "logout netmeeting ann@mail.example 5"}},
		"another directory's change": {[]turn{{2, wire.Client, 6, bind + ldap(7, ber(opModify, text("cn=ann,dc=x"), ber(tagSequence)))}}, false, nil},
		"looked for by a contact":    {append(slices.Clone(in), turn{2, wire.Client, 6, look}), false, []string{"login netmeeting ann@mail.example 2", "presence netmeeting ann@mail.example 2-7"}},
		"refused":                    {append(slices.Clone(in[:3]), turn{1, wire.Server, 2, result(2, opAdded, 50)}), false, nil},
		"no answer":                  {in[:3], false, nil},
		"no person":                  {[]turn{{1, wire.Client, 1, ldap(2, ber(opAdd, text("cn=ann,dc=x"), ber(tagSequence, attribute("objectClass", "inetOrgPerson"))))}, {1, wire.Server, 2, result(2, opAdded, 0)}}, false, nil},
		"a call": {append(slices.Clone(in), turn{3, wire.Client, 3, q(setup)}, turn{3, wire.Server, 3, q(1)}, turn{3, wire.Server, 4, q(answered)}, turn{3, wire.Client, 6, q(released)}, turn{1, wire.Client, 6, gone}), false,
			[]string{"login netmeeting ann@mail.example 2", "use netmeeting ann@mail.example 3-6", "presence netmeeting ann@mail.example 2-6", "logout netmeeting ann@mail.example 6"}},
		"a call of nobody known":   {[]turn{{3, wire.Client, 3, q(setup)}, {3, wire.Server, 4, q(answered)}, {3, wire.Server, 6, q(released)}}, false, []string{"use netmeeting  3-6"}},
		"a call that nobody takes": {[]turn{{3, wire.Client, 3, q(setup)}, {3, wire.Server, 4, q(1)}, {3, wire.Client, 6, q(released)}}, false, nil},
	} {
		for _, size := range []int{1, 5, 4096} {
			if got := hear(t, size, 30, test.voila, test.said...); !slices.Equal(got, test.want) {
				t.Errorf("%s, in parts of %d: got %q, want %q", name, size, got, test.want)
			}
		}
	}
}

// After a gap messages are found again where one begins.
func TestGap(t *testing.T) {
	for _, size := range []int{1, 7, 4096} {
		var said []string
		d := New(wire.Sink{Piece: rollcall.MaxEvent, Yield: func(s ingest.Sighting) {
			said = append(said, fmt.Sprintf("%s %s %g", s.Kind, s.Account, s.Time.Sub(noon).Minutes()))
		}}, func(_, _ netip.Addr, _ time.Time) rollcall.ServiceID { return "" })
		c := d.Open(wire.Opening{Start: noon, Whole: [2]bool{true, true}})
		feed := func(side wire.Side, minute int, data string) {
			for part := range slices.Chunk([]byte(data), size) {
				if err := c.Feed(side, noon.Add(time.Duration(minute)*time.Minute), part); err != nil {
					t.Fatal(err)
				}
			}
		}
		feed(wire.Client, 0, bind)
		c.Gap(wire.Client, noon)
		feed(wire.Client, 1, "0\x050\x00xx"+add[9:40]+add)
		feed(wire.Server, 2, result(2, opAdded, 0))
		c.Gap(wire.Client, noon)
		feed(wire.Client, 3, look[5:]+gone)
		d.Close()
		if want := []string{"login ann@mail.example 2", "presence ann@mail.example 2", "logout ann@mail.example 3"}; !slices.Equal(said, want) {
			t.Errorf("in parts of %d: got %q, want %q", size, said, want)
		}
	}
	if Match([]byte(refresh), false) != wire.Yes || Match([]byte(refresh)[:3], false) != wire.More || Match([]byte("0\x03\x02\x01\x01"), false) != wire.No {
		t.Error("a message in mid-stream is not known")
	}
}

// After a gap a call's messages are found again by its reference.
func TestGapInACall(t *testing.T) {
	call := func(typ, ref byte) string { return "\x03\x00\x00\x0c\x08\x02" + string([]byte{ref, 7, typ, 0, 0, 0}) }
	for _, size := range []int{1, 7, 4096} {
		for name, test := range map[string]struct {
			before, missed, answer, end string
			want                        []string
		}{
			"in what the client says":  {call(setup, 0), "\x00\x03\x00..\x08\x02\x01\x07\x5a more" + call(0x62, 0), call(answered, 0x80), call(released, 0), []string{"use 0-4"}},
			"of another call":          {call(setup, 0), "more", call(answered, 0x80), call(released, 1), []string{"use 0-5"}},
			"before anything was said": {"", call(setup, 0), call(answered, 0x80), call(released, 0), nil},
		} {
			var said []string
			d := New(wire.Sink{Piece: rollcall.MaxEvent, Yield: func(s ingest.Sighting) {
				said = append(said, fmt.Sprintf("%s %g-%g", s.Kind, s.Time.Sub(noon).Minutes(), s.Until.Sub(noon).Minutes()))
			}}, func(_, _ netip.Addr, _ time.Time) rollcall.ServiceID { return "" })
			c := d.OpenCall(wire.Opening{Start: noon, Whole: [2]bool{true, true}})
			feed := func(side wire.Side, minute int, data string) {
				for part := range slices.Chunk([]byte(data), size) {
					if err := c.Feed(side, noon.Add(time.Duration(minute)*time.Minute), part); err != nil {
						t.Fatal(err)
					}
				}
			}
			feed(wire.Client, 0, test.before)
			c.Gap(wire.Client, noon)
			feed(wire.Client, 1, test.missed)
			c.Gap(wire.Server, noon)
			feed(wire.Server, 2, "of something"+test.answer)
			feed(wire.Client, 4, test.end)
			c.End(noon.Add(5*time.Minute), wire.Closed)
			if !slices.Equal(said, test.want) {
				t.Errorf("%s, in parts of %d: got %q, want %q", name, size, said, test.want)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for data, want := range map[string]wire.Verdict{bind: wire.Yes, add: wire.Yes, "0\x0c\x02\x01\x01a\x07\x0a\x01\x00\x04\x00\x04\x00": wire.No, "0\x0c": wire.More, "GET / HTTP/1.1\r\n": wire.No, "": wire.More} {
		if got := Match([]byte(data), true); got != want {
			t.Errorf("%q: got %d, want %d", data, got, want)
		}
	}
	if MatchCall([]byte(q(setup)), true) != wire.Yes || MatchCall([]byte("\x03\x00\x00\x0b\x06\xe0"), true) != wire.No {
		t.Error("a call is not told from a remote desktop")
	}
}

func FuzzConn(f *testing.F) {
	f.Add([]byte(bind+add+refresh+gone), []byte(result(1, 0x61, 0)+result(2, opAdded, 0)))
	f.Add([]byte(q(setup)), []byte(q(answered)+q(released)))
	f.Fuzz(func(t *testing.T, client, server []byte) {
		d := New(wire.Sink{Piece: rollcall.MaxEvent, Yield: func(s ingest.Sighting) {
			if rollcall.CheckInterval(s.Time, s.Until) != nil {
				t.Errorf("%+v", s)
			}
		}}, func(_, _ netip.Addr, _ time.Time) rollcall.ServiceID { return "" })
		for _, c := range []wire.Dissector{d.Open(wire.Opening{Start: noon}), d.OpenCall(wire.Opening{Start: noon})} {
			_ = c.Feed(wire.Client, noon, client)
			_ = c.Feed(wire.Server, noon, server)
			c.End(noon, wire.Closed)
		}
		for _, whole := range []bool{true, false} {
			Match(client, whole)
			MatchCall(client, whole)
		}
		d.Close()
	})
}

// TestEntriesOfMany: the entries that are known are bounded; those that were not refreshed
// for longest are forgotten for others, the same ones each time.
func TestEntriesOfMany(t *testing.T) {
	forgotten := func() (accounts []string) {
		d := New(wire.Sink{Piece: rollcall.MaxEvent, Yield: func(s ingest.Sighting) { accounts = append(accounts, s.Account) }},
			func(_, _ netip.Addr, _ time.Time) rollcall.ServiceID { return "" })
		o := wire.Opening{Ends: [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.5:4000"), netip.MustParseAddrPort("10.0.0.9:389")}}
		for i := range entriesMost + 3 {
			d.refresh(o, adding{account: fmt.Sprintf("a%d@mail.example", i), life: lifeMost}, noon)
			if len(d.entries) > entriesMost {
				t.Fatalf("%d entries are known", len(d.entries))
			}
		}
		return accounts
	}
	first, second := forgotten(), forgotten()
	if len(first) == 0 || len(first) > entriesMost/16 || !slices.Equal(first, second) {
		t.Errorf("%d are forgotten, then %d: %.5q, %.5q", len(first), len(second), first[:min(len(first), 3)], second[:min(len(second), 3)])
	}
}
