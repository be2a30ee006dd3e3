package meter

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// segment is one TCP segment.
type segment struct {
	at       time.Time
	src, dst netip.AddrPort
	tcp      *layers.TCP
}

// decoder gives the decoder of a link type; nil where there is none.
func decoder(link layers.LinkType) gopacket.Decoder {
	switch link {
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6
	}
	if link >= layers.LinkTypeMax {
		return nil
	}
	return link
}

// decode finds the TCP segment of a packet, behind whatever tunnel.
func decode(p packet) (segment, bool) {
	d := decoder(p.link)
	if d == nil {
		return segment{}, false
	}
	s := segment{at: p.at}
	var src, dst netip.Addr
	for _, layer := range gopacket.NewPacket(p.data, d, gopacket.NoCopy).Layers() {
		switch l := layer.(type) {
		case *layers.IPv4:
			src, dst = address(l.SrcIP), address(l.DstIP)
		case *layers.IPv6:
			src, dst = address(l.SrcIP), address(l.DstIP)
		case *layers.TCP:
			s.tcp = l
			s.src = netip.AddrPortFrom(src, uint16(l.SrcPort))
			s.dst = netip.AddrPortFrom(dst, uint16(l.DstPort))
			return s, src.IsValid()
		}
	}
	return s, false
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}
