package oscar

import (
	"bytes"
	"encoding/binary"

	"rollcall/ingest/collect/meter/wire"
)

// helloLen is the FLAP header and the version that open either direction.
const helloLen = headerLen + 4

// Match says whether the first bytes of one direction are OSCAR, on whatever
// port: with whole, they begin with the FLAP hello "2A 01 .. 00 00 00 01";
// without, a frame is looked for anywhere in them.
func Match(head []byte, whole bool) wire.Verdict {
	if whole {
		return hello(head)
	}
	for b := head; len(b) > 0; {
		if plausible(b) == wire.Yes {
			return wire.Yes
		}
		i := bytes.IndexByte(b[1:], mark)
		if i < 0 {
			break
		}
		b = b[i+1:]
	}
	return wire.More
}

// hello reads the sign-on that opens a direction.
func hello(b []byte) wire.Verdict {
	want := [helloLen]byte{0: mark, 1: signOn, 9: 1}
	for i := range min(len(b), helloLen) {
		switch i {
		case 2, 3, 4, 5: // sequence and length are free
		default:
			if b[i] != want[i] {
				return wire.No
			}
		}
	}
	if len(b) < helloLen {
		return wire.More
	}
	if binary.BigEndian.Uint16(b[4:]) < 4 {
		return wire.No
	}
	return wire.Yes
}

// plausible says whether b begins with a hello or with a SNAC of a known
// family: one chance in 2^34 for random bytes.
func plausible(b []byte) wire.Verdict {
	if v := hello(b); v != wire.No {
		return v
	}
	if b[0] != mark || len(b) > 1 && b[1] != snac {
		return wire.No
	}
	if len(b) < headerLen+snacLen {
		return wire.More
	}
	length, family, subtype := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]), binary.BigEndian.Uint16(b[8:])
	if length < snacLen || family == 0 || family > lastFamily || subtype == 0 || subtype > 0xFF {
		return wire.No
	}
	return wire.Yes
}
