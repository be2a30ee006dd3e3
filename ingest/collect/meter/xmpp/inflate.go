package xmpp

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

// Limits of what is unpacked at a time.
const (
	packedMost   = 64 << 10
	unpackedMost = 1 << 20
	window       = 32 << 10
)

var errInflate = errors.New("xmpp: zlib that can't be unpacked")

// A sender flushes after every stanza, which ends in an empty block: flushed.
// closing makes of the bytes up to there a stream that ends.
var (
	flushed = []byte{0, 0, 0xFF, 0xFF}
	closing = []byte{1, 0, 0, 0xFF, 0xFF}
)

// inflater unpacks the zlib stream of one direction (XEP-0138), piece by piece
// as it is flushed, without a reader that waits.
type inflater struct {
	head   int    // bytes of zlib's header seen, of two
	packed []byte // since the last flush
	before []byte // what was unpacked last, for references to it
}

// feed takes the next bytes and gives what they complete.
func (z *inflater) feed(data []byte) ([]byte, error) {
	for z.head < 2 && len(data) > 0 {
		if z.head == 0 && data[0]&15 != 8 {
			return nil, errInflate
		}
		z.head++
		data = data[1:]
	}
	var out []byte
	for len(data) > 0 {
		n := z.untilFlush(data)
		z.packed = append(z.packed, data[:n]...)
		data = data[n:]
		if len(z.packed) > packedMost {
			return out, errInflate
		}
		if !bytes.HasSuffix(z.packed, flushed) {
			continue
		}
		piece, whole, err := z.unpack()
		if err != nil {
			return out, err
		}
		if !whole {
			continue // the four bytes were content
		}
		out = append(out, piece...)
		z.packed = z.packed[:0]
		z.before = append(z.before, piece...)
		if extra := len(z.before) - window; extra > 0 {
			z.before = append(z.before[:0], z.before[extra:]...)
		}
	}
	return out, nil
}

// untilFlush gives how many bytes there are up to the end of the next flush.
func (z *inflater) untilFlush(data []byte) int {
	tail := z.packed[max(0, len(z.packed)-len(flushed)+1):]
	joined := append(bytes.Clone(tail), data[:min(len(data), len(flushed)-1)]...)
	if i := bytes.Index(joined, flushed); i >= 0 {
		return i + len(flushed) - len(tail)
	}
	if i := bytes.Index(data, flushed); i >= 0 {
		return i + len(flushed)
	}
	return len(data)
}

// unpack unpacks what is there, and says whether it ends at a flush.
func (z *inflater) unpack() (piece []byte, whole bool, err error) {
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(z.packed), bytes.NewReader(closing)), z.before)
	piece, err = io.ReadAll(io.LimitReader(r, unpackedMost+1))
	if len(piece) > unpackedMost {
		return nil, false, errInflate
	}
	return piece, err == nil, nil
}
