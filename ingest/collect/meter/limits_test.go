package meter

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/gopacket/gopacket/layers"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/packet"
	"rollcall/ingest/collect/meter/wire"
)

// stranger is an address that nothing recorded has.
func stranger(i int) netip.AddrPort {
	ip := [4]byte{11}
	binary.BigEndian.PutUint32(ip[:], 11<<24+uint32(i))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), 4000)
}

// knock is a segment of a stranger's connection.
func knock(i int, at time.Time, tcp layers.TCP) segment {
	tcp.SrcPort, tcp.DstPort = 4000, 4321
	return segment{at: at, src: stranger(i), dst: netip.MustParseAddrPort("10.9.9.9:4321"), tcp: &tcp}
}

// floods gives what comes in a flood: the nth of it, at a time.
func floods() map[string]func(m *meter, n int, at time.Time) {
	word := bytes.Repeat([]byte{'x'}, sniffMost-1)
	return map[string]func(*meter, int, time.Time){
		"SYNs": func(m *meter, i int, at time.Time) {
			s := knock(i, at, layers.TCP{SYN: true})
			m.find(s).take(s)
		},
		"words of no protocol": func(m *meter, i int, at time.Time) {
			s := knock(i, at, layers.TCP{ACK: true})
			s.tcp.Payload = []byte("\x00\x00\x00")
			m.find(s).take(s)
		},
		"beginnings of what may be one": func(m *meter, i int, at time.Time) {
			_ = (&stream{meter: m}).Feed(wire.Client, at, word)
		},
		"bytes behind others that never come": func(m *meter, i int, at time.Time) {
			first, far := knock(i/400, at, layers.TCP{ACK: true}), knock(i/400, at, layers.TCP{ACK: true, Seq: uint32(10 + 9000*(i%400))})
			first.tcp.Payload, far.tcp.Payload = []byte("\x00\x00\x00"), make([]byte, max(0, min(8192, heldMost-1-pieceCost-m.held))) // up to the limit
			if i%400 == 0 {
				m.find(first).take(first)
			}
			m.find(far).take(far)
		},
		"datagrams": func(m *meter, i int, at time.Time) {
			m.takeUDP(packet.Datagram{At: at, Src: stranger(i), Dst: netip.MustParseAddrPort("10.9.9.9:4321"), Protocol: packet.UDP, Segment: make([]byte, 12)})
		},
	}
}

// readFlooded reads packets with a flood before one of them.
func readFlooded(t *testing.T, packets []sent, flood func(*meter, int, time.Time), before int) (string, Stats) {
	t.Helper()
	const most = 2000
	var list []ingest.Sighting
	m, err := newMeter(atHome, rollcall.MaxEvent, func(s ingest.Sighting) error {
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.connsMost, m.flowsMost = most, most
	for i, p := range packets {
		if i == before {
			for n := range 5000 {
				flood(m, n, p.at)
			}
			if m.open > most || len(m.flows) > most || m.waiting > waitingMost {
				t.Errorf("%d connections, %d flows, %d bytes wait", m.open, len(m.flows), m.waiting)
			}
		}
		if err := m.packet(frame{p.at, layers.LinkTypeEthernet, p.data}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	return ndjson(list), m.told()
}

// overtaken gives packets of which each has overtaken the one before it, where both are
// of one direction and carry data.
func overtaken(packets []sent) []sent {
	const addresses, ports = 14 + 12, 14 + 20 + 4 // of IPv4 in Ethernet
	data := func(p sent) bool { return len(p.data) > 14+20+32 }
	for i := 1; i < len(packets); i++ {
		a, b := &packets[i-1], &packets[i]
		if data(*a) && data(*b) && bytes.Equal(a.data[addresses:ports], b.data[addresses:ports]) {
			a.data, b.data = b.data, a.data
			i++
		}
	}
	return packets
}

// TestFloods: whatever number of connections, flows or first words comes in the middle
// of a messenger's session, the session is read as without them, and so is one that
// begins after them.
func TestFloods(t *testing.T) {
	packets := overtaken(recordedPackets(t, oscarRecording))
	want, _ := readFlooded(t, packets, nil, -1)
	if want == "" {
		t.Fatal("the recording has no sightings")
	}
	for name, flood := range floods() {
		for _, before := range []int{0, len(packets) / 2} {
			got, stats := readFlooded(t, packets, flood, before)
			if got != want {
				t.Errorf("%s before packet %d: %s\nwant %s", name, before, got, want)
			}
			if stats.Overflow == 0 && len(stats.GivenUp) == 0 && stats.Gaps == 0 {
				t.Errorf("%s before packet %d: nothing was let go: %+v", name, before, stats)
			}
		}
	}
}

// TestSmallPieces: first words that come a byte at a time hold no more than others, what
// each piece costs beside its byte counted.
func TestSmallPieces(t *testing.T) {
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	at, pieces := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), 0
	for range 800 {
		s := &stream{meter: m}
		for range 1000 {
			_ = s.Feed(wire.Client, at, []byte{'x'})
		}
	}
	for m.sniffed.Len() > 0 {
		s := m.sniffed.Front().Value.(*stream)
		pieces += len(s.waiting)
		s.Gap(wire.Client, at)
	}
	if most := waitingMost / int(unsafe.Sizeof(chunk{})); pieces > most || pieces < most/2 {
		t.Errorf("%d pieces wait, want at most %d", pieces, most)
	}
	if m.waiting != 0 {
		t.Errorf("%d bytes wait at the end", m.waiting)
	}
}

// TestWorth: what may be somebody's yet stays before a scan, and before what is of no
// protocol, though it was silent for longer.
func TestWorth(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, said := range []string{"", strings.Repeat("\x00", 2*sniffMost)} {
		m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		m.connsMost = 200
		syn, word := knock(1<<20, at, layers.TCP{SYN: true}), knock(1<<20, at, layers.TCP{ACK: true, Seq: 1})
		word.tcp.Payload = []byte("GET / HTTP/1.1\r\nHost: mail.example\r\n")
		first := m.find(syn)
		first.take(syn)
		m.find(word).take(word)
		for i := range 1000 {
			begin, next := knock(i, at.Add(time.Second), layers.TCP{SYN: true}), knock(i, at.Add(time.Second), layers.TCP{ACK: true, Seq: 1})
			m.find(begin).take(begin)
			if next.tcp.Payload = []byte(said); said != "" {
				m.find(next).take(next)
			}
		}
		if m.find(word) != first || first.over || m.stats.Overflow == 0 {
			t.Errorf("%d bytes: the older connection was let go, of %d", len(said), m.stats.Overflow)
		}
	}
}
