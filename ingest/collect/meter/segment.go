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
	t := &m.tcp // in place: the struct is large
	t.SrcPort, t.DstPort = layers.TCPPort(d.Src.Port()), layers.TCPPort(d.Dst.Port())
	t.Seq, t.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	t.FIN, t.SYN, t.RST, t.ACK = b[13]&1 != 0, b[13]&2 != 0, b[13]&4 != 0, b[13]&16 != 0
	t.Contents, t.Payload = b[:n], b[n:]
	return segment{at: d.At, src: d.Src, dst: d.Dst, path: d.Path, way: d.Way, tcp: &m.tcp}, true
}
