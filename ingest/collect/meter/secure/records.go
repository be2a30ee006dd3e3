// Package secure reads what TLS and QUIC say before they hide: the ClientHello,
// with the name of the server that is asked for, and when a handshake is over.
package secure

import (
	"encoding/binary"
	"time"
)

// TLS record types.
const (
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeader    = 5
	recordMost      = 1<<14 + 2048
)

// Records follows the records of one TLS connection, to know when its handshake
// was over: at the client's first record of data.
type Records struct {
	head [recordHeader]byte
	have int
	left int
	lost bool
	Over time.Time // when the handshake was over; zero before
}

// Client takes the next bytes of the client.
func (r *Records) Client(t time.Time, b []byte) {
	for len(b) > 0 && r.Over.IsZero() && !r.lost {
		if r.left > 0 {
			n := min(r.left, len(b))
			r.left, b = r.left-n, b[n:]
			continue
		}
		n := copy(r.head[r.have:], b)
		r.have, b = r.have+n, b[n:]
		if r.have < recordHeader {
			return
		}
		r.have, r.left = 0, int(binary.BigEndian.Uint16(r.head[3:]))
		switch {
		case r.head[0] < 20 || r.head[0] > 24 || r.head[1] != 3 || r.left > recordMost:
			r.lost = true // no TLS
		case r.head[0] == recordData:
			r.Over = t
		}
	}
}

// Gap says that bytes of the client are missing at t: its handshake is taken to
// be over there.
func (r *Records) Gap(t time.Time) {
	if r.Over.IsZero() && !r.lost {
		r.Over = t
	}
}

// Least is how long a stay behind TLS must last after its handshake: a refused
// sign-on, which can't be seen, lasts less.
const Least = 5 * time.Second

// Lasted reports whether a connection that ended at t was more than a refused
// sign-on may be.
func (r *Records) Lasted(t time.Time) bool { return !r.Over.IsZero() && t.Sub(r.Over) >= Least }
