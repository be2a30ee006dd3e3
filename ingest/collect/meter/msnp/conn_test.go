package msnp

import (
	"errors"
	"fmt"
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

// msg is a message of a kind and a type of content.
func msg(kind, content string) string {
	body := "MIME-Version: 1.0\r\nContent-Type: " + content + "\r\n\r\nhello"
	return fmt.Sprintf("CMSG 4 %s %d\r\n%s", kind, len(body), body)
}

func TestConversations(t *testing.T) {
	in := []string{"CVER 1 MSNP8 CVR0\r\n", "CCVR 2 0x0409 winnt 5.1 i386 MSNMSGR 5.0.0575 MSMSGS Ann@Hotmail.com\r\n", "CUSR 3 TWN I Ann@Hotmail.com\r\n", "SUSR 3 TWN S ct=1\r\n", "CUSR 4 TWN S t=ticket&p=\r\n"}
	accepted := slices.Concat(in, []string{"SUSR 4 OK Ann@Hotmail.com Ann 1 0\r\n", "SCHG 6 HDN 0\r\n"})
	for name, test := range map[string]struct {
		opening wire.Opening
		why     wire.End
		talk    []string
		want    []string
	}{
		"accepted":                              {whole, wire.Closed, accepted, []string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-7", "logout ann@hotmail.com 7"}},
		"cut":                                   {whole, wire.Cut, accepted, []string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-8"}},
		"never online":                          {whole, wire.Closed, accepted[:6], []string{"login ann@hotmail.com 5"}},
		"wrong password, no ticket":             {whole, wire.Closed, in[:4], []string{"login_failed ann@hotmail.com 4"}},
		"closed with the ticket sent":           {whole, wire.Closed, in, nil},
		"closed by the server at the challenge": {whole, wire.ClosedByServer, in[:4], nil},
		"closed long after the challenge":       {whole, wire.Closed, append(slices.Clone(in[:4]), "SQNG 50\r\n"), nil},
		"idle at the challenge":                 {whole, wire.Idle, in[:4], nil},
		"reset at the challenge":                {whole, wire.Reset, in[:4], nil},
		"a gap after the challenge":             {whole, wire.Closed, append(slices.Clone(in[:4]), "G"), nil},
		"a gap of the server there":             {whole, wire.Closed, append(slices.Clone(in[:4]), "g"), nil},
		"a gap in the sign-on, and online":      {whole, wire.Closed, append(slices.Clone(in), "g", "SCHG 6 NLN 0\r\n"), []string{"presence ann@hotmail.com 6-7", "logout ann@hotmail.com 7"}},
		"one direction alone":                   {wire.Opening{Start: noon, Whole: [2]bool{false, true}}, wire.Closed, in[3:4], nil},
		"MD5, of version 2 to 7": {whole, wire.Closed, []string{"CVER 0 MSNP7 MSNP6 CVR0\r\n", "SVER 0 MSNP7\r\n", "CINF 1\r\n", "SINF 1 MD5\r\n", "CUSR 2 MD5 I ann@hotmail.com\r\n", "SUSR 2 MD5 S 989048851.1851137130\r\n",
			"CUSR 3 MD5 S 23e54a439a6a17d15025f4c6cbd0f6b5\r\n", "SUSR 3 OK ann@hotmail.com Ann\r\n", "CCHG 4 NLN\r\n", "SCHG 4 NLN\r\n"}, []string{"login ann@hotmail.com 7", "presence ann@hotmail.com 9-10", "logout ann@hotmail.com 10"}},
		"version 21, with a circle and no CHG": {whole, wire.Closed, []string{"CVER 1 MSNP21 CVR0\r\n", "SVER 1 MSNP21\r\n", "CUSR 3 SSO I ann@hotmail.com\r\n", "SUSR 3 SSO S MBI_KEY_OLD nonce\r\n", "CUSR 4 SSO S t=x blob {guid}\r\n",
			"SUSR 4 OK ann@hotmail.com 1 0\r\n", "CUSR 5 SHA A ticket\r\n", "SUSR 5 OK 00000000-0000-0000-0009-000000000000@live.com 0 0\r\n",
			"CSDG 6 86\r\nRouting: 1.0\r\nTo: 1:bob@hotmail.com\r\n\r\nMessaging: 2.0\r\nMessage-Type: Text\r\n\r\nhello\r\n\r\n", "CSDG 7 48\r\nRouting: 1.0\r\n\r\nMessage-Type: Control/Typing\r\n\r\n"},
			[]string{"login ann@hotmail.com 5", "use ann@hotmail.com 8", "presence ann@hotmail.com 5-10", "logout ann@hotmail.com 10"}},
		"to another network":            {whole, wire.Cut, append(slices.Clone(accepted), "CUUM 8 bob@yahoo.com 32 2 0\r\nUUM 9 bob@yahoo.com 32 1 5\r\nhello"), []string{"login ann@hotmail.com 5", "use ann@hotmail.com 7", "presence ann@hotmail.com 6-9"}},
		"typing, pictures, invitations": {whole, wire.Closed, []string{"CANS 1 ann@hotmail.com 123.4 99\r\n", "CMSG 2 U 5\r\nhello", "CMSG 3 D 5\r\nhello", "CMSG 4 N 49\r\nContent-Type: text/x-msmsgsinvite\r\n\r\nhello world!"}, nil},
		"sent by itself, with a receipt": {whole, wire.Closed, []string{"CANS 1 ann@hotmail.com 123.4 99\r\n", msg("N", "text/x-msmsgscontrol\r\nTypingUser: ann@hotmail.com"), msg("N", "text/x-clientcaps"), msg("N", "text/x-mms-emoticon"), msg("A", "text/x-msnmsgr-datacast"),
			msg("N", "application/x-msnmsgrp2p"), msg("N", "text/x-msmsgsprofile; charset=UTF-8"), "SMSG bob@hotmail.com Bob 2\r\nhi", "SACK 2\r\n"}, nil},
		"a text, its headers in other letters": {whole, wire.Closed, []string{"CUSR 1 ann@hotmail.com 123.4\r\n", "SUSR 1 OK ann@hotmail.com Ann\r\n", strings.ToUpper(msg("N", "TEXT/PLAIN;CHARSET=UTF-8"))}, []string{"use ann@hotmail.com 2"}},
		"written by hand":                      {whole, wire.Closed, []string{"CUSR 1 ann@hotmail.com 123.4\r\n", msg("N", "image/gif"), msg("N", "application/x-ms-ink")}, []string{"use ann@hotmail.com 1", "use ann@hotmail.com 2"}},
		"version 8 to 12's pages and profile": {whole, wire.Cut, slices.Concat(accepted, []string{"SMSG Hotmail Hotmail 43\r\nContent-Type: text/x-msmsgsprofile\r\n\r\nabc\r\n", "CUUX 7 5\r\n<a/>.", "CSYN 8 0 0\r\n", "CGCF 9 Shields.xml\r\n", "CCHG 10 AWY 0\r\n", "SCHG 10 AWY 0\r\n"}),
			[]string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-14"}},
		"a text":              {whole, wire.Closed, []string{"CANS 1 ann@hotmail.com 123.4 99\r\n", "CMSG 4 A 74\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nhello world!"}, []string{"use ann@hotmail.com 1"}},
		"wrong password, 911": {whole, wire.Closed, append(slices.Clone(in), "S911 4\r\n"), []string{"login_failed ann@hotmail.com 5"}},
		"911 twice":           {whole, wire.Closed, append(slices.Clone(in), "S911 4\r\n", "S911 4\r\n"), []string{"login_failed ann@hotmail.com 5"}},
		"911 when in":         {whole, wire.Closed, append(slices.Clone(accepted), "S911 4\r\n"), []string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-8", "logout ann@hotmail.com 8"}},
		"cut at the password": {whole, wire.Cut, in, nil},
		"redirected":          {whole, wire.Closed, append(slices.Clone(in[:3]), "SXFR 3 NS 10.0.0.1:1863 0 10.0.0.2:1863\r\n"), nil},
		"elsewhere":           {whole, wire.Closed, slices.Concat(accepted, []string{"SOUT OTH\r\n", "SCHG 9 NLN\r\n"}), []string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-7", "logout ann@hotmail.com 7"}},
		"contacts and payloads": {whole, wire.Closed, slices.Concat(accepted, []string{
			"SILN 6 NLN bob@hotmail.com Bob 0\r\nNLN AWY eve@hotmail.com Eve 0\r\nFLN bob@hotmail.com\r\n",
			"SMSG Hotmail Hotmail 9\r\nOUT OTH\r\nUBX bob@hotmail.com 7\r\n<x></x>ADL 7 OK\r\nQRY 8\r\n", "CQRY 8 PROD0038 4\r\nOUT\nADL 9 5\r\n<ml/>PNG\r\n",
		}), []string{"login ann@hotmail.com 5", "presence ann@hotmail.com 6-10", "logout ann@hotmail.com 10"}},
		"switchboard joined": {whole, wire.Closed, []string{"CANS 1 ann@hotmail.com 123.4 99\r\n", "SIRO 1 1 1 bob@hotmail.com Bob\r\nANS 1 OK\r\n", "CMSG 2 N 5\r\nhello", "SMSG bob@hotmail.com Bob 2\r\nhi"},
			[]string{"use ann@hotmail.com 2"}},
		"switchboard opened": {whole, wire.Closed, []string{"CUSR 1 ann@hotmail.com 123.4\r\n", "SUSR 1 OK ann@hotmail.com Ann\r\n", "CMSG 2 N 5\r\nhelloMSG 3 N 2\r\nyo"}, []string{"use ann@hotmail.com 2"}},
		"already open":       {late, wire.Closed, []string{"Sping>\r\n", "CPNG\r\n", "SQNG 50\r\n"}, []string{"presence  0-3"}},
	} {
		got, err := hear(t, test.opening, test.why, test.talk...)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q: %v", name, got, test.want, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, test := range []struct {
		data string
		want error
	}{
		{"hello there\r\n", errCommand},
		{"VER 1 MSNP8\r\n+++\r\n", errCommand},
		{strings.Repeat("VER", lineMost), errLine},
		{"NOT 99999999\r\n", errPayload},
		{"NOT -5\r\n\r\nPNG\r\n", nil},
		{"USR\r\nUSR 1 OK\r\nCHG\r\nCVR 1\r\nXFR\r\nANS\r\n", nil},
		{"USR 4 OK a@\x01b 1\r\n", nil},
	} {
		for _, side := range []string{"C", "S"} {
			if _, err := hear(t, whole, wire.Closed, side+test.data); !errors.Is(err, test.want) {
				t.Errorf("%q: got %v, want %v", test.data[:min(len(test.data), 40)], err, test.want)
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
		{"VER 1 MSNP8 CVR0\r\n", true, wire.Yes}, {"VER 1 MSNP15 MSNP14 CVR0\r\n", true, wire.Yes}, {"VE", true, wire.More}, {"", true, wire.More},
		{"VER 1 XYZ\r\n", true, wire.No}, {"USR 1 a@b.c 12.3\r\n", true, wire.Yes}, {"ANS 1 a@b.c 12.3 44\r\n", true, wire.Yes}, {"USR 1 a", true, wire.More},
		{"USER ann\r\n", true, wire.No}, {"GET / HTTP/1.1\r\n", true, wire.No}, {"VER" + strings.Repeat(" ", 300), true, wire.No},
		{"part\r\nCHG 5 NLN 0\r\n", false, wire.Yes}, {"NLN AWY bob@x.y Bob 0\r\n", false, wire.Yes}, {"GET / HTTP/1.1\r\n", false, wire.More},
	} {
		if got := Match([]byte(test.head), test.whole); got != test.want {
			t.Errorf("%q: got %d, want %d", test.head, got, test.want)
		}
	}
}

func FuzzConn(f *testing.F) {
	in := []string{"CVER 1 MSNP8 CVR0\r\n", "SVER 1 MSNP8\r\n", "CUSR 3 TWN I ann@mail.example\r\n", "SUSR 3 TWN S ct=1\r\n", "CUSR 4 TWN S t=x\r\n", "SUSR 4 OK ann@mail.example Ann 1 0\r\n", "SCHG 6 NLN 0\r\n"}
	wiretest.Fuzz(f, func(s wire.Sink, o wire.Opening) wiretest.Conn { return Open(s, o) },
		in, in[:4], slices.Concat(in[:5], []string{"S911 4\r\n"}), slices.Concat(in, []string{"G", "CPNG\r\n", "SQNG 50\r\nFLN bob@mail.example\r\nOUT OTH\r\n"}),
		[]string{"CANS 1 ann@mail.example 123.4 99\r\n", "SIRO 1 1 1 bob@mail.example Bob\r\n", "CMSG 2 N 5\r\nhelloMSG 3 U 2\r\nhi"},
		[]string{"CSDG 6 86\r\nRouting: 1.0\r\nTo: 1:bob@mail.example\r\n\r\nMessaging: 2.0\r\nMessage-Type: Text\r\n\r\nhello\r\n\r\n"})
}
