package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// Why a WebSocket is given up: its ends would close it.
var (
	errReserved = errors.New("websocket: a frame that nothing agreed on allows")
	errFragment = errors.New("websocket: a part of no message, or a message in another")
)

// The operations of frames; those from opClose on are no data.
const (
	opMore   = 0
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPong   = 10
)

// How much is kept of what comes before the client's first bytes, and in how many
// parts: one may be of a byte.
const (
	earlyMost  = 4 << 10
	earlyParts = 64
)

// webSocket unwraps the frames of RFC 6455: flags and operation, mask bit and
// length, a longer length of 2 or 8 bytes, a mask of 4, the payload.
type webSocket struct {
	hub     *Gateways
	opening wire.Opening
	xmpp    bool // by the subprotocol
	sides   [2]frames
	to      wire.Dissector
	early   []message // until the client's first bytes tell what is inside
	first   []byte    // of the client
	err     error     // what it was given up for
}

// message is bytes of one side.
type message struct {
	side wire.Side
	at   time.Time
	data []byte
}

// openWebSocket begins a WebSocket by the answer that grants it.
func (g *Gateways) openWebSocket(o wire.Opening, xmpp bool, answer *head) *webSocket {
	w := &webSocket{hub: g, opening: o, xmpp: xmpp}
	if d, ok := deflates(answer); ok {
		for side := range w.sides {
			w.sides[side].unpack = &unpacker{budget: g.inner.Budget, agreed: d[side]}
		}
	}
	return w
}

// Feed takes the next bytes of one side.
func (w *webSocket) Feed(side wire.Side, t time.Time, b []byte) error {
	f := &w.sides[side]
	for len(b) > 0 && !f.lost && w.err == nil {
		var n int
		if f.inFrame {
			n, w.err = w.payload(side, t, b)
		} else {
			n, w.err = f.header(b)
		}
		b = b[n:]
		if w.err == nil && f.inFrame && f.left == 0 {
			f.inFrame = false
			w.err = w.over(side, t)
		}
	}
	return w.err
}

// payload takes bytes of a frame's payload, and says how many.
func (w *webSocket) payload(side wire.Side, t time.Time, b []byte) (int, error) {
	f := &w.sides[side]
	n := int(min(uint64(len(b)), f.left))
	f.left -= uint64(n)
	switch {
	case f.control:
		return n, nil
	case f.packed:
		return n, w.unpack(side, t, f.unmask(b[:n]))
	}
	return n, w.give(side, t, f.unmask(b[:n]))
}

// unpack takes packed bytes of a message.
func (w *webSocket) unpack(side wire.Side, t time.Time, b []byte) error {
	var failed error
	hole := w.sides[side].unpack.feed(b, func(plain []byte) error {
		failed = w.give(side, t, plain)
		return failed
	})
	if hole && failed == nil {
		w.hole(side, t)
	}
	return failed
}

// over ends a frame, and perhaps its message.
func (w *webSocket) over(side wire.Side, t time.Time) error {
	f := &w.sides[side]
	if f.control || !f.final || !f.packed {
		return nil
	}
	if !f.unpack.empty {
		if err := w.unpack(side, t, tail()); err != nil {
			return err
		}
	}
	if f.unpack.end() {
		w.hole(side, t)
	}
	return nil
}

// give hands on what a message says, or keeps it until the client's first bytes
// tell what is inside.
func (w *webSocket) give(side wire.Side, t time.Time, b []byte) error {
	if w.to != nil {
		return w.to.Feed(side, t, b)
	}
	w.wait(side, t, b)
	if side == wire.Client {
		w.first = append(w.first, b...)
	}
	waiting := 0
	for _, m := range w.early {
		waiting += len(m.data)
	}
	yes, sure := framed(w.first, w.xmpp)
	if !sure && waiting <= earlyMost {
		return nil
	}
	return w.choose(yes)
}

// wait has bytes wait: where there are very many parts, behind the last of the same side.
func (w *webSocket) wait(side wire.Side, t time.Time, b []byte) {
	for i := len(w.early) - 1; i >= 0 && len(w.early) >= earlyParts; i-- {
		if m := &w.early[i]; m.side == side {
			m.at, m.data = t, append(m.data, b...)
			return
		}
	}
	w.early = append(w.early, message{side, t, bytes.Clone(b)})
}

