package file

import (
	"encoding/binary"
	"math"
)

// hybrid reads numbers in Parquet's RLE and bit-packed hybrid: runs, each a
// uvarint and what follows it. An even one, 2n, is followed by one number in
// whole bytes, which stands n times; an odd one, 2n+1, by 8n numbers of width
// bits each, the lowest bits first.
type hybrid struct {
	rest  []byte // behind the run
	width uint   // bits of a number, at most 32

	left  int    // numbers of the run that were not read
	value uint32 // of a run of one number
	bits  []byte // of a packed run; nil: the run is of one number
	at    int    // the bit of bits that is next
}

const maxWidth = 32

// read fills to; false: there are not so many numbers, or the runs are broken.
func (h *hybrid) read(to []int32) bool {
	for len(to) > 0 {
		if h.left == 0 && !h.run() {
			return false
		}
		n := min(len(to), h.left)
		if h.bits == nil {
			for i := range to[:n] {
				to[i] = int32(h.value)
			}
		} else {
			h.unpack(to[:n])
		}
		h.left -= n
		to = to[n:]
	}
	return true
}

// skip passes over n numbers if they are all of one run of a value.
func (h *hybrid) skip(n int, value uint32) bool {
	if h.left == 0 && !h.run() {
		return false
	}
	if h.bits != nil || h.value != value || h.left < n {
		return false
	}
	h.left -= n
	return true
}

// has reports whether there are n numbers. Nothing can be read after it.
func (h *hybrid) has(n int) bool {
	for n > 0 {
		if h.left == 0 && !h.part() || h.bits != nil && 8*len(h.bits) < min(n, h.left)*int(h.width) {
			return false
		}
		n -= min(n, h.left)
		h.left = 0
	}
	return true
}

// run begins the next run, whose bytes must all be there. There is nothing behind one
// that is broken.
func (h *hybrid) run() bool {
	whole := h.part() && (h.bits == nil || 8*len(h.bits) >= h.left*int(h.width))
	if !whole {
		*h = hybrid{width: h.width}
	}
	return whole
}

// part begins the next run, of which a packed one may be cut short: bits are then
// fewer than the run needs.
func (h *hybrid) part() bool {
	head, used := binary.Uvarint(h.rest)
	if used <= 0 || head>>1 == 0 || head>>1 > math.MaxInt32 {
		return false
	}
	h.rest, h.left = h.rest[used:], int(head>>1)
	if head&1 == 0 {
		return h.one()
	}
	size := min(h.left*int(h.width), len(h.rest)) // bytes of as many eights
	h.bits, h.at, h.rest = h.rest[:size:size], 0, h.rest[size:]
	h.left *= 8
	return true
}

// one reads the number of a run of one.
func (h *hybrid) one() bool {
	size := int(h.width+7) / 8
	if size > len(h.rest) {
		return false
	}
	h.bits, h.value = nil, 0
	for i, b := range h.rest[:size] {
		h.value |= uint32(b) << (8 * i)
	}
	h.rest = h.rest[size:]
	return true
}

// most gives the greatest number of the run, as far as its bytes are there.
func (h *hybrid) most() uint32 {
	if h.bits == nil {
		return h.value
	}
	most := uint32(0)
	numbers := make([]int32, 64) // the last ones may be behind the bytes' end: zeros
	for h.at < 8*len(h.bits) && h.width > 0 {
		h.unpack(numbers)
		for _, n := range numbers {
			most = max(most, uint32(n))
		}
	}
	return most
}

// unpack reads numbers of the packed run, which has as many.
func (h *hybrid) unpack(to []int32) {
	const word = 8 // bytes that are looked at for one number
	mask := uint64(1)<<h.width - 1
	for i := range to {
		from := h.bits[min(h.at>>3, len(h.bits)):]
		var bits uint64
		if len(from) >= word {
			bits = binary.LittleEndian.Uint64(from)
		} else {
			for j, b := range from {
				bits |= uint64(b) << (8 * j)
			}
		}
		to[i] = int32(bits >> (h.at & 7) & mask)
		h.at += int(h.width)
	}
}
