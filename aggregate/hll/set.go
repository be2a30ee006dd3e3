package hll

import "math/bits"

// keySet is a set of 64-bit hashes: open addressing by the top bits with linear
// probing, never more than three quarters full. The hashes are uniform already,
// so they are their own position; and position by the top bits leaves the table
// nearly in ascending order, which is the order it is written in.
type keySet struct {
	slots []uint64 // 0 is an empty slot; the length is a power of two, or 0
	n     int32    // keys held, key 0 among them
	shift uint8    // 64 - log2(len(slots))
	zero  bool     // whether key 0 is held
}

// firstSlots is the size of a table when its first key comes.
const firstSlots = 4

// len gives the number of keys held.
func (t *keySet) len() int { return int(t.n) }

// add inserts h and reports whether it was new.
func (t *keySet) add(h uint64) bool {
	if h == 0 {
		return t.addZero()
	}
	i, found := t.find(h)
	if found {
		return false
	}
	if (t.len()+1)*4 > len(t.slots)*3 {
		t.resize(max(firstSlots, 2*len(t.slots)))
		t.place(h)
	} else {
		t.slots[i] = h
	}
	t.n++
	return true
}

func (t *keySet) addZero() bool {
	if t.zero {
		return false
	}
	t.zero = true
	t.n++
	return true
}

// find gives the slot of h, or the empty slot where it would go. In a table of
// no slots it finds nothing.
func (t *keySet) find(h uint64) (slot int, found bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := len(t.slots) - 1
	for i := t.home(h) & mask; ; i = (i + 1) & mask {
		switch t.slots[i] {
		case h:
			return i, true
		case 0:
			return i, false
		}
	}
}

// resize moves the keys to a table of size slots, a power of two that they fit.
func (t *keySet) resize(size int) {
	old := t.slots
	t.slots = make([]uint64, size)
	t.shift = uint8(64 - bits.Len(uint(size-1)))
	for _, h := range old {
		if h != 0 {
			t.place(h)
		}
	}
}

// place puts h, which is not held, into the first empty slot from its home on,
// and gives the slot. The table is not full.
func (t *keySet) place(h uint64) {
	mask := len(t.slots) - 1
	i := t.home(h)
	for t.slots[i&mask] != 0 {
		i++
	}
	t.slots[i&mask] = h
}

// reserve makes space for n keys in all.
func (t *keySet) reserve(n int) {
	if size := slotsFor(n); size > len(t.slots) {
		t.resize(size)
	}
}

// slotsFor is the size of the smallest table that holds n keys.
func slotsFor(n int) int {
	if n == 0 {
		return 0
	}
	return max(firstSlots, 1<<bits.Len(uint((n*4+2)/3-1)))
}

// clear empties the set and keeps its table.
func (t *keySet) clear() {
	clear(t.slots)
	t.n, t.zero = 0, false
}

// drop empties the set and lets its memory go.
func (t *keySet) drop() { *t = keySet{} }

// home is the slot where h would be in an empty table.
func (t *keySet) home(h uint64) int { return int(h >> (t.shift & 63)) }
