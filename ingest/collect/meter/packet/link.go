package packet

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"slices"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// The link types of raw IP: those that systems number for themselves too.
const (
	rawBSD     layers.LinkType = 12
	rawOpenBSD layers.LinkType = 14
)

// Readable reports whether packets of the link type can be read.
func Readable(link layers.LinkType) bool {
	switch link {
	case layers.LinkTypeEthernet, layers.LinkTypeNull, layers.LinkTypeLoop, layers.LinkTypeRaw, rawBSD, rawOpenBSD,
		layers.LinkTypeIPv4, layers.LinkTypeIPv6, layers.LinkTypeLinuxSLL, layers.LinkTypeLinuxSLL2,
		layers.LinkTypePPP, layers.LinkTypePPP_HDLC, layers.LinkTypePPPEthernet, layers.LinkTypeC_HDLC:
		return true
	}
	return byLibrary(link)
}

// byLibrary reports whether gopacket decodes the link type; it is slower.
func byLibrary(link layers.LinkType) bool {
	switch link {
	case layers.LinkTypeFDDI, layers.LinkTypeIEEE802_11, layers.LinkTypeIEEE80211Radio, layers.LinkTypePrismHeader, layers.LinkTypePFLog:
		return true
	}
	return false
}

// link reads the link's header.
func (w *walk) link(link layers.LinkType, b []byte) Outcome {
	switch link {
	case layers.LinkTypeEthernet:
		return w.ethernet(b)
	case layers.LinkTypeNull, layers.LinkTypeLoop: // an address family in either byte order
		return w.after(4, b, w.ip)
	case layers.LinkTypeRaw, rawBSD, rawOpenBSD, layers.LinkTypeIPv4, layers.LinkTypeIPv6:
		return w.ip(b)
	case layers.LinkTypeLinuxSLL:
		return w.typed(14, 16, b)
	case layers.LinkTypeLinuxSLL2:
		return w.typed(0, 20, b)
	case layers.LinkTypeC_HDLC:
		return w.typed(2, 4, b)
	case layers.LinkTypePPP, layers.LinkTypePPP_HDLC:
		return w.ppp(b)
	case layers.LinkTypePPPEthernet:
		return w.pppoe(b)
	}
	if byLibrary(link) {
		return w.library(link, b)
	}
	return Unknown
}

// after reads on behind a header of n bytes.
func (w *walk) after(n int, b []byte, next func([]byte) Outcome) Outcome {
	if len(b) < n {
		return Damaged
	}
	return next(b[n:])
}

// typed reads on behind a header of n bytes that has an EtherType at an offset.
func (w *walk) typed(at, n int, b []byte) Outcome {
	if len(b) < n {
		return Damaged
	}
	return w.etherType(binary.BigEndian.Uint16(b[at:]), b[n:])
}

func (w *walk) ethernet(b []byte) Outcome { return w.typed(12, 14, b) }

// EtherTypes.
const (
	etherIPv4    = 0x0800
	etherIPv6    = 0x86DD
	etherMPLS    = 0x8847
	etherMPLSMul = 0x8848
	etherPPPoE   = 0x8864
	etherPPP     = 0x880B
	etherBridged = 0x6558
	etherSPAN2   = 0x88BE
	etherSPAN3   = 0x22EB
	smallestType = 0x0600 // less is the length of an IEEE 802.3 frame
)

// What is mixed into a path.
const (
	pathPPPoE = iota + 1
	pathOuter
	pathGRE
	pathVXLAN
	pathGeneve
)

func (w *walk) etherType(typ uint16, b []byte) Outcome {
	if w.deeper() {
		return Damaged
	}
	switch typ {
	case etherIPv4, etherIPv6:
		return w.ip(b)
	case 0x8100, 0x88A8, 0x9100, 0x9200: // a VLAN tag: 12 bits of number, then the type of what follows
		return w.vlan(b)
	case etherMPLS, etherMPLSMul:
		return w.mpls(b)
	case etherPPPoE:
		return w.pppoe(b)
	case etherPPP:
		return w.ppp(b)
	case etherBridged:
		return w.ethernet(b)
	case etherSPAN2:
		return w.after(8, b, w.ethernet)
	case etherSPAN3:
		return w.after(12, b, w.ethernet)
	}
	if typ < smallestType && len(b) >= 8 && b[0] == 0xAA && b[1] == 0xAA { // SNAP
		return w.typed(6, 8, b)
	}
	return NotIP
}

func (w *walk) vlan(b []byte) Outcome {
	if len(b) < 4 {
		return Damaged
	}
	if id := binary.BigEndian.Uint16(b) & 0xFFF; id != 0 { // 0 is a priority and no VLAN
		w.way(uint32(id), netip.Addr{}) // a mirror port may give each direction another
	}
	return w.etherType(binary.BigEndian.Uint16(b[2:]), b[4:])
}

// mpls drops labels, which differ by direction and so are no part of a path.
func (w *walk) mpls(b []byte) Outcome {
	for len(b) >= 5 {
		bottom := b[2]&1 != 0
		b = b[4:]
		if !bottom {
			continue
		}
		if version := b[0] >> 4; version == 4 || version == 6 {
			return w.ip(b)
		}
		if b[0] == 0 { // a pseudowire's control word, before Ethernet
			return w.after(4, b, w.ethernet)
		}
		return NotIP
	}
	return Damaged
}

// pppoe reads version and code u16, session u16, length u16.
func (w *walk) pppoe(b []byte) Outcome {
	if len(b) < 6 {
		return Damaged
	}
	if b[1] != 0 {
		return NotIP // discovery
	}
	w.mix(pathPPPoE, uint64(binary.BigEndian.Uint16(b[2:])))
	return w.ppp(b[6:])
}

// ppp reads a protocol number of one or two bytes, perhaps after FF 03 or, in
// Cisco's way, 0F 00 and an EtherType.
func (w *walk) ppp(b []byte) Outcome {
	if w.deeper() || len(b) < 4 {
		return Damaged
	}
	switch {
	case b[0] == 0xFF && b[1] == 3:
		b = b[2:]
	case (b[0] == 0x0F || b[0] == 0x8F) && b[1] == 0:
		return w.typed(2, 4, b)
	}
	protocol := uint16(b[0])
	if b[0]&1 != 0 { // compressed to one byte
		b = b[1:]
	} else {
		protocol = binary.BigEndian.Uint16(b)
		b = b[2:]
	}
	switch protocol {
	case 0x21, 0x57:
		return w.ip(b)
	case 0x281, 0x283:
		return w.mpls(b)
	case 0x31:
		return w.after(2, b, w.ethernet)
	}
	return NotIP
}

// library finds the IP packet by gopacket, which takes the last four bytes of a frame of
// IEEE 802.11 for its checksum: most captures have none.
func (w *walk) library(link layers.LinkType, b []byte) Outcome {
	const sum = 4
	if end := len(b) - sum; link == layers.LinkTypeIEEE802_11 && (end < 0 || crc32.ChecksumIEEE(b[:end]) != binary.LittleEndian.Uint32(b[end:])) {
		b = append(slices.Clone(b), make([]byte, sum)...)
	}
	decoded := gopacket.NewPacket(b, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	ip := decoded.NetworkLayer()
	if ip == nil {
		return NotIP
	}
	whole := append(append([]byte{}, ip.LayerContents()...), ip.LayerPayload()...)
	return w.ip(whole)
}
