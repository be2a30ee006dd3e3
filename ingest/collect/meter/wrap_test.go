package meter

import (
	"encoding/binary"

	"rollcall/ingest/collect/meter/packet"
)

// wrappings gives ways to carry an IPv4 packet, in a frame of Ethernet, through
// a VLAN or tunnel of a number.
func wrappings() map[string]func(id byte, ip []byte) []byte {
	ethernet := func(typ uint16, b []byte) []byte {
		return append(binary.BigEndian.AppendUint16(make([]byte, 12), typ), b...)
	}
	outer := func(proto, id byte, b []byte) []byte {
		h := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0, 192, 168, 0, id, 192, 168, 1, id}
		binary.BigEndian.PutUint16(h[2:], uint16(20+len(b)))
		return ethernet(0x0800, append(h, b...))
	}
	udp := func(port uint16, b []byte) []byte {
		h := binary.BigEndian.AppendUint16(nil, port)
		h = binary.BigEndian.AppendUint16(h, port)
		h = binary.BigEndian.AppendUint16(h, uint16(8+len(b)))
		return append(append(h, 0, 0), b...)
	}
	return map[string]func(id byte, ip []byte) []byte{
		"VLAN": func(id byte, ip []byte) []byte { return ethernet(0x8100, append([]byte{0, id, 8, 0}, ip...)) },
		"QinQ": func(id byte, ip []byte) []byte {
			return ethernet(0x9100, append([]byte{0, 9, 0x81, 0, 0, id, 8, 0}, ip...))
		},
		"PPPoE": func(id byte, ip []byte) []byte {
			return ethernet(0x8864, append([]byte{0x11, 0, 0, id, 0, 0, 0, 0x21}, ip...))
		},
		"IP in IP": func(id byte, ip []byte) []byte { return outer(4, id, ip) },
		"GRE":      func(id byte, ip []byte) []byte { return outer(47, id, append([]byte{0, 0, 8, 0}, ip...)) },
		"GRE, keyed": func(id byte, ip []byte) []byte {
			return outer(47, 1, append([]byte{0x20, 0, 8, 0, 0, 0, 0, id}, ip...))
		},
		"VXLAN": func(id byte, ip []byte) []byte {
			return outer(packet.UDP, 1, udp(4789, append([]byte{8, 0, 0, 0, 0, 0, id, 0}, ethernet(0x0800, ip)...)))
		},
		"GTP-U, one number for both directions": func(id byte, ip []byte) []byte {
			return outer(packet.UDP, 1, udp(2152, append([]byte{0x30, 0xFF, 0, 0, 0, 0, 0, id}, ip...)))
		},
		"GTP-U, a number for each": func(id byte, ip []byte) []byte {
			return outer(packet.UDP, 1, udp(2152, append([]byte{0x30, 0xFF, 0, 0, 0, 0, ip[15], id}, ip...)))
		},
		"L2TP": func(id byte, ip []byte) []byte {
			return outer(packet.UDP, 1, udp(1701, append([]byte{0, 2, 0, id, 0, ip[15], 0xFF, 3, 0, 0x21}, ip...)))
		},
	}
}
