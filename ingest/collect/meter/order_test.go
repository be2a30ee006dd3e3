package meter

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// got is what came of a connection, by side: its bytes, "_" where some are
// missing, and how it ended.
type got struct {
	said [2][]byte
	end  wire.End
	at   time.Time
}

func (g *got) Feed(side wire.Side, _ time.Time, data []byte) error {
	g.said[side] = append(g.said[side], data...)
	return nil
}
func (g *got) Gap(side wire.Side, _ time.Time) { // before the first byte the opening tells it
	if len(g.said[side]) > 0 {
		g.said[side] = append(g.said[side], '_')
	}
}
func (g *got) End(t time.Time, why wire.End)    { g.end, g.at = why, t }
func (g *got) String() string                   { return fmt.Sprintf("%q", g.said) }
func (g *got) reading(*meter) (list []protocol) { return []protocol{{"any", always, g.open}} }
func (g *got) open(*stream) wire.Dissector      { return g }
func always([]byte, bool) wire.Verdict          { return wire.Yes }

// part is a segment of a test: where its data stand in what its side says.
type part struct {
	side     wire.Side
	from, to int
	flags    string // of S, F, R; none: data
	says     string // in place of the side's own
	wait     time.Duration
}

// alphabet is what both sides say: one byte tells its place.
const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// start are the numbers of the first bytes: one side's pass 2^32 soon.
var start = [2]uint32{0xFFFFFFF0, 7000}

func (p part) data() []byte {
	if p.says != "" {
		return []byte(p.says)
	}
	return []byte(alphabet[p.from:p.to])
}

