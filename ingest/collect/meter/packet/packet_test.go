package packet

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
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

// A capture that has each packet twice has each fragment twice: what comes again after
// its datagram is complete waits for nothing, and keeps no later one of its id away.
func TestFragmentsTwice(t *testing.T) {
	first, second := udp(bytes.Repeat([]byte("0123456789"), 30)), udp(bytes.Repeat([]byte("abcdefghij"), 40))
	for name, parts := range map[string][][][]byte{
		"IPv4": {cut(first, 7, 64), cut(second, 7, 64)}, "IPv6": {cut6(first, 7, 64), cut6(second, 7, 64)},
	} {
		var d Decoder
		var found [][]byte
		for i, of := range parts {
			for _, p := range of {
				for range 2 {
					if got, how := d.Decode(noon.Add(time.Duration(i)*time.Second), layers.LinkTypeRaw, p); how == Found {
						found = append(found, got.Segment)
					}
				}
			}
		}
		if len(found) != 2 || !bytes.Equal(found[0], first) || !bytes.Equal(found[1], second) {
			t.Errorf("%s: %d datagrams were found", name, len(found))
		}
		if d.Close(); d.Lost() != 0 {
			t.Errorf("%s: %d lost", name, d.Lost())
		}
	}
}

// A datagram that is said again later, its number come round, is another.
func TestFragmentsAgain(t *testing.T) {
	var d Decoder
	whole, found := udp(bytes.Repeat([]byte("0123456789"), 30)), 0
	for i := range 3 {
		for _, p := range cut(whole, 7, 64) {
			if _, how := d.Decode(noon.Add(time.Duration(i)*time.Minute), layers.LinkTypeRaw, p); how == Found {
				found++
			}
		}
	}
	if found != 3 {
		t.Errorf("%d of 3 datagrams were found", found)
	}
}

// TestWireless: a frame of IEEE 802.11 is read with its checksum and without.
func TestWireless(t *testing.T) {
	want := udp([]byte("hello"))
	frame := slices.Concat([]byte{8, 1, 0, 0}, make([]byte, 20), []byte{0xAA, 0xAA, 3, 0, 0, 0, 8, 0},
		[]byte{0x45, 0, 0, byte(20 + len(want)), 0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, want)
	for name, b := range map[string][]byte{
		"without": frame, "with": binary.LittleEndian.AppendUint32(slices.Clone(frame), crc32.ChecksumIEEE(frame)),
	} {
		var d Decoder
		if got, how := d.Decode(noon, layers.LinkTypeIEEE802_11, b); how != Found || !bytes.Equal(got.Segment, want) {
			t.Errorf("%s: outcome %d, %q", name, how, got.Segment)
		}
	}
}

// Fragments of IPv4 that overlap and agree make the datagram, whatever their order;
// those of IPv6 do not (RFC 5722).
func TestFragmentsThatOverlap(t *testing.T) {
	payload := udp(bytes.Repeat([]byte("0123456789"), 100))
	dice := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		parts, parts6 := cut(payload, 7, 64), cut6(payload, 7, 64)
		parts = slices.Concat(parts[:4], cut(payload, 7, 200)[1:], parts[5:9])
		parts6 = append(parts6, cut6(payload, 7, 200)...)
		dice.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		found, found6 := 0, 0
		var d, d6 Decoder
		for _, p := range parts {
			if got, how := d.Decode(noon, layers.LinkTypeRaw, p); how == Found && bytes.Equal(got.Segment, payload) {
				found++
				break
			}
		}
		for _, p := range parts6[1:] {
			if _, how := d6.Decode(noon, layers.LinkTypeRaw, p); how != Held {
				found6++
			}
		}
		if found != 1 || found6 != 0 || d.Lost() != 0 || d6.Lost() == 0 || d.fragments.bytes != 0 {
			t.Errorf("found %d and %d, %d and %d lost, %d bytes held", found, found6, d.Lost(), d6.Lost(), d.fragments.bytes)
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

// v4 and v6 wrap a payload of a protocol in an IP header.
func v4(proto byte, payload []byte) []byte {
	h := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)))
	return append(h, payload...)
}

func v6(proto byte, payload []byte) []byte {
	h := make([]byte, 40)
	h[0], h[6], h[7], h[8], h[24] = 0x60, proto, 64, 1, 2
	binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
	return append(h, payload...)
}

// over gives a UDP datagram to a port.
func over(port uint16, payload []byte) []byte {
	b := udp(payload)
	binary.BigEndian.PutUint16(b[2:], port)
	return b
}

