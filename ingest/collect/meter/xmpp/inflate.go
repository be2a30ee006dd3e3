package xmpp

import (
	"errors"

	"rollcall/ingest/collect/meter/inflate"
)

// unpackedMost is how much a stream may unpack to, beyond 64 times its bytes.
const unpackedMost = 1 << 20

var errInflate = errors.New("xmpp: zlib that can't be unpacked")

// inflater unpacks the zlib stream of one direction (XEP-0138): a header of two
// bytes, DEFLATE, and a checksum where it ends.
type inflater struct {
	budget *inflate.Budget
	head   int // bytes of the header seen, of two
	stream *inflate.Stream
}

// feed takes the next bytes and gives what they complete to to.
func (z *inflater) feed(data []byte, to func([]byte) error) error {
	for ; z.head < 2 && len(data) > 0; data = data[1:] {
		if z.head == 0 && data[0]&15 != 8 {
			return errInflate
		}
		z.head++
	}
	if z.stream == nil {
		z.stream = inflate.New(inflate.WindowMost, unpackedMost, z.budget)
	}
	return z.stream.Feed(data, to)
}

// ended reports whether the stream is over.
func (z *inflater) ended() bool { return z.stream != nil && z.stream.Ended() }

// release lets go of what is held.
func (z *inflater) release() {
	if z != nil {
		z.stream.Release()
	}
}
