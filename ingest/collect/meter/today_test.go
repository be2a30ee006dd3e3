package meter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/signs"
	"rollcall/ingest/collect/meter/wire"
	"rollcall/schemas"
)

// public is where recordings are that may not be copied into the project.
const public = "../../../../shared/captures/public/"

var ofPanelist = Install{Market: "FR", Location: rollcall.Home, Panel: "nn", Panelist: "P1"}

// traffic writes the packets of one client, 10.0.0.5 or fd00::5.
type traffic struct {
	out  []sent
	port uint16
}

var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// ip writes a packet between the client and a server.
func (w *traffic) ip(at time.Duration, server netip.Addr, up bool, proto layers.IPProtocol, l ...gopacket.SerializableLayer) {
	client := netip.MustParseAddr("10.0.0.5")
	if server.Is6() {
		client = netip.MustParseAddr("fd00::5")
	}
	src, dst := client, server
	if !up {
		src, dst = server, client
	}
	var ip gopacket.SerializableLayer = &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	if server.Is6() {
		ip = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, append([]gopacket.SerializableLayer{ip}, l...)...); err != nil {
		panic(err)
	}
	w.out = append(w.out, sent{morning.Add(at), bytes.Clone(buf.Bytes())})
}

// tcp writes a connection: what the client says at once, and a byte from either
// side at the end.
func (w *traffic) tcp(from, to time.Duration, server netip.AddrPort, says []byte) {
	w.port++
	seq := [2]uint32{1000, 5000}
	send := func(at time.Duration, up bool, data []byte, set func(*layers.TCP)) {
		tcp := &layers.TCP{SrcPort: layers.TCPPort(30000 + w.port), DstPort: layers.TCPPort(server.Port()), Seq: seq[0], Ack: seq[1], ACK: true}
		side := 0
		if !up {
			side = 1
			tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Ack = tcp.DstPort, tcp.SrcPort, seq[1], seq[0]
		}
		set(tcp)
		w.ip(at, server.Addr(), up, layers.IPProtocolTCP, tcp, gopacket.Payload(data))
		seq[side] += uint32(len(data))
		if tcp.SYN || tcp.FIN {
			seq[side]++
		}
	}
	plain := func(*layers.TCP) {}
	send(from, true, nil, func(t *layers.TCP) { t.SYN, t.ACK = true, false })
	send(from, false, nil, func(t *layers.TCP) { t.SYN = true })
	for part := range slices.Chunk(says, 1400) {
		send(from, true, part, plain)
	}
	send(to, true, []byte{0x17}, plain)
	send(to, false, []byte{0x17}, plain)
	send(to, true, nil, func(t *layers.TCP) { t.FIN = true })
	send(to, false, nil, func(t *layers.TCP) { t.FIN = true })
}

// udp writes a talk: what the client says at once, and a datagram at the end.
func (w *traffic) udp(from, to time.Duration, server netip.AddrPort, says ...[]byte) {
	w.port++
	send := func(at time.Duration, data []byte) {
		w.ip(at, server.Addr(), true, layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(30000 + w.port), DstPort: layers.UDPPort(server.Port())}, gopacket.Payload(data))
	}
	for _, b := range says {
		send(from, b)
	}
	send(to, []byte{0x40, 1, 2})
}

// dns writes an answer of the resolver: the name's address, for so long.
func (w *traffic) dns(at time.Duration, name string, server netip.Addr, life time.Duration) {
	q := layers.DNS{ID: 1, QR: true, Questions: []layers.DNSQuestion{{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN}},
		Answers: []layers.DNSResourceRecord{{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN, TTL: uint32(life / time.Second), IP: server.AsSlice()}}}
	w.ip(at, netip.MustParseAddr("10.0.0.1"), false, layers.IPProtocolUDP, &layers.UDP{SrcPort: 53, DstPort: 5000}, &q)
}

// seen reads the packets and gives the presences as "service from-until", in
// minutes after the start.
func (w *traffic) seen(t *testing.T, install Install) []string {
	t.Helper()
	slices.SortStableFunc(w.out, func(a, b sent) int { return a.at.Compare(b.at) })
	list, _, err := meet(t, bytes.NewReader(pcap(t, layers.LinkTypeRaw, w.out)), install)
	if err != nil {
		t.Fatal(err)
	}
	return spans(list)
}