// Every header that leads on is followed, and what leads nowhere is told.
// reason: a table, a case a header.
func TestHeaders(t *testing.T) {
	hello := udp([]byte("hello"))
	then := func(next, n byte, rest ...byte) []byte { // an extension header of 8+8n bytes
		return append(append([]byte{next, n}, make([]byte, 6+8*int(n))...), rest...)
	}
	ethernet := func(typ uint16, b []byte) []byte {
		return append(binary.BigEndian.AppendUint16(make([]byte, 12), typ), b...)
	}
	options := append([]byte{0x46, 0, 0, 37, 0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x94, 4, 0, 0}, hello...)
	unsaid := v4(UDP, hello)
	unsaid[2], unsaid[3] = 0, 0
	padded := append(v4(UDP, hello), make([]byte, 20)...)
	inner := v4(UDP, hello)
	for name, test := range map[string]struct {
		packet []byte
		want   Outcome
	}{
		"IPv4, options":                     {options, Found},
		"IPv4, no length, to be cut up":     {unsaid, Found},
		"IPv4, padded to a frame":           {padded, Found},
		"IPv4, AH":                          {v4(protoAH, append([]byte{UDP, 4, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, hello...)), Found},
		"IPv6, hop by hop, routing, dest":   {v6(0, then(protoRouting, 0, then(protoDest, 2, then(UDP, 0, hello...)...)...)), Found},
		"IPv6, a fragment that is whole":    {v6(protoFragment, append([]byte{UDP, 0, 0, 0, 0, 0, 0, 7}, hello...)), Found},
		"IPv6, headers before the fragment": {v6(0, then(protoFragment, 0, append([]byte{protoDest, 0, 0, 0, 0, 0, 0, 7}, then(UDP, 0, hello...)...)...)), Found},
		"IPv6 in IPv4":                      {v4(protoIPv6, v6(UDP, hello)), Found},
		"IPv4 in IPv6":                      {v6(protoIPIP, inner), Found},
		"IPv6 in UDP (Teredo)":              {v4(UDP, over(portTeredo, append([]byte{0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0}, v6(UDP, hello)...))), Found},
		"Ethernet in IP":                    {v4(protoEtherIP, append([]byte{0x30, 0}, ethernet(0x0800, inner)...)), Found},
		"MPLS in IP":                        {v4(protoMPLS, append([]byte{0, 1, 1, 64}, inner...)), Found},
		"GRE, all its options":              {v4(protoGRE, append([]byte{0xB0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1}, inner...)), Found},
		"GRE, a mirrored port":              {v4(protoGRE, append([]byte{0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, ethernet(0x0800, inner)...)), Found},
		"PPTP":                              {v4(protoGRE, append([]byte{0x30, 0x81, 0x88, 0x0B, 0, 37, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 3, 0, 0x21}, inner...)), Found},
		"Geneve, with options":              {v4(UDP, over(portGeneve, append([]byte{1, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 0}, ethernet(0x0800, inner)...))), Found},
		"VXLAN of the first draft":          {v4(UDP, over(portVXLAN0, append([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ethernet(0x0800, inner)...))), Found},
		"GTP-U, extension headers":          {v4(UDP, over(portGTP, append([]byte{0x34, 0xFF, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 0, 0}, inner...))), Found},
		"PPP in L2TP, all its options":      {v4(UDP, over(portL2TP, append([]byte{0x4A, 2, 0, 60, 0, 1, 0, 2, 0, 1, 0, 1, 0, 2, 9, 9, 0, 0x21}, inner...))), Found},
		"PPTP's acknowledgement":            {v4(protoGRE, []byte{0x20, 0x81, 0x88, 0x0B, 0, 0, 0, 9, 0, 0, 0, 1}), Other},
		"ESP":                               {v4(50, make([]byte, 40)), Other},
		"ESP after a header of IPv6":        {v6(0, then(50, 0, make([]byte, 40)...)), Other},
		"SCTP":                              {v4(132, make([]byte, 40)), Other},
		"ICMP":                              {v4(1, make([]byte, 40)), Other},
		"IPv6 of nothing more":              {v6(59, nil), Other},
		"half a TCP header":                 {v4(TCP, make([]byte, 19)), Damaged},
		"half a UDP header":                 {v4(UDP, make([]byte, 7)), Damaged},
		"half an extension header":          {v6(0, []byte{UDP, 9, 0, 0, 0, 0, 0, 0}), Damaged},
		"half an IPv6 header":               {v6(UDP, nil)[:39], Damaged},
		"a header longer than its packet":   {[]byte{0x4F, 0, 0, 20, 0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, Damaged},
		"IP version 5":                      {append([]byte{0x55}, make([]byte, 40)...), NotIP},
		"packets within packets for ever":   {nested(deepest+2, hello), Damaged},
	} {
		got, how := new(Decoder).Decode(noon, layers.LinkTypeRaw, test.packet)
		if how != test.want || how == Found && !bytes.Equal(got.Segment, hello) {
			t.Errorf("%s: outcome %d, %q; want %d", name, how, got.Segment, test.want)
		}
		for n := range test.packet {
			got, how := new(Decoder).Decode(noon, layers.LinkTypeRaw, test.packet[:n])
			if how == Found && len(got.Segment) >= len(hello) && bytes.HasPrefix(got.Segment[8:], []byte("hello")) && name != "IPv4, padded to a frame" {
				t.Errorf("%s: found whole in %d bytes of %d", name, n, len(test.packet))
			}
		}
	}
}

// nested is a packet in so many others.
func nested(n int, payload []byte) []byte {
	b := v4(UDP, payload)
	for range n {
		b = v4(protoIPIP, b)
	}
	return b
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
