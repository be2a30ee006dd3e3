package meter

import (
	"bytes"
	"container/list"
	"slices"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// Limits of what waits for segments that are missing.
const (
	gapAfter    = time.Minute // a missing segment is given up after so long
	pieceCost   = 128         // bytes that a piece costs beside its data
	piecesMost  = 512         // of one direction
	heldMost    = 16 << 20    // bytes that wait, of all connections
	farMost     = 16 << 20    // a segment further off is none of the stream's, or the stream has moved
	windowOfEnd = 1 << 20     // a RST or FIN ahead of the stream by more is not of it
)

// piece is a run of bytes that came before others that are missing.
type piece struct {
	seq  uint32
	at   time.Time
	data []byte
}

// end gives the number of the byte behind a piece.
func (p piece) end() uint32 { return p.seq + uint32(len(p.data)) }

// half is one direction of a connection, whose segments it puts in order. Where
// two segments have the same bytes, those that came first count.
type half struct {
	begun   bool
	closed  bool          // all up to the FIN was given
	first   uint32        // the number of the first byte, once begun
	next    uint32        // of the next
	far     uint32        // where a segment far off ended
	fin     uint32        // where the direction ends
	finAt   time.Time     // when the FIN came; zero before
	waiting []piece       // in order, none overlapping, all ahead of next
	place   *list.Element // among the meter's that wait; nil where nothing does
}

// holder is a side of a connection with bytes that wait for others.
type holder struct {
	conn *conn
	side wire.Side
}

// ahead gives how far a sequence number is from the next byte's; negative: it
// is behind. Numbers begin again at 0 after 2^32.
func (h *half) ahead(seq uint32) int { return int(int32(seq - h.next)) }

// window reports whether what ends the direction at a number can be of it.
func (h *half) window(seq uint32) bool {
	n := h.ahead(seq)
	return !h.begun || 0 <= n && n < windowOfEnd
}

// take puts a segment in its place, and gives the stream what is in order.
func (c *conn) take(s segment) {
	side := c.sideOf(s.src)
	h := &c.halves[side]
	seq := s.tcp.Seq
	switch {
	case s.tcp.RST:
		if h.window(seq) {
			c.end(s.at, wire.Reset)
		}
		return
	case h.closed, s.tcp.SYN && h.begun: // a SYN again brings nothing that its receiver takes
		return
	case s.tcp.SYN:
		seq++
	}
	if !h.begun { // in mid-stream, where there was no SYN
		h.begun, h.first, h.next = true, seq, seq
	}
	p := piece{seq, s.at, s.tcp.Payload}
	if s.tcp.FIN && h.finAt.IsZero() && h.window(p.end()) {
		h.fin, h.finAt = p.end(), s.at
	}
	c.place(side, p)
}

// place puts a piece where it belongs.
func (c *conn) place(side wire.Side, p piece) {
	h := &c.halves[side]
	n := h.ahead(p.seq)
	switch {
	case n > farMost || n < -farMost:
		c.stray(side, p)
	case n > 0:
		if c.hold(side, p); len(h.waiting) >= piecesMost {
			c.skip(side)
		}
		c.meter.letGoOfMissing()
	case len(h.waiting) > 0: // some of its bytes may be there already
		c.hold(side, p.behind(h.next))
		c.goOn(side, p.at)
	default:
		c.give(side, p.at, p.data[min(-n, len(p.data)):])
		c.goOn(side, p.at)
	}
}

// stray takes a segment that is far off: its number is broken, unless the next
// such segment goes on where it ended.
func (c *conn) stray(side wire.Side, p piece) {
	h := &c.halves[side]
	goesOn := p.seq == h.far
	h.far = p.end()
	if !goesOn || len(p.data) == 0 {
		return
	}
	c.drop(h)
	c.miss(side, p.at, p.seq)
	c.give(side, p.at, p.data)
}

// miss goes on at a number, the bytes before it being missing.
func (c *conn) miss(side wire.Side, at time.Time, seq uint32) {
	c.halves[side].next = seq
	c.meter.stats.Gaps++
	c.stream.Gap(side, at)
}

// give hands the next bytes of a side to the stream.
func (c *conn) give(side wire.Side, at time.Time, data []byte) {
	if len(data) == 0 {
		return
	}
	c.halves[side].next += uint32(len(data))
	_ = c.stream.Feed(side, at, data) // it never errs: a dissector that does is let go
}

// goOn gives what waited for the bytes just given, and the end if it is reached.
// Pieces count at the time of what let them through.
func (c *conn) goOn(side wire.Side, at time.Time) {
	h := &c.halves[side]
	for len(h.waiting) > 0 && h.ahead(h.waiting[0].seq) <= 0 {
		p := c.pop(h).behind(h.next)
		c.give(side, at, p.data)
	}
	switch {
	case h.finAt.IsZero() || h.ahead(h.fin) > 0:
		return
	case h.next != h.fin: // the stream went on beyond it: it was none
		h.finAt = time.Time{}
		return
	}
	h.closed = true
	c.drop(h)
	if c.finished.IsZero() {
		c.finished, c.finisher = at, side
	}
	if c.halves[side.Other()].closed {
		c.end(c.finished, wire.Closed)
	}
}

// hold lets a piece wait.
func (c *conn) hold(side wire.Side, p piece) {
	h := &c.halves[side]
	at, _ := slices.BinarySearchFunc(h.waiting, p.seq, func(q piece, seq uint32) int {
		return int(int32(q.end() - seq))
	})
	for ; at < len(h.waiting) && len(p.data) > 0; at++ {
		q := h.waiting[at]
		if before := int(int32(q.seq - p.seq)); before > 0 {
			c.insert(side, at, piece{p.seq, p.at, p.data[:min(before, len(p.data))]})
			at++
		}
		p = p.behind(q.end())
	}
	if len(p.data) > 0 {
		c.insert(side, at, p)
	}
}

// behind gives the bytes of a piece from a number on.
func (p piece) behind(seq uint32) piece {
	if n := int(int32(seq - p.seq)); n > 0 {
		p.seq, p.data = seq, p.data[min(n, len(p.data)):]
	}
	return p
}

func (c *conn) insert(side wire.Side, at int, p piece) {
	h := &c.halves[side]
	p.data = bytes.Clone(p.data)
	c.meter.held += pieceCost + len(p.data)
	h.waiting = slices.Insert(h.waiting, at, p)
	if h.place == nil {
		h.place = c.meter.holders.PushBack(holder{c, side})
	}
}

// pop takes the first piece that waits.
func (c *conn) pop(h *half) piece {
	p := h.waiting[0]
	c.meter.held -= pieceCost + len(p.data)
	if h.waiting = h.waiting[1:]; len(h.waiting) == 0 {
		h.waiting = nil
		c.meter.holders.Remove(h.place)
		h.place = nil
	}
	return p
}

// drop lets go of what waits.
func (c *conn) drop(h *half) {
	for len(h.waiting) > 0 {
		c.pop(h)
	}
}

// missing gives what stands behind missing bytes: when it came, and its number.
// It is what waits, or else the end.
func (h *half) missing() (at time.Time, seq uint32, ok bool) {
	if len(h.waiting) > 0 {
		return h.waiting[0].at, h.waiting[0].seq, true
	}
	return h.finAt, h.fin, !h.closed && !h.finAt.IsZero()
}

// skip gives up the bytes that are missing before what waits.
func (c *conn) skip(side wire.Side) {
	at, seq, ok := c.halves[side].missing()
	if ok {
		c.miss(side, at, seq)
		c.goOn(side, at)
	}
}

// letGoOfMissing gives up missing bytes where too much waits for them, of who has waited
// for longest first.
func (m *meter) letGoOfMissing() {
	for m.held >= heldMost {
		first := m.holders.Front().Value.(holder)
		first.conn.skip(first.side)
	}
}

// waits reports whether bytes have been missing since before a time.
func (c *conn) waits(before time.Time) bool {
	for side := range c.halves {
		if at, _, ok := c.halves[side].missing(); ok && at.Before(before) {
			return true
		}
	}
	return false
}

// expire gives up all bytes that have been missing since before a time.
func (c *conn) expire(before time.Time) {
	for side := range c.halves {
		for {
			at, _, ok := c.halves[side].missing()
			if !ok || c.over || !at.Before(before) {
				break
			}
			c.skip(wire.Side(side))
		}
	}
}
