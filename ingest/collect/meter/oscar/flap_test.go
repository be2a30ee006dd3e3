package oscar

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// malformed is what no OSCAR peer sends, and why it is given up. It seeds the
// fuzz tests.
var malformed = []struct {
	name string
	data []byte
	want error
}{
	{"no mark", []byte("GET / HTTP/1.0\r\n\r\n"), errMark},
	{"no mark after a good frame", join(greeting(1), []byte("+++")), nil}, // three bytes are no header yet
	{"no mark after a good frame, whole header", join(greeting(1), []byte("+++ATH")), errMark},
	{"channel 0", flap(0, 1), errChannel},
	{"channel 6", flap(6, 1), errChannel},
	{"SNAC of 9 bytes", flap(snac, 1, make([]byte, 9)), errShort},
	{"hello without a version", flap(signOn, 1, []byte{0, 0}), errShort},
	{"TLV cut in its header", greeting(1, []byte{0, 6, 0}), errTLV},
	{"TLV longer than the frame", greeting(1, []byte{0, 6, 0xFF, 0xFF, 'x'}), errTLV},
	{"17/02 with a TLV too long", snacs(1, bucp, loginRequest, []byte{0, 1, 0, 9, 'a'}), errTLV},
	{"block longer than the SNAC", flap(snac, 1, u16(oservice), u16(clientOnline), u16(flagBlock), make([]byte, 4), u16(99), []byte("abc")), errShort},
	{"block without its length", flap(snac, 1, u16(oservice), u16(clientOnline), u16(flagBlock), make([]byte, 4), []byte{0}), errShort},
	{"empty", nil, nil},
	{"frame cut short", flap(signOn, 1, []byte{0, 0, 0, 1})[:8], nil},
	{"name longer than 01/0F", snacs(1, oservice, selfInfo, []byte{200, 'a'}), nil},
	{"01/0F with no name", snacs(1, oservice, selfInfo), nil},
	{"name of control bytes", snacs(1, bucp, loginRequest, tlv(tlvName, "a\x00\n")), nil},
	{"frame of 64 KiB", flap(signOn, 1, make([]byte, 0xFFFF)), nil},
	{"families, odd", snacs(1, oservice, hostOnline, []byte{0, 1, 0}), nil},
}

