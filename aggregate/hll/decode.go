package hll

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is the kind of every error about bytes that are not a state.
var ErrMalformed = errors.New("malformed sketch state")

// Decode reads a state of K = k. See [Sketch.Decode].
func Decode(k int, b []byte) (*Sketch, error) {
	if err := CheckK(k); err != nil {
		return nil, fmt.Errorf("decode a sketch: %w", err)
	}
	s := &Sketch{k: uint8(k)}
	if err := s.Decode(b); err != nil {
		return nil, err
	}
	return s, nil
}

// Decode replaces the sketch's state with the one in b, which has the sketch's
// own K (the bytes of a set don't say theirs), and marks it clean. It uses the
// memory that the sketch has. The bytes are ClickHouse's:
//
//	u8 type  1 SMALL   uvarint n, 0..16; n x u64 LE: the hashes
//	         2 MEDIUM  uvarint n, 17..2^(K-5); n x u64 LE: the hashes
//	         3 LARGE   2^K ranks of 6 bits, each 0..64-K+1, packed LSB first;
//	                   u32 LE number of registers of each rank 0..64-K+1;
//	                   number of rank 0 again: u16 LE if K < 16, else u32 LE
//
// The hashes of a set come in any order, as ClickHouse's do, but none twice.
// A MEDIUM of exactly 2^(K-5) keys becomes LARGE: ClickHouse keeps that set
// until another key comes, new or not, so that its own replay would change
// the bytes. Anything else (bytes left over or missing, n out of its type's
// range or longer than need be, a hash twice, a rank too high, counts or zeros
// that the ranks don't bear out, a LARGE of nothing) is refused with an
// [ErrMalformed], and leaves the sketch empty.
func (s *Sketch) Decode(b []byte) error {
	s.empty()
	err := s.read(b)
	if err != nil {
		s.empty()
		return fmt.Errorf("decode a sketch of K %d: %w", s.k, err)
	}
	s.dirty = false
	return nil
}

// empty makes the state that of no ids and keeps all memory.
func (s *Sketch) empty() {
	s.keys.clear()
	s.regs = s.regs[:0]
	s.dirty = false
}

func (s *Sketch) read(b []byte) error {
	if isLarge(b) {
		return s.readLarge(b)
	}
	keys, err := setKeys(b, limit(s.k))
	if err != nil {
		return err
	}
	return s.readSet(keys)
}

// isLarge reports whether b claims to be a LARGE state.
func isLarge(b []byte) bool { return len(b) > 0 && b[0] == typeLarge }

// setKeys gives the bytes of the keys of a SMALL or MEDIUM state whose set
// holds at most limit keys.
func setKeys(b []byte, limit int) ([]byte, error) {
	if len(b) == 0 {
		return nil, malformed("no bytes")
	}
	least, most := 0, smallKeys
	switch b[0] {
	case typeSmall:
	case typeMedium:
		least, most = smallKeys+1, limit
	default:
		return nil, malformed("type %d", b[0])
	}
	n, size := binary.Uvarint(b[1:])
	if size <= 0 || size > 1 && b[size] == 0 {
		return nil, malformed("number of keys is no shortest uvarint")
	}
	if n < uint64(least) || n > uint64(most) {
		return nil, malformed("%d keys in type %d", n, b[0])
	}
	keys := b[1+size:]
	if len(keys) != 8*int(n) {
		return nil, malformed("%d bytes for %d keys", len(keys), n)
	}
	return keys, nil
}

// readSet adds keys to an empty sketch.
func (s *Sketch) readSet(keys []byte) error {
	s.keys.reserve(len(keys) / 8)
	for ; len(keys) > 0; keys = keys[8:] {
		if h := binary.LittleEndian.Uint64(keys); !s.keys.add(h) {
			return malformed("hash %#x twice", h)
		}
	}
	if s.keys.len() >= limit(s.k) {
		s.toLarge()
	}
	return nil
}

// readLarge fills the registers from a LARGE state.
func (s *Sketch) readLarge(b []byte) error {
	if err := checkLength(b, s.k); err != nil {
		return err
	}
	s.setRegisters()
	c := unpack(s.regs, b[1:])
	return checkCounts(b[1+packedSize(s.k):], &c, s.k)
}

// checkLarge reports what is wrong with a LARGE state, if anything is.
func checkLarge(b []byte, k uint8) error {
	if err := checkLength(b, k); err != nil {
		return err
	}
	c := countPacked(b[1:], k)
	return checkCounts(b[1+packedSize(k):], &c, k)
}

func checkLength(b []byte, k uint8) error {
	if len(b) != largeSize(k) {
		return malformed("%d bytes in type %d, not %d", len(b), typeLarge, largeSize(k))
	}
	return nil
}

// checkSum reports what is wrong with a LARGE state, as far as the sum of its
// ranks and the highest of them tell.
func checkSum(b []byte, k uint8) error {
	if err := checkLength(b, k); err != nil {
		return err
	}
	sum, top := sumPacked(b[1:], k)
	if int(top) > topRank(k) {
		return malformed("rank %d", top)
	}
	counts := b[1+packedSize(k):]
	var registers, said uint64
	for r := range uint64(topRank(k) + 1) {
		n := uint64(binary.LittleEndian.Uint32(counts[4*r:]))
		registers, said = registers+n, said+r*n
	}
	if sum != said || sum == 0 || registers != 1<<k {
		return malformed("%d registers whose ranks' sum is %d, said to be %d of %d", 1<<k, sum, registers, said)
	}
	if n := zeros(counts[4*(topRank(k)+1):]); n != binary.LittleEndian.Uint32(counts) {
		return malformed("%d registers of rank 0, said at the end to be %d", binary.LittleEndian.Uint32(counts), n)
	}
	return nil
}

// checkCounts compares the counts that end a LARGE state with those of its
// ranks, c.
func checkCounts(b []byte, c *ranks, k uint8) error {
	for r := topRank(k) + 1; r < len(c); r++ {
		if c[r] != 0 {
			return malformed("rank %d", r)
		}
	}
	if c[0] == 1<<k {
		return malformed("type %d holds nothing", typeLarge)
	}
	for r := 0; r <= topRank(k); r++ {
		if said := binary.LittleEndian.Uint32(b[4*r:]); said != c[r] {
			return malformed("%d registers of rank %d, said to be %d", c[r], r, said)
		}
	}
	if said := zeros(b[4*(topRank(k)+1):]); said != c[0] {
		return malformed("%d registers of rank 0, said at the end to be %d", c[0], said)
	}
	return nil
}

// zeros reads the number of zero registers, of two bytes or four.
func zeros(b []byte) uint32 {
	if len(b) == 2 {
		return uint32(binary.LittleEndian.Uint16(b))
	}
	return binary.LittleEndian.Uint32(b)
}

// malformed is an ErrMalformed that says what is wrong.
func malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrMalformed)...)
}