func (p part) segment(at time.Time) segment {
	ends := [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:5190")}
	has := func(flag string) bool { return bytes.Contains([]byte(p.flags), []byte(flag)) }
	tcp := &layers.TCP{SYN: has("S"), FIN: has("F"), RST: has("R"), ACK: p.side == s || p.flags != "S", Seq: start[p.side] + uint32(p.from), Ack: start[p.side.Other()] + 5}
	if tcp.SYN {
		tcp.Seq--
	}
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(ends[p.side].Port()), layers.TCPPort(ends[p.side.Other()].Port())
	tcp.Payload = p.data()
	return segment{at: at, src: ends[p.side], dst: ends[p.side.Other()], tcp: tcp}
}

// ordered gives what comes of the parts, a second apart.
func ordered(t *testing.T, parts ...part) *got {
	t.Helper()
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	g := new(got)
	m.protocols = g.reading(m)
	now := morning
	for _, p := range parts {
		now = now.Add(time.Second + p.wait)
		m.clock(now)
		if p.wait > 0 {
			m.flush()
		}
		s := p.segment(now)
		if c := m.find(s); c != nil {
			c.take(s)
		}
	}
	if err := m.close(); err != nil || m.held != 0 {
		t.Errorf("%v; %d bytes are held at the end", err, m.held)
	}
	return g
}

const c, s = wire.Client, wire.Server

func TestOrder(t *testing.T) {
	for name, test := range map[string]struct {
		parts []part
		want  string
		end   wire.End
	}{
		"in order":                      {[]part{{c, 0, 0, "S", "", 0}, {s, 0, 0, "S", "", 0}, {c, 0, 3, "", "", 0}, {s, 0, 2, "", "", 0}, {c, 3, 6, "", "", 0}}, `["abcdef" "ab"]`, wire.Cut},
		"over 2^32, backwards":          {[]part{{c, 0, 2, "", "", 0}, {c, 30, 40, "", "", 0}, {c, 20, 30, "", "", 0}, {c, 10, 20, "", "", 0}, {c, 2, 10, "", "", 0}}, `["` + alphabet[:40] + `" ""]`, wire.Cut},
		"begun in the middle":           {[]part{{c, 5, 8, "", "", 0}, {c, 2, 5, "", "", 0}, {c, 8, 9, "", "", 0}}, `["fghi" ""]`, wire.Cut},
		"a byte again, to stay alive":   {[]part{{c, 0, 5, "", "", 0}, {c, 4, 5, "", "", 0}, {c, 4, 4, "", "", 0}, {c, 5, 6, "", "", 0}}, `["abcdef" ""]`, wire.Cut},
		"other bytes again":             {[]part{{c, 0, 3, "", "", 0}, {c, 0, 3, "", "XYZ", 0}, {c, 6, 9, "", "", 0}, {c, 4, 9, "", "-----", 0}, {c, 3, 10, "", "+++++++", 0}}, `["abc+--ghi+" ""]`, wire.Cut},
		"missing":                       {[]part{{c, 0, 3, "", "", 0}, {c, 5, 6, "", "", 0}, {c, 8, 9, "", "", 0}, {c, 6, 7, "", "", 0}}, `["abc_fg_i" ""]`, wire.Cut},
		"missing for long, then coming": {[]part{{c, 0, 3, "", "", 0}, {c, 5, 6, "", "", 0}, {c, 6, 7, "", "", 2 * time.Minute}, {c, 3, 5, "", "", 0}}, `["abc_fg" ""]`, wire.Cut},
		"closed by the client":          {[]part{{c, 0, 3, "F", "", 0}, {s, 0, 2, "F", "", 0}, {c, 3, 4, "", "", 0}}, `["abc" "ab"]`, wire.Closed},
		"closed by the server":          {[]part{{c, 0, 3, "", "", 0}, {s, 0, 2, "F", "", 0}, {c, 3, 4, "F", "", 0}}, `["abcd" "ab"]`, wire.ClosedByServer},
		"closed before its data came":   {[]part{{c, 0, 1, "", "", 0}, {c, 3, 3, "F", "", 0}, {c, 1, 3, "", "", 0}, {s, 0, 2, "F", "", 0}}, `["abc" "ab"]`, wire.Closed},
		"its last bytes missing":        {[]part{{c, 0, 1, "", "", 0}, {c, 3, 3, "F", "", 0}}, `["a_" ""]`, wire.Closed},
		"a FIN that was none":           {[]part{{c, 0, 1, "", "", 0}, {c, 3, 3, "F", "", 0}, {c, 1, 6, "", "", 0}}, `["abcdef" ""]`, wire.Cut},
		"a FIN again":                   {[]part{{c, 0, 1, "F", "", 0}, {c, 0, 1, "F", "", 0}, {c, 1, 3, "", "", 0}}, `["a" ""]`, wire.Closed},
		"reset":                         {[]part{{c, 0, 3, "", "", 0}, {c, 5, 6, "", "", 0}, {s, 0, 0, "R", "", 0}, {c, 3, 5, "", "", 0}}, `["abc_f" ""]`, wire.Reset},
		"a reset of before":             {[]part{{c, 0, 3, "", "", 0}, {c, 2, 2, "R", "", 0}, {c, 3, 4, "", "", 0}}, `["abcd" ""]`, wire.Cut},
		"a reset of nowhere":            {[]part{{c, 0, 3, "", "", 0}, {c, 2 << 20, 2 << 20, "R", "x", 0}, {c, 3, 4, "", "", 0}}, `["abcd" ""]`, wire.Cut},
		"one segment far off":           {[]part{{c, 0, 3, "", "", 0}, {c, 1 << 30, 0, "", "xyz", 0}, {c, 3, 4, "", "", 2 * time.Minute}}, `["abcd" ""]`, wire.Cut},
		"moved far off":                 {[]part{{c, 0, 3, "", "", 0}, {c, 1 << 30, 0, "", "xyz", 0}, {c, 1<<30 + 3, 0, "", "123", 0}, {c, 1<<30 + 6, 0, "", "456", 0}}, `["abc_123456" ""]`, wire.Cut},
		"a SYN that its data overtook":  {[]part{{s, 0, 2, "", "", 0}, {c, 0, 3, "", "", 0}, {c, 0, 0, "S", "", 0}, {c, 3, 4, "", "", 0}}, `["abcd" "ab"]`, wire.Cut},
		"a SYN after an answer to it":   {[]part{{s, 0, 2, "", "", 0}, {c, 0, 0, "S", "", 0}, {c, 0, 4, "", "", 0}}, `["abcd" "ab"]`, wire.Cut},
		"a SYN with data, twice":        {[]part{{c, 0, 3, "S", "", 0}, {c, 0, 3, "S", "", 0}, {c, 3, 4, "", "", 0}}, `["abcd" ""]`, wire.Cut},
	} {
		g := ordered(t, test.parts...)
		if g.String() != test.want || g.end != test.end {
			t.Errorf("%s: got %s, %s; want %s, %s", name, g, g.end, test.want, test.end)
		}
	}
}

// What waits for missing bytes is bounded, of one connection and of all.
func TestOrderIsBounded(t *testing.T) {
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200_000 {
		s := part{side: c, from: 2 * i, says: string(make([]byte, 1+i%1400))}.segment(morning)
		s.src = netip.AddrPortFrom(s.src.Addr(), uint16(1000+i/1000))
		if c := m.find(s); c != nil {
			c.take(s)
			if len(c.halves[0].waiting) > piecesMost {
				t.Fatalf("%d pieces wait", len(c.halves[0].waiting))
			}
		}
		if m.held > heldMost+1<<16 {
			t.Fatalf("%d bytes wait", m.held)
		}
	}
	if err := m.close(); err != nil || m.held != 0 || m.stats.Gaps == 0 {
		t.Errorf("%v; %d bytes held at the end, %d gaps", err, m.held, m.stats.Gaps)
	}
}

// theirs is a connection of gopacket's own reassembler, to which the client is
// who speaks first.
type theirs struct {
	got
	first wire.Side
}

func (g *theirs) Accept(_ *layers.TCP, _ gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, _ reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	*start = true
	return true
}

func (g *theirs) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	direction, _, _, skip := sg.Info()
	side := g.first
	if direction == reassembly.TCPDirServerToClient {
		side = side.Other()
	}
	if skip != 0 {
		g.Gap(side, morning)
	}
	n, _ := sg.Lengths()
	_ = g.Feed(side, morning, sg.Fetch(n))
}
func (g *theirs) ReassemblyComplete(reassembly.AssemblerContext) bool { return true }
func (g *theirs) New(_, _ gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	return g
}

