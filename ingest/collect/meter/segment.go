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

// decode finds the TCP segment of a packet, behind whatever tunnel: its
// addresses are then the tunnel's. Decoding stops at TCP and outlives any
// nonsense.
func decode(p packet) (segment, bool) {
	d := decoder(p.link)
	if d == nil {
		return segment{}, false
	}
	decoded := gopacket.NewPacket(p.data, d, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	tcp, ok := decoded.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok || decoded.NetworkLayer() == nil {
		return segment{}, false
	}
	from, to := decoded.NetworkLayer().NetworkFlow().Endpoints()
	src, dst := address(from.Raw()), address(to.Raw())
	return segment{
		at: p.at, tcp: tcp,
		src: netip.AddrPortFrom(src, uint16(tcp.SrcPort)),
		dst: netip.AddrPortFrom(dst, uint16(tcp.DstPort)),
	}, src.IsValid() && dst.IsValid()
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}
