package inflate

// Limits of RFC 1951.
const (
	codeMost   = 15  // bits of the longest code
	literals   = 286 // codes of literals and lengths
	distances  = 30  // codes of distances
	symbolMost = literals + 2
)

// code is a canonical Huffman code: how many symbols have each length, and the
// symbols in the order of their codes.
type code struct {
	count   [codeMost + 1]uint16
	symbols [symbolMost]uint16
}

// set makes the code of the lengths, one a symbol; false where no code has them.
// One that leaves bits unused must be of a single symbol, or of none.
func (c *code) set(lengths []uint8) bool {
	c.count = [codeMost + 1]uint16{}
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	left, used := 1, 0
	var next [codeMost + 2]uint16
	for n := 1; n <= codeMost; n++ {
		left = left<<1 - int(c.count[n])
		if left < 0 {
			return false
		}
		used += int(c.count[n])
		next[n+1] = next[n] + c.count[n]
	}
	for symbol, n := range lengths {
		if n > 0 {
			c.symbols[next[n]] = uint16(symbol)
			next[n]++
		}
	}
	return left == 0 || used == 0 || used == 1 && c.count[1] == 1
}

// fixed makes the two codes that need no table.
func fixed(literal, distance *code) {
	var lengths [symbolMost]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	literal.set(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	distance.set(lengths[:32])
}

// read decodes a symbol from the low bits of hold, of which have are there, and
// says how many bits it took: 0 where they are too few, less where they are no
// code.
func (c *code) read(hold uint64, have int) (symbol, bits int) {
	var word, first, index int
	for n := 1; n <= codeMost; n++ {
		if n > have {
			return 0, 0
		}
		word |= int(hold & 1)
		hold >>= 1
		count := int(c.count[n])
		if word-first < count {
			return int(c.symbols[index+word-first]), n
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return 0, -1
}

// extended is a number that a symbol stands for: the least, and how many bits
// that follow are added.
func extended(base, group, symbol int) (least, bits int) {
	if symbol < 2*group {
		return base + symbol, 0
	}
	bits = symbol/group - 1
	return base + (group+symbol%group)<<bits, bits
}

// lengthOf gives the length that a symbol above 256 stands for.
func lengthOf(symbol int) (least, bits int) {
	if symbol == literals-1 {
		return 258, 0
	}
	return extended(3, 4, symbol-257)
}

// distanceOf gives the distance that a symbol stands for.
func distanceOf(symbol int) (least, bits int) { return extended(1, 2, symbol) }
