package hll

import (
	"encoding/binary"
	"slices"
)

// The first byte of a state.
const (
	typeSmall  = 1
	typeMedium = 2
	typeLarge  = 3
)

// smallKeys is the most keys that a SMALL state holds.
const smallKeys = 16

// Append appends the state's canonical encoding to dst: two sketches that hold
// the same ids at the same K, however they came by them, give the same bytes.
// The format is that of [Sketch.Decode], with the keys of a set in ascending
// order.
func (s *Sketch) Append(dst []byte) []byte {
	if s.Large() {
		return appendLarge(dst, s.regs)
	}
	return appendSet(dst, &s.keys)
}

// MarshalBinary gives the encoding that [Sketch.Append] appends. Its error is
// always nil.
func (s *Sketch) MarshalBinary() ([]byte, error) { return s.Append(nil), nil }

func appendSet(dst []byte, t *keySet) []byte {
	kind := byte(typeSmall)
	if t.len() > smallKeys {
		kind = typeMedium
	}
	dst = slices.Grow(dst, 1+binary.MaxVarintLen16+8*t.len())
	dst = binary.AppendUvarint(append(dst, kind), uint64(t.len()))
	start := len(dst)
	return sortedKeys(dst[:start+8*t.len()], start, t)
}

// sortedKeys fills dst[start:] with the keys of t, ascending. The table is
// about in order, so that each key is inserted near the end of what is there;
// only the keys of the first run that wrapped round from the table's end are
// far from their place, and they come last.
func sortedKeys(dst []byte, start int, t *keySet) []byte {
	out := sorter{dst[start:start]}
	if t.zero {
		out.insert(0)
	}
	run := 0
	for i, h := range t.slots {
		if h == 0 {
			run = i
			break
		}
		if t.home(h) <= i {
			out.insert(h)
		}
	}
	for _, h := range t.slots[run:] {
		if h != 0 {
			out.insert(h)
		}
	}
	for i, h := range t.slots[:run] {
		if t.home(h) > i {
			out.insert(h)
		}
	}
	return dst
}

// sorter keeps keys, 8 bytes each, in ascending order.
type sorter struct{ keys []byte }

func (s *sorter) insert(h uint64) {
	at := len(s.keys)
	s.keys = s.keys[:at+8]
	for ; at > 0; at -= 8 {
		before := binary.LittleEndian.Uint64(s.keys[at-8:])
		if before <= h {
			break
		}
		binary.LittleEndian.PutUint64(s.keys[at:], before)
	}
	binary.LittleEndian.PutUint64(s.keys[at:], h)
}

func appendLarge(dst []byte, regs []byte) []byte {
	k := log2(len(regs))
	start := len(dst)
	size := largeSize(k)
	dst = slices.Grow(dst, size)[:start+size]
	out := dst[start:]
	out[0] = typeLarge
	c := countRanks(regs)
	packed := out[1:]
	for ; len(regs) >= 8; regs = regs[8:] {
		binary.LittleEndian.PutUint64(packed, pack8(binary.LittleEndian.Uint64(regs))) // the counts overwrite the last two bytes
		packed = packed[6:]
	}
	putCounts(packed, &c, k)
	return dst
}

// putCounts writes the number of registers of each rank, then those of rank 0
// once more.
func putCounts(dst []byte, c *ranks, k uint8) {
	for r := 0; r <= topRank(k); r++ {
		binary.LittleEndian.PutUint32(dst, c[r])
		dst = dst[4:]
	}
	if len(dst) == 2 {
		binary.LittleEndian.PutUint16(dst, uint16(c[0]))
	} else {
		binary.LittleEndian.PutUint32(dst, c[0])
	}
}

// pack8 packs eight bytes of six bits into the low 48 bits, the first lowest.
func pack8(w uint64) uint64 {
	w = w&0x003f003f003f003f | w>>2&0x0fc00fc00fc00fc0
	w = w&0x00000fff00000fff | w>>4&0x00fff00000fff000
	return w&0xffffff | w>>8&0xffffff000000
}

// unpack8 undoes pack8; the upper 16 bits of w don't count.
func unpack8(w uint64) uint64 {
	w = w&0xffffff | w<<8&0x00ffffff00000000
	w = w&0x00000fff00000fff | w<<4&0x0fff00000fff0000
	return w&0x003f003f003f003f | w<<2&0x3f003f003f003f00
}

// packedSize is the bytes of 2^k packed ranks.
func packedSize(k uint8) int { return 6 << k / 8 }

// largeSize is the bytes of a LARGE state: type, ranks, counts, zeros.
func largeSize(k uint8) int {
	zeros := 4
	if k < 16 {
		zeros = 2
	}
	return 1 + packedSize(k) + 4*(topRank(k)+1) + zeros
}