// moment is a packet's time, as gopacket's reassembler asks for it.
type moment time.Time

// GetCaptureInfo gives the time.
func (t moment) GetCaptureInfo() gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Time(t)}
}

// orderedByTheirs gives what gopacket's reassembler makes of the parts.
func orderedByTheirs(parts ...part) *got {
	g := new(theirs)
	if len(parts) > 0 {
		g.first = parts[0].side
	}
	pool := reassembly.NewAssembler(reassembly.NewStreamPool(g))
	client, server := layers.NewIPEndpoint([]byte{10, 0, 0, 1}), layers.NewIPEndpoint([]byte{10, 0, 0, 2})
	up, _ := gopacket.FlowFromEndpoints(client, server)
	for _, p := range parts {
		flow := up
		if p.side == s {
			flow = up.Reverse()
		}
		pool.AssembleWithContext(flow, p.segment(morning).tcp, moment(morning))
	}
	pool.FlushAll()
	return &g.got
}

// orderedAlone gives what comes of the parts, all of which are of one connection.
func orderedAlone(t *testing.T, parts ...part) *got {
	t.Helper()
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	g := new(got)
	m.protocols = g.reading(m)
	if len(parts) == 0 {
		return g
	}
	one := newConn(m, part{side: c}.segment(morning))
	for _, p := range parts {
		one.take(p.segment(morning))
	}
	one.end(morning, wire.Cut)
	return g
}

// FuzzOrder: whatever segments come, in whatever order, gopacket's reassembler
// and this one make the same of them. Three bytes are a segment: side, from,
// length.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 0, 3, 1, 0, 5, 0, 6, 3, 0, 3, 3})
	f.Add([]byte{128, 0, 0, 0, 0, 9, 0, 5, 9, 0, 30, 9, 0, 20, 12, 1, 3, 4})
	dice := rand.New(rand.NewPCG(1, 3))
	for range 40 {
		raw := make([]byte, 3*(1+dice.IntN(40)))
		for i := range raw {
			raw[i] = byte(dice.IntN(256))
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var parts []part
		for b := range slices.Chunk(raw[:min(len(raw), 600)], 3) {
			if len(b) < 3 {
				break
			}
			parts = append(parts, ofBytes(b))
		}
		ours := orderedAlone(t, parts...)
		if theirs := orderedByTheirs(parts...); ours.String() != theirs.String() {
			t.Errorf("ours   %s\ntheirs %s\n%v", ours, theirs, parts)
		}
	})
}

func ofBytes(b []byte) part {
	p := part{side: wire.Side(b[0] & 1), from: int(b[1]) % len(alphabet)}
	p.to = min(len(alphabet), p.from+int(b[2])%20)
	if b[0] >= 128 && b[1]%8 == 0 {
		p.flags, p.from, p.to = "S", 0, 0
	}
	return p
}

// A connection on which nobody speaks is forgotten soon: a scan of a network opens
// many.
func TestMutedConnections(t *testing.T) {
	m, err := newMeter(atHome, rollcall.MaxEvent, func(ingest.Sighting) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		s := part{side: c, flags: "S"}.segment(morning)
		s.src = netip.AddrPortFrom(s.src.Addr(), uint16(1000+i))
		m.find(s).take(s)
	}
	spoken := part{side: c, says: "hello"}.segment(morning)
	m.find(spoken).take(spoken)
	m.clock(morning.Add(mutedFor + time.Minute))
	m.flush()
	m.clock(morning.Add(mutedFor + 2*lingerFor))
	m.flush()
	if len(m.conns) != 1 || m.open != 1 {
		t.Errorf("%d connections are followed of %d, want the one with words", len(m.conns), m.open)
	}
}
