// Package packet finds the innermost datagram of a captured packet: behind VLAN
// tags, PPPoE, MPLS and tunnels (GRE, IP in IP, VXLAN, Geneve, GTP-U, L2TP,
// Teredo), its IP fragments put together.
//
//	link -> (VLAN, PPPoE, MPLS) -> IP -> (fragments) -> (tunnel -> ...) -> TCP or UDP
//
// What it came through is said by its Path, so that talks of equal addresses in
// two tunnels never mix. Any bytes are survived.
package packet

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Outcome is what became of a packet.
type Outcome uint8

// The outcomes.
const (
	Found   Outcome = iota
	Held            // a fragment whose others have not all come
	NotIP           // no IP packet: ARP, spanning tree
	Other           // IP that carries neither TCP nor UDP, or is encrypted
	Damaged         // shorter than its headers say
	Unknown         // a link type that can't be read
)

// Path says through which tunnels a datagram came. Both directions
// of a talk have the same.
type Path uint64

// The protocols of a Datagram.
const (
	TCP = 6
	UDP = 17
)

// Datagram is the innermost one of a packet; its bytes are valid until the
// next.
type Datagram struct {
	At       time.Time
	Src, Dst netip.AddrPort
	Path     Path
	Way      uint32 // of a VLAN, or a tunnel whose id differs by direction (GTP-U, L2TP): which; else 0
	Protocol uint8
	Segment  []byte // the transport header and what it carries
}

// Decoder decodes packets; it holds the fragments of datagrams that are not
// complete. It is not safe for concurrent use.
type Decoder struct{ fragments fragments }

// Lost gives how many fragments came to nothing so far.
func (d *Decoder) Lost() int64 { return d.fragments.lost }

// Close counts the fragments that still wait as lost.
func (d *Decoder) Close() {
	for _, w := range d.fragments.open {
		d.fragments.lost += int64(len(w.pieces))
		d.fragments.drop(w)
	}
}

// deepest is how many headers are followed; a packet within packets without end
// is no traffic.
const deepest = 24

// walk is the way into one packet.
type walk struct {
	decoder *Decoder
	out     Datagram
	depth   int
}

// Decode finds the datagram of a captured packet.
func (d *Decoder) Decode(at time.Time, link layers.LinkType, data []byte) (Datagram, Outcome) {
	w := walk{decoder: d}
	w.out.At = at
	how := w.link(link, data)
	return w.out, how
}

// mix adds a tag's or a tunnel's id to the path.
func (w *walk) mix(kind, id uint64) {
	h := (uint64(w.out.Path) ^ kind<<56 ^ id) * 0x9E3779B97F4A7C15
	w.out.Path = Path(h ^ h>>29)
}

// deeper counts a header, and reports whether it is one too many.
func (w *walk) deeper() bool {
	w.depth++
	return w.depth > deepest
}

// hashAddress gives a number for an address.
func hashAddress(a netip.Addr) uint64 {
	b := a.As16()
	var h uint64
	for _, x := range b {
		h = (h ^ uint64(x)) * 0x100000001B3
	}
	return h ^ h>>32
}
