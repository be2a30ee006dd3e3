package packet

import (
	"encoding/binary"
	"net/netip"
)

// gre reads flags u16 and EtherType u16, then what the flags say; version 1 is
// PPTP's, with its length and call in place of a key.
func (w *walk) gre(src, dst netip.Addr, b []byte) Outcome {
	if len(b) < 4 {
		return Damaged
	}
	flags, typ := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	at := 4
	if flags&0x8000 != 0 || flags&0x4000 != 0 {
		at += 4 // a checksum, and an offset of routes
	}
	keyed := flags&0x2000 != 0
	if len(b) < at+4 && keyed {
		return Damaged
	}
	switch {
	case keyed && flags&7 == 1: // each end numbers its calls
		w.outer(src, dst)
		w.way(uint32(binary.BigEndian.Uint16(b[at+2:])), dst)
		at += 4
	case keyed:
		w.mix(pathGRE, uint64(binary.BigEndian.Uint32(b[at:])))
		at += 4
	default:
		w.outer(src, dst)
	}
	at += greSequence(flags)
	if len(b) <= at {
		return Other // a bare acknowledgement
	}
	if typ == etherSPAN2 && flags&0x1000 == 0 {
		return w.ethernet(b[at:]) // the first kind, without a header
	}
	return w.etherType(typ, b[at:])
}

// greSequence is the length of what numbers the packet, and in version 1
// acknowledges others.
func greSequence(flags uint16) (n int) {
	if flags&0x1000 != 0 {
		n += 4
	}
	if flags&7 == 1 && flags&0x80 != 0 {
		n += 4
	}
	return n
}

// way notes the number of a tunnel that its receiver gave, and so another for
// each direction; of a VLAN no address is the receiver's.
func (w *walk) way(id uint32, receiver netip.Addr) {
	h := (uint64(w.out.Way)<<32 | uint64(id)) ^ hashAddress(receiver)
	h *= 0x9E3779B97F4A7C15
	w.out.Way = uint32(h>>32) | 1
}

// UDP ports of tunnels.
const (
	portL2TP    = 1701
	portGTP     = 2152
	portTeredo  = 3544
	portVXLAN   = 4789
	portVXLAN0  = 8472 // before there was a number for it
	portGeneve  = 6081
	udpHeader   = 8
	gtpData     = 0xFF
	vxlanHeader = 8
)

// udp looks into a tunnel, or has found the datagram.
func (w *walk) udp(src, dst netip.Addr, b []byte) Outcome {
	if len(b) < udpHeader {
		return Damaged
	}
	if n := int(binary.BigEndian.Uint16(b[4:])); n >= udpHeader && n <= len(b) {
		b = b[:n]
	}
	inner := *w // a tunnel's port with something else on it is plain UDP
	if inner.tunnelled(src, dst, b) == Found {
		*w = inner
		return Found
	}
	w.found(src, dst, UDP, b)
	return Found
}

// tunnelled reads the tunnels over UDP.
func (w *walk) tunnelled(src, dst netip.Addr, b []byte) Outcome {
	from, to, b := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b[udpHeader:]
	switch {
	case (to == portVXLAN || to == portVXLAN0) && len(b) > vxlanHeader && b[0]&8 != 0:
		w.mix(pathVXLAN, uint64(binary.BigEndian.Uint32(b[4:])>>8))
		return w.ethernet(b[vxlanHeader:])
	case to == portGeneve && len(b) > 8 && b[0]>>6 == 0:
		w.mix(pathGeneve, uint64(binary.BigEndian.Uint32(b[4:])>>8))
		typ, n := binary.BigEndian.Uint16(b[2:]), 8+4*int(b[0]&63)
		return w.after(n, b, func(b []byte) Outcome { return w.etherType(typ, b) })
	case to == portGTP || from == portGTP:
		return w.gtp(dst, b)
	case to == portL2TP || from == portL2TP:
		return w.l2tp(src, dst, b)
	case to == portTeredo || from == portTeredo:
		return w.teredo(b)
	}
	return Other
}

// gtp reads GTP-U: flags, type, length u16, tunnel u32, and what the flags say.
func (w *walk) gtp(receiver netip.Addr, b []byte) Outcome {
	if len(b) < 8 || b[0]>>4 != 3 || b[1] != gtpData {
		return Other
	}
	at := 8
	if b[0]&7 != 0 {
		if len(b) < 12 {
			return Damaged
		}
		next := b[11]
		for at = 12; next != 0 && b[0]&4 != 0; { // extension headers: length in fours, content, next
			if len(b) <= at || b[at] == 0 || len(b) < at+4*int(b[at]) {
				return Damaged
			}
			at += 4 * int(b[at])
			next = b[at-1]
		}
	}
	w.way(binary.BigEndian.Uint32(b[4:]), receiver)
	return w.after(at, b, w.ip)
}

// l2tp reads a data message of L2TP version 2.
func (w *walk) l2tp(src, dst netip.Addr, b []byte) Outcome {
	if len(b) < 6 {
		return Damaged
	}
	flags, at := binary.BigEndian.Uint16(b), 2
	if flags&0x8000 != 0 || flags&15 != 2 {
		return Other // control
	}
	if flags&0x4000 != 0 {
		at += 2 // a length
	}
	if len(b) < at+4 {
		return Damaged
	}
	w.outer(src, dst)
	w.way(binary.BigEndian.Uint32(b[at:]), dst) // tunnel u16, session u16
	at += 4
	if flags&0x0800 != 0 {
		at += 4 // sequence numbers
	}
	if flags&0x0200 != 0 {
		if len(b) < at+2 {
			return Damaged
		}
		at += 2 + int(binary.BigEndian.Uint16(b[at:]))
	}
	return w.after(at, b, w.ppp)
}

// teredo reads IPv6 in UDP, after an authentication and an origin if there are.
func (w *walk) teredo(b []byte) Outcome {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 {
		n := 13 + int(b[2]) + int(b[3])
		if len(b) < n {
			return Damaged
		}
		b = b[n:]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 {
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		return Other
	}
	return w.ip(b)
}
