package packet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
)

var noon = time.Date(2002, 10, 3, 12, 0, 0, 0, time.UTC)

// udp is a UDP datagram of ports 9 and 10.
func udp(payload []byte) []byte {
	b := []byte{0, 9, 0, 10, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	return append(b, payload...)
}

// fragments cuts an IP payload into IPv4 fragments of so many bytes.
func cut(payload []byte, id uint16, size int) (out [][]byte) {
	for at := 0; at < len(payload); at += size {
		end := min(len(payload), at+size)
		where := uint16(at / 8)
		if end < len(payload) {
			where |= 0x2000
		}
		h := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
		binary.BigEndian.PutUint16(h[2:], uint16(20+end-at))
		binary.BigEndian.PutUint16(h[4:], id)
		binary.BigEndian.PutUint16(h[6:], where)
		out = append(out, append(h, payload[at:end]...))
	}
	return out
}

// cut6 is cut for IPv6.
func cut6(payload []byte, id uint32, size int) (out [][]byte) {
	for at := 0; at < len(payload); at += size {
		end := min(len(payload), at+size)
		where := uint16(at)
		if end < len(payload) {
			where |= 1
		}
		h := make([]byte, 48)
		h[0], h[6], h[40], h[8], h[24] = 0x60, protoFragment, UDP, 1, 2
		binary.BigEndian.PutUint16(h[4:], uint16(8+end-at))
		binary.BigEndian.PutUint16(h[42:], where)
		binary.BigEndian.PutUint32(h[44:], id)
		out = append(out, append(h, payload[at:end]...))
	}
	return out
}

func TestFragments(t *testing.T) {
	payload := udp(bytes.Repeat([]byte("0123456789"), 100))
	dice := rand.New(rand.NewPCG(1, 2))
	for name, parts := range map[string][][]byte{"IPv4": cut(payload, 7, 64), "IPv6": cut6(payload, 7, 64)} {
		for range 20 {
			var d Decoder
			shuffled := slices.Clone(parts)
			dice.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			shuffled = slices.Insert(shuffled, 1, shuffled[0]) // sent twice
			found := 0
			for i, p := range shuffled {
				got, how := d.Decode(noon, layers.LinkTypeRaw, p)
				switch {
				case how == Found && bytes.Equal(got.Segment, payload) && i == len(shuffled)-1:
					found++
				case how != Held:
					t.Errorf("%s: fragment %d: outcome %d", name, i, how)
				}
			}
			if found != 1 || d.Lost() != 0 || d.fragments.bytes != 0 || len(d.fragments.open) != 0 {
				t.Errorf("%s: found %d times, %d lost, %+v", name, found, d.Lost(), d.fragments)
			}
		}
	}
}

// Fragments that contradict each other make nothing; nor do those of two
// datagrams, or of one whose others never come.
func TestFragmentsThatMakeNothing(t *testing.T) {
	a, b := cut(udp(make([]byte, 200)), 7, 64), cut(udp(bytes.Repeat([]byte{1}, 200)), 7, 56)
	for name, parts := range map[string][][]byte{
		"overlapping": {a[0], b[1], a[2], a[3], a[1]}, "one missing": {a[0], a[2], a[3]}, "two ids": {a[0], cut(udp(make([]byte, 200)), 8, 64)[1], a[2], a[3]},
		"after the end": {a[3], cut(make([]byte, 600), 7, 64)[8]},
	} {
		var d Decoder
		for _, p := range parts {
			if _, how := d.Decode(noon, layers.LinkTypeRaw, p); how != Held {
				t.Errorf("%s: outcome %d", name, how)
			}
		}
		d.fragments.expire(noon.Add(time.Minute))
		if d.Lost() == 0 || d.fragments.bytes != 0 {
			t.Errorf("%s: %d lost, %d bytes held", name, d.Lost(), d.fragments.bytes)
		}
	}
}

func TestFragmentsAreBounded(t *testing.T) {
	var d Decoder
	first := cut(udp(make([]byte, 60000)), 1, 59992)[0]
	for i := range 5000 {
		p := slices.Clone(first)
		binary.BigEndian.PutUint16(p[4:], uint16(i))
		d.Decode(noon, layers.LinkTypeRaw, p)
		if d.fragments.bytes > bytesMost+datagram || len(d.fragments.open) > waitMost {
			t.Fatalf("%d bytes of %d datagrams wait", d.fragments.bytes, len(d.fragments.open))
		}
	}
}

// Whatever the link, the same datagram is found.
func TestLinks(t *testing.T) {
	ip := cut(udp([]byte("hello")), 1, 1000)[0]
	for name, test := range map[string]struct {
		link layers.LinkType
		head []byte
	}{
		"PPP":               {layers.LinkTypePPP, []byte{0xFF, 3, 0, 0x21}},
		"PPP, short":        {layers.LinkTypePPP, []byte{0x21}},
		"PPP in HDLC":       {layers.LinkTypePPP_HDLC, []byte{0xFF, 3, 0, 0x21}},
		"Cisco's HDLC":      {layers.LinkTypeC_HDLC, []byte{0x0F, 0, 8, 0}},
		"PPPoE":             {layers.LinkTypePPPEthernet, []byte{0x11, 0, 0, 9, 0, 0, 0, 0x21}},
		"SNAP":              {layers.LinkTypeEthernet, append(make([]byte, 12), 0, 40, 0xAA, 0xAA, 3, 0, 0, 0, 8, 0)},
		"MPLS, two labels":  {layers.LinkTypeEthernet, append(make([]byte, 12), 0x88, 0x47, 0, 1, 0, 9, 0, 2, 1, 9)},
		"VLANs of 0x9100":   {layers.LinkTypeEthernet, append(make([]byte, 12), 0x91, 0, 0, 5, 0x81, 0, 0, 6, 8, 0)},
		"loopback":          {layers.LinkTypeNull, []byte{2, 0, 0, 0}},
		"any interface":     {layers.LinkTypeLinuxSLL, append(make([]byte, 14), 8, 0)},
		"any, version 2":    {layers.LinkTypeLinuxSLL2, append([]byte{8, 0}, make([]byte, 18)...)},
		"raw, as BSD does":  {rawBSD, nil},
		"raw, numbered 228": {layers.LinkTypeIPv4, nil},
	} {
		got, how := new(Decoder).Decode(noon, test.link, append(slices.Clone(test.head), ip...))
		if how != Found || string(got.Segment[8:]) != "hello" || !Readable(test.link) {
			t.Errorf("%s: outcome %d, %q", name, how, got.Segment)
		}
	}
	if _, how := new(Decoder).Decode(noon, 9999, ip); how != Unknown || Readable(9999) {
		t.Errorf("a link type of nobody: outcome %d", how)
	}
}

func FuzzDecode(f *testing.F) {
	ip := cut(udp([]byte("hello")), 1, 1000)[0]
	f.Add(uint32(1), append(append(make([]byte, 12), 8, 0), ip...), []byte{})
	for _, p := range cut(udp(make([]byte, 60)), 3, 24) {
		f.Add(uint32(101), p, p)
	}
	for _, p := range cut6(udp(make([]byte, 60)), 3, 24) {
		f.Add(uint32(101), p, ip)
	}
	gtp := append([]byte{0x34, 0xFF, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 0, 0}, ip...)
	tunnel := slices.Clone(cut(udp(gtp), 1, 1000)[0])
	binary.BigEndian.PutUint16(tunnel[22:], portGTP)
	f.Add(uint32(101), tunnel, ip)
	f.Fuzz(func(t *testing.T, link uint32, a, b []byte) {
		var d Decoder
		for _, p := range [][]byte{a, b, a} {
			got, how := d.Decode(noon, layers.LinkType(link), p)
			if how == Found && (!got.Src.IsValid() || !got.Dst.IsValid() || got.Protocol == TCP && len(got.Segment) < 20 || got.Protocol == UDP && len(got.Segment) < 8) {
				t.Errorf("%+v", got)
			}
		}
	})
}