func TestMalformed(t *testing.T) {
	for _, m := range malformed {
		t.Run(m.name, func(t *testing.T) {
			h := listen(rollcall.MaxEvent)
			err := run(h.Sessions, whole, wire.Closed, []say{{client, 0, m.data}})
			if !errors.Is(err, m.want) {
				t.Errorf("got %v, want %v", err, m.want)
			}
			if len(h.list) > 0 {
				t.Errorf("yielded %q", h.lines())
			}
		})
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		name  string
		head  []byte
		whole bool
		want  wire.Verdict
	}{
		{"a hello", greeting(1), true, wire.Yes},
		{"a hello with a cookie", greeting(1, tlv(tlvCookie, "c"))[:helloLen], true, wire.Yes},
		{"five bytes of one", greeting(1)[:5], true, wire.More},
		{"nothing", nil, true, wire.More},
		{"another version", flap(signOn, 1, []byte{0, 0, 0, 2}), true, wire.No},
		{"a SNAC first", snacs(1, bucp, loginRequest), true, wire.No},
		{"TLS", []byte{0x16, 3, 1, 0, 5, 1}, true, wire.No},
		{"a star", []byte("*** hello"), true, wire.No},
		{"a SNAC in the middle", join([]byte("tail*of"), snacs(1, buddy, 0x0B, named("b"))), false, wire.Yes},
		{"the tail of something", []byte("hello * there, this is text and more text"), false, wire.More},
	} {
		if got := Match(test.head, test.whole); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// A stream that never looks like OSCAR again after a gap is given up.
func TestSearchEnds(t *testing.T) {
	h := listen(rollcall.MaxEvent)
	c := h.Open(whole)
	c.Gap(server, noon)
	err := c.Feed(server, noon, bytes.Repeat([]byte("*\x02text "), searchMost/6))
	if !errors.Is(err, errSearch) {
		t.Errorf("got %v, want %v", err, errSearch)
	}
	if held := cap(c.scan[server].buf); held > 64 {
		t.Errorf("%d bytes held while searching", held)
	}
}

// FuzzScanner: no bytes make the scanner hold more than a wanted frame, and
// it decides the same of them however they are cut.
func FuzzScanner(f *testing.F) {
	for _, m := range malformed {
		f.Add(m.data, uint8(1), true)
		f.Add(m.data, uint8(5), false)
	}
	f.Add(join(greeting(1), snacs(2, icbm, 7, make([]byte, 40)), snacs(3, oservice, clientOnline)), uint8(7), false)
	f.Fuzz(func(t *testing.T, data []byte, size uint8, begun bool) {
		scan := func(chunks func([]byte, func([]byte) bool)) (frames []frame, err error) {
			s := scanner{}
			if !begun {
				s.gap()
			}
			chunks(data, func(part []byte) bool {
				err = s.feed(noon, part, func(f *frame) error {
					frames = append(frames, frame{f.at, f.channel, f.family, f.subtype, bytes.Clone(f.body)})
					return nil
				})
				return err == nil
			})
			if cap(s.buf) > 2*mostBody {
				t.Errorf("%d bytes held", cap(s.buf))
			}
			return frames, err
		}
		atOnce, errAtOnce := scan(func(b []byte, feed func([]byte) bool) { feed(b) })
		inParts, errInParts := scan(func(b []byte, feed func([]byte) bool) {
			for part := range slices.Chunk(b, 1+int(size)) {
				if !feed(part) {
					return
				}
			}
		})
		if !errors.Is(errInParts, errAtOnce) {
			t.Errorf("error %v at once, %v in parts", errAtOnce, errInParts)
		}
		if !slices.EqualFunc(atOnce, inParts, sameFrame) {
			t.Errorf("frames differ:\n%v\n%v", atOnce, inParts)
		}
	})
}

func sameFrame(a, b frame) bool {
	return a.channel == b.channel && a.family == b.family && a.subtype == b.subtype && bytes.Equal(a.body, b.body)
}

// FuzzConn: a conversation of any bytes yields the same sightings however each
// message is cut, all of them valid. A message is a side, a length and its bytes.
func FuzzConn(f *testing.F) {
	for _, talk := range [][]say{
		slices.Concat(login("ann", accept("c1")), begin("c1", bos...)),
		slices.Concat(begin("c1", bos...), []say{{server, 2, snacs(102, oservice, selfInfo, named("ann"))}, {client, 2, snacs(2, oservice, clientOnline)}, {client, 3, flap(signOff, 3)}}),
		login("1000201", tlv(tlvError, "\x00\x05")),
	} {
		f.Add(script(talk), uint8(0), uint8(3))
		f.Add(script(talk), uint8(2), uint8(6))
	}
	for _, m := range malformed {
		f.Add(script([]say{{client, 0, greeting(1)}, {server, 1, m.data}}), uint8(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, opening, size uint8) {
		o := wire.Opening{Start: noon, Whole: [2]bool{opening&1 == 0, opening&2 == 0}}
		talk := messagesOf(raw)
		atOnce, inParts := listen(rollcall.MaxEvent), listen(rollcall.MaxEvent)
		err := run(atOnce.Sessions, o, wire.Closed, talk)
		var cut []say
		for _, message := range talk {
			for part := range slices.Chunk(message.data, 1+int(size)) {
				cut = append(cut, say{message.side, message.minute, part})
			}
		}
		errCut := run(inParts.Sessions, o, wire.Closed, cut)
		if !errors.Is(errCut, err) || !slices.Equal(atOnce.list, inParts.list) {
			t.Errorf("at once %v %q\nin parts %v %q", err, atOnce.lines(), errCut, inParts.lines())
		}
		for _, s := range atOnce.list {
			if s.Account == "" || rollcall.CheckInterval(s.Time, s.Until) != nil || !s.Kind.Counts() && s.Kind != rollcall.Logout && s.Kind != rollcall.LoginFailed {
				t.Errorf("not a sighting: %s", line(s))
			}
		}
	})
}

// script writes a conversation as bytes, for messagesOf to read.
func script(talk []say) []byte {
	var raw []byte
	for _, message := range talk {
		for part := range slices.Chunk(message.data, 255) {
			raw = append(append(raw, byte(message.side)|byte(message.minute)<<1, byte(len(part))), part...)
		}
	}
	return raw
}

func messagesOf(raw []byte) []say {
	var talk []say
	minute := 0
	for len(raw) >= 2 {
		n := min(int(raw[1]), len(raw)-2)
		minute = max(minute, int(raw[0]>>1))
		if n > 0 {
			talk = append(talk, say{wire.Side(raw[0] & 1), minute, raw[2 : 2+n]})
		}
		raw = raw[2+n:]
	}
	return talk
}
