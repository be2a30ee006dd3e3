package file

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Bounds of what one batch of rows may take, over the pages that it is read
// from, and of any one page or column of Parquet. A batch of Arrow is read
// whole, and its columns are as long as it is.
const (
	maxTaken = 1 << 30
	maxPiece = 128 << 20
)

// limited is an allocator that refuses what only a broken file asks for. What
// is given back is not counted: the library gives some of it back at the end of
// a loop that a file can make as long as it likes.
type limited struct {
	memory.GoAllocator
	piece int   // the most at once
	left  int64 // until renew
}

func newLimited(piece int) *limited { return &limited{piece: piece, left: maxTaken} }

// renew begins another batch.
func (l *limited) renew() { l.left = maxTaken }

// take counts what is taken for a piece of so many bytes.
func (l *limited) take(size, taken int) {
	if size < 0 || size > l.piece {
		panic(fault(fmt.Sprintf("needs more than %d MiB of memory for one page or column", l.piece>>20)))
	}
	if l.left -= int64(taken); l.left < 0 {
		panic(fault(fmt.Sprintf("needs more than %d MiB of memory at once", maxTaken>>20)))
	}
}

// Allocate panics with a fault over the bounds.
func (l *limited) Allocate(size int) []byte {
	l.take(size, size)
	return l.GoAllocator.Allocate(size)
}

// Reallocate panics with a fault over the bounds.
func (l *limited) Reallocate(size int, b []byte) []byte {
	l.take(size, max(0, size-len(b)))
	return l.GoAllocator.Reallocate(size, b)
}
