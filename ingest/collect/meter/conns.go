package meter

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// Limits, in packet time and in numbers. A page of the reassembler is 1,900
// bytes.
const (
	flushEvery  = 30 * time.Second // of packet time, between looks for what is stale
	gapAfter    = time.Minute      // a missing segment is given up after so long
	idleAfter   = 2 * time.Hour    // a connection with no packet for so long is over
	lingerFor   = 2 * time.Minute  // a closed connection swallows late segments for so long
	pagesMost   = 8192             // out-of-order pages of all connections
	pagesOfOne  = 512              // of one
	connections = 1 << 18          // followed at a time
	windowOfRST = 1 << 20          // a RST ahead of the stream by more is not of it
)

// errYield marks an error of the caller's own yield.
var errYield = errors.New("sighting not taken")

// meter holds everything of one reading.
type meter struct {
	install   Install
	yield     func(ingest.Sighting) error
	protocols []protocol
	stats     Stats
	out       []ingest.Sighting // found since the last delivery

	pool      *reassembly.Assembler
	conns     map[pair]*conn
	made      uint64
	opening   *conn // the connection that New is about to be asked for
	now       time.Time
	flushedAt time.Time
}

// pair names a connection by its ends, the lower first.
type pair struct{ low, high netip.AddrPort }

func pairOf(a, b netip.AddrPort) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

func newMeter(install Install, piece time.Duration, yield func(ingest.Sighting) error) (*meter, error) {
	if err := install.Validate(); err != nil {
		return nil, err
	}
	m := &meter{
		install: install, yield: yield, conns: make(map[pair]*conn),
		stats: Stats{Protocols: make(map[string]int64), GivenUp: make(map[string]int64)},
	}
	m.protocols = protocols(wire.Sink{Piece: piece, Yield: m.found, Unnamed: func() { m.stats.Unnamed++ }})
	m.pool = reassembly.NewAssembler(reassembly.NewStreamPool(factory{m}))
	m.pool.MaxBufferedPagesTotal, m.pool.MaxBufferedPagesPerConnection = pagesMost, pagesOfOne
	return m, nil
}

// found takes a dissector's sighting. One with no account says something only
// of a known panelist.
func (m *meter) found(s ingest.Sighting) {
	if s.Account == "" && s.Kind != rollcall.Logout {
		m.stats.Unnamed++
	}
	if s.Account == "" && m.install.Panelist == "" {
		return
	}
	m.out = append(m.out, m.install.stamp(s))
}

// deliver yields what was found.
func (m *meter) deliver() error {
	for _, s := range m.out {
		if err := m.yield(s); err != nil {
			return fmt.Errorf("meter: packet %d: %w: %w", m.stats.Packets, errYield, err)
		}
		m.stats.Sightings++
	}
	m.out = m.out[:0]
	return nil
}

// packet takes the next packet.
func (m *meter) packet(p packet) error {
	m.stats.Packets++
	m.stats.Bytes += int64(len(p.data))
	m.clock(p.at)
	if p.at.Sub(m.flushedAt) >= flushEvery {
		m.flush()
	}
	s, ok := decode(p)
	if !ok {
		m.stats.NoTCP++
		return m.deliver()
	}
	if c := m.find(s); c != nil {
		m.assemble(c, s)
	}
	return m.deliver()
}

// clock moves packet time, which never runs back.
func (m *meter) clock(t time.Time) {
	if m.stats.First.IsZero() {
		m.stats.First, m.flushedAt = t, t
	}
	if t.Before(m.stats.First) {
		m.stats.First = t
	}
	if t.After(m.now) {
		m.now, m.stats.Last = t, t
	}
}

// find gives the connection of a segment, opening it where it is new; nil
// where there is nothing to follow.
func (m *meter) find(s segment) *conn {
	key := pairOf(s.src, s.dst)
	c := m.conns[key]
	if c != nil && c.replacedBy(s) {
		c.end(c.last, wire.Idle)
		c = nil
	}
	if c == nil {
		if len(s.tcp.Payload) == 0 && !s.tcp.SYN {
			return nil // the tail of something over, or nothing yet
		}
		if len(m.conns) >= connections {
			m.stats.Overflow++
			return nil
		}
		m.made++
		m.stats.Connections++
		c = newConn(m, m.made, s)
		m.conns[key] = c
	}
	if c.over {
		return nil
	}
	c.saw(s)
	return c
}

// assemble puts the segment in its place in the stream.
func (m *meter) assemble(c *conn, s segment) {
	m.opening = c
	side := c.sideOf(s.src)
	m.pool.AssembleWithContext(c.flow(side), s.tcp, moment(s.at))
	if c.resetting {
		c.end(s.at, wire.Reset)
	}
}

// flush gives up what has waited too long, by packet time.
func (m *meter) flush() {
	m.flushedAt = m.now
	before := len(m.out)
	m.pool.FlushWithOptions(reassembly.FlushOptions{T: m.now.Add(-gapAfter), TC: m.now.Add(-idleAfter)})
	for key, c := range m.conns {
		if c.stale(m.now) {
			c.end(c.last, wire.Idle)
		}
		if c.over && m.now.Sub(c.last) > lingerFor {
			delete(m.conns, key)
		}
	}
	sortSightings(m.out[before:])
}

// close ends every connection at the end of the capture.
func (m *meter) close() error {
	if m.now.Sub(m.flushedAt) > 0 {
		m.flush()
	}
	before := len(m.out)
	m.pool.FlushAll()
	for _, c := range m.conns {
		c.end(m.now, wire.Cut)
	}
	sortSightings(m.out[before:])
	return m.deliver()
}

// sortSightings orders what connections in no order yielded.
func sortSightings(list []ingest.Sighting) {
	slices.SortStableFunc(list, func(a, b ingest.Sighting) int {
		return cmp.Or(a.Time.Compare(b.Time), a.Until.Compare(b.Until), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Service, b.Service), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Evidence, b.Evidence))
	})
}

// moment is a packet's time, as the reassembler carries it.
type moment time.Time

// GetCaptureInfo gives the time to the reassembler.
func (t moment) GetCaptureInfo() gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Time(t)}
}

// factory hands the reassembler the connection that find has opened.
type factory struct{ m *meter }

// New gives the connection.
func (f factory) New(_, _ gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	return f.m.opening
}

// flow names the connection to the reassembler by its number, so that ports
// used again are another connection.
func (c *conn) flow(side wire.Side) gopacket.Flow {
	var ends [2][]byte
	for i := range ends {
		ends[i] = append(binary.BigEndian.AppendUint64(nil, c.number), byte(i))
	}
	return gopacket.NewFlow(gopacket.EndpointInvalid, ends[side], ends[side.Other()])
}
