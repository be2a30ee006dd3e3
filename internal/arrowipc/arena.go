package arrowipc

import "github.com/apache/arrow/go/v15/arrow/memory"

// arena is the allocator of one stream's arrays: it hands out pieces of chunks
// and takes them all back at once, so a stream costs almost no garbage. Beyond
// MaxMemory in all it panics with an error that the decoder gives back.
type arena struct {
	most  int    // of the bytes that are held for the next stream; 0: firstChunk
	chunk []byte // pieces are cut from its start
	first []byte // the chunk to start the next stream with
	used  int
	whole int // and with what lies between the pieces
}

const (
	firstChunk = 1 << 20
	align      = 64
)

var _ memory.Allocator = (*arena)(nil)

// Allocate gives size zeroed bytes.
func (a *arena) Allocate(size int) []byte {
	if size < 0 || size > MaxMemory-a.used {
		panic(beyond("needs more than %d MiB of memory", MaxMemory>>20))
	}
	whole := (size + align - 1) / align * align
	a.used, a.whole = a.used+size, a.whole+whole
	if whole > len(a.chunk) {
		a.chunk = make([]byte, max(whole, firstChunk))
		if len(a.first) == 0 {
			a.first = a.chunk
		}
	}
	piece := a.chunk[:size:size]
	a.chunk = a.chunk[whole:]
	clear(piece)
	return piece
}

// Reallocate gives size bytes that begin with b's.
func (a *arena) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && size >= 0 {
		return b[:size]
	}
	grown := a.Allocate(size)
	copy(grown, b)
	return grown
}

// Free does nothing: reset takes everything back.
func (a *arena) Free([]byte) {}

// reset takes every piece back. No array of the stream may be used after it. The
// next stream finds as much in one chunk, and somewhat more.
func (a *arena) reset() {
	most := max(a.most, firstChunk)
	switch more := a.whole + a.whole/4; {
	case len(a.first) > most:
		a.first = nil // a foreign stream's large first piece
	case a.whole > len(a.first) && more <= most:
		a.first = make([]byte, more)
	}
	a.chunk, a.used, a.whole = a.first, 0, 0
}
