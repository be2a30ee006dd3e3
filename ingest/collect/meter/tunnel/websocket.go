package tunnel

import (
	"encoding/binary"
	"errors"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

var errCompressed = errors.New("websocket: frames are compressed, or are none")

// webSocket unwraps the frames of RFC 6455: flags and opcode, mask bit and
// length, a longer length of 2 or 8 bytes, a mask of 4, the payload.
type webSocket struct {
	to    wire.Dissector
	sides [2]frames
}

// frames is one direction.
type frames struct {
	head   []byte
	left   uint64
	mask   [4]byte
	at     int // in the mask
	masked bool
	data   bool // of a message, and not of a ping
	lost   bool
}

// Feed takes the next bytes of one side.
func (w *webSocket) Feed(side wire.Side, t time.Time, b []byte) error {
	f := &w.sides[side]
	for len(b) > 0 && !f.lost {
		if f.left == 0 {
			n, err := f.header(b)
			if err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		n := int(min(uint64(len(b)), f.left))
		part := b[:n]
		b, f.left = b[n:], f.left-uint64(n)
		if !f.data {
			continue
		}
		if err := w.to.Feed(side, t, f.unmask(part)); err != nil {
			return err
		}
	}
	return nil
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
	if f.head[0]&0x70 != 0 {
		return 0, errCompressed
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

// begin reads a whole header.
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
	f.masked, f.at, f.data = h[1]&0x80 != 0, 0, h[0]&8 == 0
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
	w.to.Gap(side, t)
}

// End says that the connection is over.
func (w *webSocket) End(t time.Time, why wire.End) { w.to.End(t, why) }
