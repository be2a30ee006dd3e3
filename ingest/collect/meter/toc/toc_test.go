package toc

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/wire/wiretest"
)

var whole = wire.Opening{Start: wiretest.Noon(), Whole: [2]bool{true, true}}

// frame writes a frame of a side.
func frame(side string, kind byte, text string) string {
	h := append([]byte(side), mark, kind, 0, 1)
	return string(append(binary.BigEndian.AppendUint16(h, uint16(len(text))), text...))
}

func TestConversations(t *testing.T) {
	in := []string{"CFLAPON\r\n\r\n", frame("S", 1, "\x00\x00\x00\x01"), frame("C", 1, "\x00\x00\x00\x01\x00\x01\x00\x03ann"), frame("C", data, "toc_signon login.oscar.aol.com 5190 \"Ann P\" 0x2408 english \"TIC:TiK\"\x00")}
	accepted := append(slices.Clone(in), frame("S", data, "SIGN_ON:TOC1.0"))
	for name, test := range map[string]struct {
		opening wire.Opening
		why     wire.End
		talk    []string
		want    []string
	}{
		"accepted":                      {whole, wire.Closed, accepted, []string{"login annp 4", "presence annp 4-5", "logout annp 5"}},
		"refused":                       {whole, wire.Closed, append(slices.Clone(in), frame("S", data, "ERROR:980")), []string{"login_failed annp 4"}},
		"refused twice":                 {whole, wire.Closed, append(slices.Clone(in), frame("S", data, "ERROR:980"), frame("S", data, "ERROR:980")), []string{"login_failed annp 4"}},
		"closed in mid-login":           {whole, wire.Closed, in, nil},
		"a gap in mid-login":            {whole, wire.Closed, append(slices.Clone(in), "g", frame("S", data, "CONFIG:m 1")), nil},
		"an error later":                {whole, wire.Cut, append(slices.Clone(accepted), frame("S", data, "ERROR:980")), []string{"login annp 4", "presence annp 4-7"}},
		"use, but no automatic":         {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc_send_im bob \"away\" auto\x00"), frame("C", data, "toc2_send_im bob \"hello\"\x00")), []string{"login annp 4", "use annp 6", "presence annp 4-8"}},
		"a long automatic answer":       {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc_send_im bob \""+strings.Repeat("away ", 180)+"\" auto\x00")), []string{"login annp 4", "presence annp 4-7"}},
		"an automatic answer of a word": {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc_send_im bob gone auto\x00")), []string{"login annp 4", "presence annp 4-7"}},
		"a long message":                {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc_send_im bob \""+strings.Repeat("auto ", 180)+"auto\"\x00")), []string{"login annp 4", "use annp 5", "presence annp 4-7"}},
		"TOC2": {whole, wire.Closed, []string{in[0], in[1], in[2], frame("C", data, "toc2_login login.oscar.aol.com 29999 annp 0x2408 English \"TIC:x\" 160 US \"\" \"\" 3 0 30303 -kentucky -utf8 76\x00"), frame("S", data, "SIGN_ON:TOC2.0"),
			frame("C", 5, ""), frame("C", data, "toc2_send_im_enc bob \"F\" \"U\" \"en\" \"hello\"\x00"), frame("C", data, "toc2_send_im_enc bob \"F\" \"U\" \"en\" \"away\" auto\x00")}, []string{"login annp 4", "use annp 6", "presence annp 4-8", "logout annp 8"}},
		"in rooms": {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc_chat_send 1 \"hello\"\x00"), frame("C", data, "toc_chat_send_enc 1 \"U\" \"en\" \"hello\"\x00"), frame("C", data, "toc_chat_whisper 1 bob \"hello\"\x00"), frame("C", data, "toc_chat_join 4 room\x00")),
			[]string{"login annp 4", "use annp 5", "use annp 6", "use annp 7", "presence annp 4-10"}},
		"sent by itself": {whole, wire.Cut, append(slices.Clone(accepted), frame("C", data, "toc2_client_event bob 2\x00"), frame("C", data, "toc_set_idle 600\x00"), frame("C", data, "toc_set_away \"gone\"\x00"), frame("C", data, "toc_get_info bob\x00"), frame("S", data, "PAUSE"), frame("S", data, "SIGN_ON:TOC1.0")), []string{"login annp 4", "presence annp 4-12"}},
		"found again":    {whole, wire.Closed, append(slices.Clone(accepted), "G", "Co*e", frame("C", data, "toc_send_im bob \"hello\"\x00")), []string{"login annp 4", "use annp 7", "presence annp 4-8", "logout annp 8"}},
		"signed off":     {whole, wire.Closed, append(slices.Clone(accepted), frame("C", signOff, "")), []string{"login annp 4", "presence annp 4-5", "logout annp 5"}},
	} {
		got, err := wiretest.Hear(func(s wire.Sink) wiretest.Conn { return Open(s, test.opening) }, test.why, test.talk...)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q: %v", name, got, test.want, err)
		}
	}
}

func FuzzConn(f *testing.F) {
	f.Add([]byte("FLAPON\r\n\r\n"+frame("", data, "toc_signon a 1 ann 0x")), []byte(frame("", data, "SIGN_ON:TOC1.0")), true)
	f.Fuzz(func(_ *testing.T, client, server []byte, begun bool) {
		o := wire.Opening{Whole: [2]bool{begun, begun}}
		_, _ = wiretest.Hear(func(s wire.Sink) wiretest.Conn { return Open(s, o) }, wire.Closed, "C"+string(client), "S"+string(server))
	})
}
