package meter

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

const replay = "../../../testdata/replay/"

var atHome = Install{Market: "FR", Location: rollcall.Home}

// The recordings: real clients against real servers, made-up accounts.
const (
	oscarRecording = "oscar_bitlbee351"
	msnRecording   = "msn8_ymsg10_bitlbee128_escargot"
	xmppRecording  = "xmpp_prosody0.12"
)

var recordings = [...]string{oscarRecording, msnRecording, xmppRecording}

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(replay + name + ".pcap")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// meet reads a capture and gives its sightings.
func meet(t testing.TB, capture io.Reader, install Install) ([]ingest.Sighting, Stats, error) {
	t.Helper()
	var list []ingest.Sighting
	stats, err := Read(context.Background(), capture, install, func(s ingest.Sighting) error {
		list = append(list, s)
		return nil
	})
	if stats.Sightings != int64(len(list)) {
		t.Errorf("Stats counts %d sightings of %d", stats.Sightings, len(list))
	}
	return list, stats, err
}

func ndjson(list []ingest.Sighting) string {
	var b []byte
	for _, s := range list {
		b = append(s.AppendJSON(b), '\n')
	}
	return string(b)
}

// tape is what one connection of a capture said, in order.
type tape struct {
	first  time.Time
	chunks []chunk
	ended  time.Time
}

// Feed, Gap and End make a tape a dissector that only records.
func (p *tape) Feed(side wire.Side, t time.Time, data []byte) error {
	p.chunks = append(p.chunks, chunk{side, t, bytes.Clone(data)})
	return nil
}
func (p *tape) Gap(wire.Side, time.Time)    {}
func (p *tape) End(t time.Time, _ wire.End) { p.ended = t }

// tapes records every connection of a capture.
func tapes(t testing.TB, capture []byte) []*tape {
	t.Helper()
	var all []*tape
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	m.protocols = []protocol{{"any", func([]byte, bool) wire.Verdict { return wire.Yes }, func(s *stream) wire.Dissector {
		p := &tape{first: s.opening.Start}
		all = append(all, p)
		return p
	}}}
	src, err := openCapture(bytes.NewReader(capture))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.run(context.Background(), src); err != nil {
		t.Fatal(err)
	}
	return all
}

// manner is how a tape is made into packets again.
type manner struct {
	size    func() int // bytes of the next segment; nil: as recorded
	shuffle bool       // the segments of a chunk come in any order
	again   bool       // every segment comes twice, the second time one byte longer at the front
	link    layers.LinkType
	v6      bool
	noSYN   bool
	rst     bool // ended by RST, not FIN
	open    bool // never ended
	port    uint16
}

// sent is a packet of a test capture.
type sent struct {
	at   time.Time
	data []byte
}

// sender writes the packets of one connection.
type sender struct {
	manner
	dice *rand.Rand
	seq  [2]uint32
	out  []sent
}

// replayed makes the packets of tapes, in the order of time.
func replayed(t testing.TB, all []*tape, m manner) []sent {
	t.Helper()
	var out []sent
	for i, p := range all {
		s := &sender{manner: m, dice: rand.New(rand.NewPCG(1, uint64(i))), seq: [2]uint32{0xFFFFFF00, 77}}
		if s.port == 0 {
			s.port = uint16(40000 + i)
		}
		s.connection(t, p)
		out = append(out, s.out...)
	}
	slices.SortStableFunc(out, func(a, b sent) int { return a.at.Compare(b.at) })
	return out
}

func (s *sender) connection(t testing.TB, p *tape) {
	if !s.noSYN {
		s.packet(t, p.first, wire.Client, 0, nil, "S")
		s.packet(t, p.first, wire.Server, 0, nil, "SA")
	}
	s.seq[0]++
	s.seq[1]++
	for _, k := range p.chunks {
		s.chunk(t, k)
	}
	switch {
	case s.open:
	case s.rst:
		s.packet(t, p.ended, wire.Client, 0, nil, "R")
	default:
		s.packet(t, p.ended, wire.Client, 0, nil, "FA")
		s.packet(t, p.ended, wire.Server, 0, nil, "FA")
	}
}

