package packet

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers that lead on.
const (
	protoIPIP     = 4
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoDest     = 60
	protoEtherIP  = 97
	protoMPLS     = 137
)

// ip reads a packet of either version.
func (w *walk) ip(b []byte) Outcome {
	if w.deeper() || len(b) == 0 {
		return Damaged
	}
	switch b[0] >> 4 {
	case 4:
		return w.ipv4(b)
	case 6:
		return w.ipv6(b)
	}
	return NotIP
}

func (w *walk) ipv4(b []byte) Outcome {
	header := int(b[0]&15) * 4
	if header < 20 || len(b) < header {
		return Damaged
	}
	src, dst := netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	// A length of 0 is a packet that the sender's card was to cut up.
	if total := int(binary.BigEndian.Uint16(b[2:])); total >= header && total <= len(b) {
		b = b[:total]
	}
	where, proto, payload := binary.BigEndian.Uint16(b[6:]), b[9], b[header:]
	if where&0x3FFF == 0 {
		return w.carried(src, dst, proto, payload)
	}
	whole, ok := w.decoder.fragments.add(w.out.At, piece{
		of:   fragmentKey{w.out.Path, w.out.Way, src, dst, uint32(binary.BigEndian.Uint16(b[4:])), proto},
		from: int(where&0x1FFF) * 8, more: where&0x2000 != 0, data: payload,
	})
	if !ok {
		return Held
	}
	return w.carried(src, dst, proto, whole)
}

func (w *walk) ipv6(b []byte) Outcome {
	if len(b) < 40 {
		return Damaged
	}
	src, dst := netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	proto, payload := b[6], b[40:]
	if n := int(binary.BigEndian.Uint16(b[4:])); n > 0 && n <= len(payload) {
		payload = payload[:n]
	}
	return w.extensions(src, dst, proto, payload)
}

// extensions passes over the extension headers of IPv6.
func (w *walk) extensions(src, dst netip.Addr, proto uint8, b []byte) Outcome {
	for range deepest {
		switch proto {
		case 0, protoRouting, protoDest, 135, 139, 140, protoAH:
			if len(b) < 8 {
				return Damaged
			}
			n := 8 + 8*int(b[1])
			if proto == protoAH {
				n = 8 + 4*int(b[1])
			}
			if len(b) < n {
				return Damaged
			}
			proto, b = b[0], b[n:]
		case protoFragment:
			return w.fragment6(src, dst, b)
		default:
			return w.carried(src, dst, proto, b)
		}
	}
	return Damaged
}

func (w *walk) fragment6(src, dst netip.Addr, b []byte) Outcome {
	if len(b) < 8 {
		return Damaged
	}
	proto, where := b[0], binary.BigEndian.Uint16(b[2:])
	if where&0xFFF9 == 0 {
		return w.extensions(src, dst, proto, b[8:]) // in one piece
	}
	whole, ok := w.decoder.fragments.add(w.out.At, piece{
		of:   fragmentKey{w.out.Path, w.out.Way, src, dst, binary.BigEndian.Uint32(b[4:]), 0}, // later pieces may name another protocol
		from: int(where &^ 7), more: where&1 != 0, proto: proto, data: b[8:],
	})
	if !ok {
		return Held
	}
	return w.extensions(src, dst, w.decoder.fragments.proto, whole)
}

// carried reads what an IP packet carries.
func (w *walk) carried(src, dst netip.Addr, proto uint8, b []byte) Outcome {
	switch proto {
	case TCP:
		if len(b) < 20 {
			return Damaged
		}
		w.found(src, dst, proto, b)
		return Found
	case UDP:
		return w.udp(src, dst, b)
	case protoIPIP, protoIPv6:
		w.outer(src, dst)
		return w.ip(b)
	case protoGRE:
		return w.gre(src, dst, b)
	case protoAH:
		return w.extensions(src, dst, proto, b)
	case protoEtherIP:
		w.outer(src, dst)
		return w.after(2, b, w.ethernet)
	case protoMPLS:
		w.outer(src, dst)
		return w.mpls(b)
	}
	return Other
}

// found puts down the datagram.
func (w *walk) found(src, dst netip.Addr, proto uint8, b []byte) {
	w.out.Src = netip.AddrPortFrom(src.Unmap(), binary.BigEndian.Uint16(b))
	w.out.Dst = netip.AddrPortFrom(dst.Unmap(), binary.BigEndian.Uint16(b[2:]))
	w.out.Protocol, w.out.Segment = proto, b
}

// outer mixes a tunnel's ends, in either direction alike, into the path: what
// names a tunnel that has no number.
func (w *walk) outer(a, b netip.Addr) { w.mix(pathOuter, hashAddress(a)+hashAddress(b)) }
