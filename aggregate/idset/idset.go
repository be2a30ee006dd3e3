// Package idset holds sets of 64-bit ids as lists: ascending, without doubles,
// 8 bytes an id, the little end first. A set has one list, so sets are united
// and compared as bytes, in any order and as often as one likes.
package idset

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"slices"

	"rollcall"
)

// Size is the bytes of one id.
const Size = 8

// Len gives the number of ids of a list.
func Len(list []byte) int { return len(list) / Size }

// At gives the i-th id of a list.
func At(list []byte, i int) uint64 { return binary.LittleEndian.Uint64(list[i*Size:]) }

// Check refuses bytes that are no list: a part of an id, or ids that don't
// ascend. The error is a rollcall.Invalid.
func Check(list []byte) error {
	if len(list)%Size != 0 {
		return malformed("%d bytes are no whole number of ids", len(list))
	}
	for i := 1; i < Len(list); i++ {
		if At(list, i-1) >= At(list, i) {
			return malformed("id %d is not over the one before it", i+1)
		}
	}
	return nil
}

func malformed(format string, args ...any) error {
	return &rollcall.Invalid{Field: "accounts", Reason: fmt.Sprintf(format, args...), Code: "accounts"}
}

// Append appends the list of ids. They are sorted in place, and doubles taken
// out: what is behind them then is nothing to read.
func Append[ID ~uint64](dst []byte, ids []ID) []byte {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(id))
	}
	return dst
}

// Merge appends the union of two lists, which dst doesn't overlap. Which list has
// the smaller id is as a coin's fall, so the step has no branch that asks it.
func Merge(dst, a, b []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, len(a)+len(b))[:start+len(a)+len(b)]
	out, i, j, n := dst[start:], 0, 0, 0
	for i+Size <= len(a) && j+Size <= len(b) {
		x, y := binary.LittleEndian.Uint64(a[i:]), binary.LittleEndian.Uint64(b[j:])
		binary.LittleEndian.PutUint64(out[n:], min(x, y))
		_, over := bits.Sub64(y, x, 0) // 1 where x > y
		_, under := bits.Sub64(x, y, 0)
		i, j, n = i+Size*int(1-over), j+Size*int(1-under), n+Size
	}
	n += copy(out[n:], a[i:])
	n += copy(out[n:], b[j:])
	return dst[:start+n]
}

// Without appends the ids of a list that are not in another. dst may be list[:0].
func Without(dst, list, others []byte) []byte {
	for len(list) > 0 && len(others) > 0 {
		switch id, other := At(list, 0), At(others, 0); {
		case other < id:
			others = others[Size:]
			continue
		case other > id:
			dst = append(dst, list[:Size]...)
		}
		list = list[Size:]
	}
	return append(dst, list...)
}

// All gives the ids of a list.
func All(list []byte) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range Len(list) {
			if !yield(At(list, i)) {
				return
			}
		}
	}
}

// Union is a growing union of lists. Each id is copied a logarithmic number of
// times: lists wait until they are as long as the one before them, and are then
// merged with it. It holds twice the union at most, and the lists not yet
// merged, which are shorter.
type Union struct{ lists [][]byte }

// Add unites a list. The bytes are copied.
func (u *Union) Add(list []byte) {
	if len(list) == 0 {
		return
	}
	u.lists = append(u.lists, slices.Clone(list))
	for n := len(u.lists); n > 1 && len(u.lists[n-2]) <= 2*len(u.lists[n-1]); n = len(u.lists) {
		u.merge()
	}
}

// merge merges the last two lists.
func (u *Union) merge() {
	n := len(u.lists)
	a, b := u.lists[n-2], u.lists[n-1]
	u.lists = append(u.lists[:n-2], Merge(make([]byte, 0, len(a)+len(b)), a, b))
}

// List gives the union. The bytes are the union's until the next Add.
func (u *Union) List() []byte {
	for len(u.lists) > 1 {
		u.merge()
	}
	if len(u.lists) == 0 {
		return nil
	}
	return u.lists[0]
}

// Bytes is the memory that the lists take.
func (u *Union) Bytes() (n int) {
	for _, list := range u.lists {
		n += cap(list)
	}
	return n
}

// Len gives the number of ids of the union.
func (u *Union) Len() int { return Len(u.List()) }
