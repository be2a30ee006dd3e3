package ymsg

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/wire/wiretest"
)

var noon = wiretest.Noon()

func hear(t *testing.T, o wire.Opening, why wire.End, talk ...string) ([]string, error) {
	t.Helper()
	return wiretest.Hear(func(s wire.Sink) wiretest.Conn { return Open(s, o) }, why, talk...)
}

var (
	whole = wire.Opening{Start: noon, Whole: [2]bool{true, true}}
	late  = wire.Opening{Start: noon}
)

// pack writes a packet; the body's keys and values are parted by spaces.
func pack(side string, service int, status uint32, body string) string {
	var b []byte
	for _, word := range strings.Fields(body) {
		b = append(append(b, word...), separator...)
	}
	h := append([]byte(side), "YMSG\x0a\x00\x00\x00"...)
	h = binary.BigEndian.AppendUint16(h, uint16(len(b)))
	h = binary.BigEndian.AppendUint16(h, uint16(service))
	h = binary.BigEndian.AppendUint32(h, status)
	return string(append(append(h, 0, 0, 0, 0), b...))
}

func TestConversations(t *testing.T) {
	in := []string{pack("C", challenge, 0, "1 Ann"), pack("S", challenge, 1, "1 Ann 94 seed"), pack("C", response, 0, "0 Ann 6 hash 96 hash 1 Alias")}
	accepted := slices.Concat(in, []string{pack("S", list, 0, "87 friends 89 ann,alias"), pack("S", logon, 0, "0 ann 1 ann 8 0")})
	for name, test := range map[string]struct {
		opening wire.Opening
		why     wire.End
		talk    []string
		want    []string
	}{
		"accepted":                 {whole, wire.Closed, accepted, []string{"login ann 3", "presence ann 4-5", "logout ann 5"}},
		"without a list":           {whole, wire.Reset, append(slices.Clone(in), pack("S", logon, 0, "0 ann 1 ann 8 0")), []string{"login ann 3", "presence ann 3-4", "logout ann 4"}},
		"without a logon":          {whole, wire.Cut, accepted[:4], []string{"login ann 3", "presence ann 3-5"}},
		"refused":                  {whole, wire.Closed, append(slices.Clone(in), pack("S", response, refusal, "1 ann 66 13")), []string{"login_failed ann 3"}},
		"refused twice":            {whole, wire.Closed, append(slices.Clone(in), pack("S", response, refusal, "1 ann 66 13"), pack("S", response, refusal, "1 ann 66 13")), []string{"login_failed ann 3"}},
		"refused when in":          {whole, wire.Closed, append(slices.Clone(accepted), pack("S", response, refusal, "1 ann 66 13")), []string{"login ann 3", "presence ann 4-6", "logout ann 6"}},
		"version 102, by F1":       {whole, wire.Closed, append(slices.Clone(in), strings.Replace(pack("S", list15, 0, "302 318 300 318 65 friends"), "\x0a\x00", "\x00\x66", 1)), []string{"login ann 3", "presence ann 3-4", "logout ann 4"}},
		"by F0":                    {whole, wire.Closed, append(slices.Clone(in), pack("S", statuses, 0, "302 315")), []string{"login ann 3", "presence ann 3-4", "logout ann 4"}},
		"from peer to peer":        {whole, wire.Closed, []string{pack("C", peer, 0, "5 ann 4 bob"), pack("C", message, 0, "4 bob 5 ann 14 hello"), pack("C", keepAlive, 0, "0 bob")}, nil},
		"the same on its port":     {wire.Opening{Start: noon, Ends: [2]netip.AddrPort{{}, netip.MustParseAddrPort("10.0.0.5:5101")}}, wire.Closed, []string{pack("C", message, 0, "4 bob 5 ann 14 hello")}, nil},
		"closed in mid-login":      {whole, wire.Closed, in, nil},
		"a session's peer to peer": {whole, wire.Closed, slices.Concat(accepted, []string{pack("C", peer, 0, "5 bob 4 ann")}), []string{"login ann 3", "presence ann 4-6", "logout ann 6"}},
		"contacts": {whole, wire.Closed, slices.Concat(accepted, []string{pack("S", logon, 0, "7 bob 10 0"), pack("S", logoff, 0, "7 bob 10 0"), pack("S", 0x06, 1, "4 bob 14 hello")}),
			[]string{"login ann 3", "presence ann 4-8", "logout ann 8"}},
		"signed off":     {whole, wire.Closed, slices.Concat(accepted, []string{pack("C", logoff, 0, ""), pack("S", logon, 0, "0 ann 1 ann")}), []string{"login ann 3", "presence ann 4-5", "logout ann 5"}},
		"elsewhere":      {whole, wire.Closed, slices.Concat(accepted, []string{pack("S", logoff, refusal, "")}), []string{"login ann 3", "presence ann 4-5", "logout ann 5"}},
		"use":            {whole, wire.Cut, slices.Concat(accepted, []string{pack("C", message, 0, "1 ann 5 bob 14 hello")}), []string{"login ann 3", "use ann 5", "presence ann 4-7"}},
		"invisible":      {whole, wire.Closed, append(slices.Clone(in[:2]), pack("C", response, 12, "0 ann 6 hash 1 ann"), pack("S", list, 0, "87 friends 89 ann"), pack("C", 0xC5, 0, "13 2"), pack("S", logon, 1, "7 bob 10 0")), []string{"login ann 3", "presence ann 3-6", "logout ann 6"}},
		"sent by itself": {whole, wire.Cut, slices.Concat(accepted, []string{pack("C", 0x4B, 22, "49 TYPING 1 ann 14 1 13 1 5 bob"), pack("C", 0xC6, 0, "10 99 19 away 47 1"), pack("C", 0x46, 0, "1 ann 5 bob 20 url"), pack("C", 0xFB, 0, "1 ann 5 bob 430 1"), pack("C", 0x8A, 0, "0 ann"), pack("C", 0x12, 0, "")}), []string{"login ann 3", "presence ann 4-12"}},
		"already open":   {late, wire.Closed, []string{"Sof a packet", pack("S", 0x06, 1, "4 bob"), pack("C", keepAlive, 0, "0 Ann"), pack("S", logon, 0, "7 bob")}, []string{"presence ann 0-4", "logout ann 4"}},
	} {
		got, err := hear(t, test.opening, test.why, test.talk...)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q: %v", name, got, test.want, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, test := range []struct {
		opening wire.Opening
		data    string
		want    error
	}{
		{whole, "GET / HTTP/1.0\r\n", errMagic},
		{whole, pack("", challenge, 0, "1 ann") + "YMSH", errMagic},
		{whole, pack("", challenge, 0, "1"), nil},
		{whole, pack("", response, refusal, "66"), nil},
		{whole, pack("", challenge, 0, "1 a\x01b"), nil},
		{whole, pack("", logon, 0, strings.Repeat("7 bob ", 6000)), nil},
		{late, strings.Repeat("YMS ", searchMost/4+2), errSearch},
	} {
		for _, side := range []string{"C", "S"} {
			if got, err := hear(t, test.opening, wire.Closed, side+test.data); !errors.Is(err, test.want) || len(got) > 1 {
				t.Errorf("%q: got %v, want %v; %q", test.data[:min(len(test.data), 40)], err, test.want, got)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		head  string
		whole bool
		want  wire.Verdict
	}{
		{"YMSG", true, wire.Yes}, {"YM", true, wire.More}, {"", true, wire.More}, {"YMSX", true, wire.No}, {"X", true, wire.No},
		{"tail YMSG", false, wire.Yes}, {"tail", false, wire.More},
	} {
		if got := Match([]byte(test.head), test.whole); got != test.want {
			t.Errorf("%q: got %d, want %d", test.head, got, test.want)
		}
	}
}

func FuzzConn(f *testing.F) {
	in := []string{pack("C", challenge, 0, "1 Ann"), pack("S", challenge, 1, "1 Ann 94 seed"), pack("C", response, 0, "0 Ann 6 hash 96 hash 1 Alias")}
	wiretest.Fuzz(f, func(s wire.Sink, o wire.Opening) wiretest.Conn { return Open(s, o) },
		slices.Concat(in, []string{pack("S", list, 0, "87 friends 89 ann,alias"), pack("S", logon, 0, "0 ann 1 ann 8 0"), pack("C", message, 0, "1 ann 5 bob 14 hello"), "g", pack("S", logoff, refusal, "")}),
		slices.Concat(in, []string{pack("S", response, refusal, "1 ann 66 13")}), slices.Concat(in, []string{pack("S", statuses, 0, "302 315")}),
		[]string{pack("C", peer, 0, "5 ann 4 bob")}, []string{pack("C", keepAlive, 0, "0 Ann")})
}