func spans(list []ingest.Sighting) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s.Service)+" "+s.Time.Sub(morning).String()+" "+s.Until.Sub(s.Time).String())
	}
	return out
}

var somewhere = netip.MustParseAddr("198.51.100.7")

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// Every row of the table is reached, by a hello, a connection or an address
// made for it; and what is given to none is nobody's.
func TestEverySignature(t *testing.T) {
	rows, err := signs.Parse(strings.NewReader(schemas.Signatures))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var w traffic
		switch row.Sign {
		case signs.Name:
			w.tcp(0, time.Minute, at(somewhere, 443), secure.Record(secure.BuildHello("a."+row.Value, nil, false), 4000))
		case signs.ALPN:
			w.tcp(0, time.Minute, at(somewhere, 5223), secure.Record(secure.BuildHello("a.example", []string{row.Value}, false), 4000))
		case signs.Bytes, signs.Datagram:
			digits, ports, _ := strings.Cut(row.Value, "@")
			b, err := hex.DecodeString(strings.ReplaceAll(digits, ".", "5"))
			if err != nil {
				t.Fatal(err)
			}
			port := uint16(443)
			if strings.Contains(ports, "5222") {
				port = 5222
			}
			if row.Sign == signs.Bytes {
				w.tcp(0, time.Minute, at(somewhere, port), b)
			} else {
				w.udp(0, time.Minute, at(somewhere, port), b)
			}
		case signs.Address:
			w.tcp(0, time.Minute, at(netip.MustParsePrefix(row.Value).Addr(), 443), []byte("\x99who knows what"))
		}
		want := []string{string(row.Service) + " 0s 1m0s"}
		if row.Service == signs.None {
			want = nil
		}
		if got := w.seen(t, ofPanelist); !slices.Equal(got, want) {
			t.Errorf("%s %s %s: got %q, want %q", row.Service, row.Sign, row.Value, got, want)
		}
	}
}