// choose opens what is inside and gives it what waited.
func (w *webSocket) choose(framed bool) error {
	early := w.early
	w.early, w.first = nil, nil
	if framed {
		w.to = w.hub.inner.XMPP(w.opening)
	} else {
		w.to = w.hub.inner.Open(w.opening)
	}
	for _, m := range early {
		if err := w.to.Feed(m.side, m.at, m.data); err != nil {
			return err
		}
	}
	return nil
}

// framed tells by the client's first bytes whether what is inside is XMPP whose
// elements stand for themselves (RFC 7395), and not a stream of bytes: one of
// XMPP, as before that, or another messenger's.
func framed(first []byte, xmpp bool) (yes, sure bool) {
	const open = "<open"
	first = bytes.TrimLeft(first, " \t\r\n")
	n := min(len(first), len(open))
	switch {
	case string(first[:n]) == open[:n]:
		return true, n == len(open) || xmpp && n > 1
	case !xmpp:
		return false, true
	case n < 2:
		return true, false
	}
	return string(first[:2]) != "<?" && string(first[:2]) != "<s", true
}

// frames is one direction.
type frames struct {
	head    []byte
	left    uint64 // of the payload
	mask    [4]byte
	at      int // in the mask
	inFrame bool
	masked  bool
	control bool // the frame is a ping, a pong or a close
	open    bool // further frames of the message follow
	final   bool // the frame is its message's last
	packed  bool // the message is
	lost    bool
	unpack  *unpacker // where packed messages were agreed on
}

// header takes the bytes of a frame's header, and says how many.
func (f *frames) header(b []byte) (int, error) {
	need := 2
	if len(f.head) >= 2 {
		need = f.headLen()
	}
	n := min(need-len(f.head), len(b))
	f.head = append(f.head, b[:n]...)
	if len(f.head) < 2 || len(f.head) < f.headLen() {
		return n, nil
	}
	if err := f.flags(f.head[0]); err != nil {
		return n, err
	}
	f.begin()
	f.head = f.head[:0]
	return n, nil
}

func (f *frames) headLen() int {
	n := 2
	switch f.head[1] & 0x7F {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.head[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// flags reads a header's first byte. Only the first frame of a message says
// that the message is packed; pings may stand between its frames.
func (f *frames) flags(b byte) error {
	op, final, packed := b&0x0F, b&0x80 != 0, b&0x40 != 0
	f.control = op >= opClose
	switch {
	case b&0x30 != 0, packed && (f.control || op == opMore || f.unpack == nil),
		op > opBinary && op < opClose, op > opPong, f.control && !final:
		return errReserved
	case f.control:
		return nil
	case f.open != (op == opMore):
		return errFragment
	}
	f.final, f.open = final, !final
	if op != opMore {
		if f.packed = packed; packed {
			f.unpack.begin()
		}
	}
	return nil
}

// begin reads the rest of a whole header.
func (f *frames) begin() {
	h := f.head
	switch n := h[1] & 0x7F; n {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(h[2:]) &^ (1 << 63)
	default:
		f.left = uint64(n)
	}
	f.inFrame, f.masked, f.at = true, h[1]&0x80 != 0, 0
	if f.masked {
		f.mask = [4]byte(h[len(h)-4:])
	}
}

// unmask gives the payload in clear.
func (f *frames) unmask(b []byte) []byte {
	if !f.masked {
		return b
	}
	open := make([]byte, len(b))
	for i := range b {
		open[i] = b[i] ^ f.mask[f.at&3]
		f.at++
	}
	return open
}

// Gap says that bytes of one side are missing: where frames begin is lost.
func (w *webSocket) Gap(side wire.Side, t time.Time) {
	w.sides[side].lost = true
	w.sides[side].unpack.release()
	w.hole(side, t)
}

// hole says that what a side said inside is not known from here on for a while.
func (w *webSocket) hole(side wire.Side, t time.Time) {
	if w.to == nil {
		if w.err = w.choose(w.xmpp); w.err != nil {
			return
		}
	}
	w.to.Gap(side, t)
}

// End says that the connection is over.
func (w *webSocket) End(t time.Time, why wire.End) {
	for side := range w.sides {
		w.sides[side].unpack.release()
	}
	if w.to != nil {
		w.to.End(t, why)
	}
}