// chunk writes the segments of a chunk, in the sender's manner.
func (s *sender) chunk(t testing.TB, k chunk) {
	type piece struct{ from, to int }
	var pieces []piece
	for from := 0; from < len(k.data); {
		to := len(k.data)
		if s.size != nil {
			to = min(to, from+s.size())
		}
		pieces = append(pieces, piece{from, to})
		from = to
	}
	if s.shuffle {
		s.dice.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	}
	for _, p := range pieces {
		s.packet(t, k.at, k.side, p.from, k.data[p.from:p.to], "A")
		if s.again {
			from := max(0, p.from-1)
			s.packet(t, k.at, k.side, from, k.data[from:p.to], "A")
		}
	}
	s.seq[k.side] += uint32(len(k.data))
}

// packet writes one packet; ahead is the distance of its data from the
// sequence number reached.
func (s *sender) packet(t testing.TB, at time.Time, side wire.Side, ahead int, data []byte, flags string) {
	t.Helper()
	has := func(f byte) bool { return bytes.IndexByte([]byte(flags), f) >= 0 }
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(s.port), DstPort: 5190, Window: 65535,
		Seq: s.seq[side] + uint32(ahead), Ack: s.seq[side.Other()],
		SYN: has('S'), ACK: has('A'), FIN: has('F'), RST: has('R'),
	}
	if side == wire.Server {
		tcp.SrcPort, tcp.DstPort = tcp.DstPort, tcp.SrcPort
	}
	if tcp.SYN && tcp.ACK {
		tcp.Ack++
	}
	stack := append(s.under(side), tcp, gopacket.Payload(data))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, stack...); err != nil {
		t.Fatal(err)
	}
	s.out = append(s.out, sent{at, append(linkHeader(s.link, s.v6), buf.Bytes()...)})
}

// under gives the layers below TCP that the serialiser knows.
func (s *sender) under(side wire.Side) []gopacket.SerializableLayer {
	if s.v6 {
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fd00::2")}
		if side == wire.Server {
			ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
		}
		return []gopacket.SerializableLayer{ip}
	}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 2}}
	if side == wire.Server {
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
	}
	return []gopacket.SerializableLayer{ip}
}

// linkHeader gives the bytes that stand before IP on a link.
func linkHeader(link layers.LinkType, v6 bool) []byte {
	etherType, family := []byte{8, 0}, byte(2)
	if v6 {
		etherType, family = []byte{0x86, 0xDD}, 24
	}
	switch link {
	case layers.LinkTypeEthernet:
		return append(make([]byte, 12), etherType...)
	case layers.LinkTypeNull:
		return []byte{family, 0, 0, 0}
	case layers.LinkTypeLoop:
		return []byte{0, 0, 0, family}
	case layers.LinkTypeLinuxSLL:
		return append([]byte{0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0}, etherType...)
	case layers.LinkTypeLinuxSLL2:
		return append(append([]byte{}, etherType...), 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return nil
}

// pcap writes a pcap file.
func pcap(t testing.TB, link layers.LinkType, packets []sent) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(65535, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(info(p), p.data); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// pcapng writes a pcapng file of two interfaces: odd packets on the second.
func pcapng(t testing.TB, link layers.LinkType, packets []sent) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, link)
	if err != nil {
		t.Fatal(err)
	}
	iface := pcapgo.DefaultNgInterface
	iface.LinkType = link
	if _, err := w.AddInterface(iface); err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		ci := info(p)
		ci.InterfaceIndex = i % 2
		if err := w.WritePacket(ci, p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func info(p sent) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data), Length: len(p.data)}
}

// recordedPackets gives the packets of the recording as they are.
func recordedPackets(t testing.TB, name string) []sent {
	t.Helper()
	return packetsOf(t, recorded(t, name))
}

// packetsOf gives the packets of a capture.
func packetsOf(t testing.TB, file []byte) []sent {
	t.Helper()
	src, err := openCapture(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []sent
	for {
		p, err := src.next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sent{p.at, bytes.Clone(p.data)})
	}
}