func TestToday(t *testing.T) {
	hello := func(name string, hidden bool) []byte { return secure.Record(secure.BuildHello(name, nil, hidden), 70) }
	initials := func(number uint32, name string, hidden bool) [][]byte {
		return secure.BuildInitials(number, []byte("12345678"), secure.BuildHello(name, nil, hidden), 3)
	}
	for name, test := range map[string]struct {
		make func(*traffic)
		want []string
	}{
		"a name over records and segments": {func(w *traffic) { w.tcp(0, time.Minute, at(somewhere, 443), hello("chat.signal.org", false)) }, []string{"signal 0s 1m0s"}},
		"silent for an hour":               {func(w *traffic) { w.tcp(0, time.Hour, at(somewhere, 443), hello("chat.signal.org", false)) }, nil},
		"a refused sign-on":                {func(w *traffic) { w.tcp(0, 3*time.Second, at(somewhere, 443), hello("chat.signal.org", false)) }, nil},
		"two within half an hour, one after": {func(w *traffic) {
			w.tcp(0, time.Minute, at(somewhere, 443), hello("chat.signal.org", false))
			w.tcp(20*time.Minute, 21*time.Minute, at(somewhere, 443), hello("chat.signal.org", false))
			w.tcp(60*time.Minute, 61*time.Minute, at(somewhere, 443), hello("cdn.signal.org", false))
		}, []string{"signal 0s 21m0s", "signal 1h0m0s 1m0s"}},
		"ECH":             {func(w *traffic) { w.tcp(0, time.Minute, at(somewhere, 443), hello("discord.com", true)) }, nil},
		"ECH in QUIC":     {func(w *traffic) { w.udp(0, time.Minute, at(somewhere, 443), initials(1, "discord.com", true)...) }, nil},
		"QUIC, version 1": {func(w *traffic) { w.udp(0, time.Minute, at(somewhere, 443), initials(1, "web.whatsapp.com", false)...) }, []string{"whatsapp 0s 1m0s"}},
		"QUIC, version 2": {func(w *traffic) {
			w.udp(0, time.Minute, at(somewhere, 443), initials(0x6B3343CF, "web.whatsapp.com", false)...)
		}, []string{"whatsapp 0s 1m0s"}},
		"an address of DNS": {func(w *traffic) {
			w.dns(0, "g.whatsapp.net", somewhere, 5*time.Minute)
			w.tcp(time.Minute, 2*time.Minute, at(somewhere, 443), []byte("\x99unknown"))
		}, []string{"whatsapp 1m0s 1m0s"}},
		"an address of DNS, its life over": {func(w *traffic) {
			w.dns(0, "g.whatsapp.net", somewhere, 5*time.Minute)
			w.tcp(10*time.Minute, 11*time.Minute, at(somewhere, 443), []byte("\x99unknown"))
		}, nil},
		"an address for two": {func(w *traffic) {
			w.dns(0, "g.whatsapp.net", somewhere, 5*time.Minute)
			w.dns(0, "shop.example", somewhere, 5*time.Minute)
			w.tcp(time.Minute, 2*time.Minute, at(somewhere, 443), []byte("\x99unknown"))
		}, nil},
		"an address of DNS, another name": {func(w *traffic) {
			w.dns(0, "g.whatsapp.net", somewhere, 5*time.Minute)
			w.tcp(time.Minute, 2*time.Minute, at(somewhere, 443), hello("shop.example", false))
		}, nil},
		"through a proxy": {func(w *traffic) {
			w.tcp(0, time.Minute, at(somewhere, 1080), append([]byte("\x04\x01\x01\xbb\x01\x02\x03\x04me\x00"), hello("slack.com", false)...))
		}, nil}, // the proxy has not answered
	} {
		var w traffic
		test.make(&w)
		if got := w.seen(t, ofPanelist); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Without a panelist each client's sessions are apart, and nobody's.
func TestTodayOfNobody(t *testing.T) {
	var w traffic
	w.tcp(0, time.Minute, at(somewhere, 443), secure.Record(secure.BuildHello("signal.org", nil, false), 4000))
	w.tcp(0, time.Minute, at(netip.MustParseAddr("2001:db8::9"), 443), secure.Record(secure.BuildHello("signal.org", nil, false), 4000))
	if got := w.seen(t, atHome); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	if got := w.seen(t, ofPanelist); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// What is opened towards the panelist's machine is somebody else's.
func TestTodayFromOutside(t *testing.T) {
	var w traffic
	w.tcp(0, time.Minute, at(somewhere, 443), secure.Record(secure.BuildHello("signal.org", nil, false), 4000))
	install := ofPanelist
	install.Hosts = []netip.Prefix{netip.PrefixFrom(somewhere, 32)}
	if got := w.seen(t, install); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

// The public recordings, where they are: one phone's day of WhatsApp is 13
// sessions.
func TestPublic(t *testing.T) {
	for name, want := range map[string]map[rollcall.ServiceID]int{
		"ndpi_whatsapp": {"whatsapp": 13}, "ndpi_signal": {"signal": 1}, "ndpi_discord": {"discord": 2},
	} {
		file, err := os.ReadFile(public + name + ".pcap")
		if err != nil {
			t.Skipf("the public recordings are not here: %v", err)
		}
		list, _, err := meet(t, bytes.NewReader(file), ofPanelist)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[rollcall.ServiceID]int)
		for _, s := range list {
			got[s.Service]++
		}
		for service, n := range want {
			if got[service] != n || len(got) != len(want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
	}
}

func FuzzDNS(f *testing.F) {
	q := layers.DNS{ID: 1, QR: true, Questions: []layers.DNSQuestion{{Name: []byte("g.whatsapp.net"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}}}
	buf := gopacket.NewSerializeBuffer()
	if err := q.SerializeTo(buf, gopacket.SerializeOptions{FixLengths: true}); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add(append(binary.BigEndian.AppendUint64(nil, 1<<32), 0, 0, 0, 0, 0xC0, 12, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := newMeter(ofPanelist, rollcall.MaxEvent, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.tracker.DNS(somewhere, somewhere, morning, b)
	})
}

// FuzzDNSStream: DNS over TCP is survived, and never holds more than a message.
func FuzzDNSStream(f *testing.F) {
	f.Add([]byte("\x00\x0c\x00\x01\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05short"), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		m, err := newMeter(ofPanelist, rollcall.MaxEvent, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &dnsStream{meter: m}
		for part := range slices.Chunk(b, 1+int(size)) {
			_ = s.Feed(wire.Server, morning, part)
			if len(s.buf[wire.Server]) > 2+1<<16 {
				t.Fatalf("%d bytes held", len(s.buf[wire.Server]))
			}
		}
	})
}
