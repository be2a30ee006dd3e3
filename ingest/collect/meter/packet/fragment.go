package packet

import (
	"bytes"
	"net/netip"
	"slices"
	"time"
)

// Limits of what waits for its other fragments.
const (
	waitMost    = 1024             // datagrams
	pieceMost   = 128              // fragments of one
	bytesMost   = 8 << 20          // of all
	datagram    = 64 << 10         // the longest
	doneMost    = 16               // datagrams that are known again
	fragmentTTL = 30 * time.Second // of packet time
)

// fragmentKey names the datagram that fragments are of.
type fragmentKey struct {
	path     Path
	way      uint32
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// piece is one fragment.
type piece struct {
	of    fragmentKey
	from  int
	more  bool
	proto uint8 // of IPv6, which says it in the first fragment
	data  []byte
}

// waiting is a datagram of which some fragments have come.
type waiting struct {
	key    fragmentKey
	since  time.Time
	pieces []piece // in order, none overlapping
	length int     // of the whole; 0 until the last fragment has come
	bad    bool    // fragments that contradict each other are an attack, or damage
}

// fragments puts datagrams together.
type fragments struct {
	open  map[fragmentKey]*waiting
	order []*waiting // oldest first
	bytes int
	lost  int64
	proto uint8 // of the datagram that add has completed

	done [doneMost]whole // the last that were completed, in a ring
	next int             // of done
}

// whole is a datagram that was completed.
type whole struct {
	of   fragmentKey
	at   time.Time
	data []byte
}

// has reports whether a fragment is one of the datagram's. One that comes much later is
// of another: numbers come round.
func (w *whole) has(p piece, at time.Time) bool {
	end := p.from + len(p.data)
	return w.of == p.of && at.Sub(w.at) < fragmentTTL && end <= len(w.data) && bytes.Equal(w.data[p.from:end], p.data)
}

// add takes a fragment and gives the datagram that it completes.
func (f *fragments) add(at time.Time, p piece) ([]byte, bool) {
	f.expire(at)
	w := f.open[p.of]
	if w == nil {
		if slices.ContainsFunc(f.done[:], func(w whole) bool { return w.has(p, at) }) {
			return nil, false // a capture that has each packet twice
		}
		if f.open == nil {
			f.open = make(map[fragmentKey]*waiting)
		}
		w = &waiting{key: p.of, since: at}
		f.open[p.of], f.order = w, append(f.order, w)
	}
	added, ok := 0, !w.bad
	if ok {
		added, ok = w.insert(p)
	}
	if f.bytes += added; !ok {
		w.bad = true
		f.lost++
		return nil, false
	}
	if !w.complete() {
		return nil, false
	}
	data := make([]byte, 0, w.length)
	for _, p := range w.pieces {
		data = append(data, p.data...)
	}
	f.proto = w.pieces[0].proto
	w.pieces = nil
	f.drop(w)
	f.bytes -= len(data)
	f.done[f.next] = whole{w.key, at, data}
	f.next = (f.next + 1) % doneMost
	return data, true
}

// insert puts the fragment in its place and says how many bytes are new; false
// where it can't be of the datagram.
func (w *waiting) insert(p piece) (added int, ok bool) {
	end := p.from + len(p.data)
	if len(w.pieces) >= pieceMost || !w.fits(p, end) {
		return 0, false
	}
	i, again := slices.BinarySearchFunc(w.pieces, p.from, func(q piece, from int) int { return q.from - from })
	if again && len(w.pieces[i].data) == len(p.data) {
		return 0, true // sent twice
	}
	parts, ok := w.without(p)
	if n := len(w.pieces); !ok || !p.more && n > 0 && w.pieces[n-1].from+len(w.pieces[n-1].data) > end {
		return 0, false
	}
	if !p.more {
		w.length = end
	}
	for _, part := range parts {
		i, _ := slices.BinarySearchFunc(w.pieces, part.from, func(q piece, from int) int { return q.from - from })
		part.data = slices.Clone(part.data)
		w.pieces = slices.Insert(w.pieces, i, part)
		added += len(part.data)
	}
	return added, true
}

// without gives what a fragment has that is not there yet; false where it
// contradicts what is, and of IPv6 where it overlaps it (RFC 5722).
func (w *waiting) without(p piece) (parts []piece, ok bool) {
	at, end := p.from, p.from+len(p.data)
	part := func(from, to int) {
		if from < to {
			q := p
			q.from, q.data = from, p.data[from-p.from:to-p.from]
			parts = append(parts, q)
		}
	}
	for _, q := range w.pieces {
		from, to := max(p.from, q.from), min(end, q.from+len(q.data))
		if from >= to {
			continue
		}
		if p.of.proto == 0 || !bytes.Equal(p.data[from-p.from:to-p.from], q.data[from-q.from:to-q.from]) {
			return nil, false
		}
		part(at, from)
		at = to
	}
	part(at, end)
	return parts, true
}

// fits reports whether a fragment's length and end can be of the datagram.
func (w *waiting) fits(p piece, end int) bool {
	if len(p.data) == 0 || end > datagram || p.more && len(p.data)%8 != 0 {
		return false
	}
	return w.length == 0 || end == w.length || p.more && end < w.length
}

// complete reports whether no byte is missing.
func (w *waiting) complete() bool {
	have := 0
	for _, p := range w.pieces {
		have += len(p.data)
	}
	return w.length != 0 && have == w.length
}

// expire lets go of what has waited too long, or is too much.
func (f *fragments) expire(at time.Time) {
	for len(f.order) > 0 {
		w := f.order[0]
		if f.open[w.key] == w && at.Sub(w.since) < fragmentTTL && len(f.order) < waitMost && f.bytes < bytesMost {
			return
		}
		f.order = f.order[1:]
		if f.open[w.key] != w {
			continue // complete
		}
		f.lost += int64(len(w.pieces))
		f.drop(w)
	}
}

// drop lets a datagram go.
func (f *fragments) drop(w *waiting) {
	for _, p := range w.pieces {
		f.bytes -= len(p.data)
	}
	delete(f.open, w.key)
}
