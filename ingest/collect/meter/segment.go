package meter

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/layers"

	"rollcall/ingest/collect/meter/packet"
)

// segment is one TCP segment; its header and data are valid until the next.
type segment struct {
	at       time.Time
	src, dst netip.AddrPort
	path     packet.Path
	way      uint32
	tcp      *layers.TCP
}

// tcpHeader is the least that a TCP header has.
const tcpHeader = 20

// segment reads a datagram's TCP header: what is needed of it.
func (m *meter) segment(d packet.Datagram) (segment, bool) {
	b := d.Segment
	n := int(b[12]>>4) * 4
	if n < tcpHeader || n > len(b) {
		return segment{}, false
	}
	m.tcp = layers.TCP{
		SrcPort: layers.TCPPort(d.Src.Port()), DstPort: layers.TCPPort(d.Dst.Port()),
		Seq: binary.BigEndian.Uint32(b[4:]), Ack: binary.BigEndian.Uint32(b[8:]),
		FIN: b[13]&1 != 0, SYN: b[13]&2 != 0, RST: b[13]&4 != 0, PSH: b[13]&8 != 0, ACK: b[13]&16 != 0,
		Window:    binary.BigEndian.Uint16(b[14:]),
		BaseLayer: layers.BaseLayer{Contents: b[:n], Payload: b[n:]},
	}
	return segment{at: d.At, src: d.Src, dst: d.Dst, path: d.Path, way: d.Way, tcp: &m.tcp}, true
}
