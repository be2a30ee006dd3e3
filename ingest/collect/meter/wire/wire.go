// Package wire is what the meter and its dissectors say to each other: which
// end of a connection spoke, how it opened, and why it ended.
package wire

import "time"

// Side is the end of a connection that sent some bytes.
type Side uint8

// The two sides. The client is the one that sent the SYN; where no SYN was
// seen, the one with the higher port.
const (
	Client Side = iota
	Server
)

// Other gives the opposite side.
func (s Side) Other() Side { return 1 - s }

// Verdict is what a dissector makes of the first bytes of one direction.
type Verdict uint8

// The verdicts.
const (
	No   Verdict = iota // another protocol
	More                // too few bytes to tell
	Yes                 // this protocol
)

// Opening is what is known of a connection when its dissector is chosen.
type Opening struct {
	Start time.Time // the first packet seen of it
	Whole [2]bool   // by Side: the SYN was seen, so the bytes begin at the beginning
}

// Sided reports whether the sides are certain, which takes a SYN.
func (o Opening) Sided() bool { return o.Whole[Client] || o.Whole[Server] }

// End is why a connection is over.
type End uint8

// The ends. Only the first two were seen on the wire; after the others the
// user may still have been there.
const (
	Closed   End = iota + 1 // a FIN
	Reset                   // a RST
	Idle                    // no packet for so long that the meter let go
	Cut                     // the capture ended first
	Nonsense                // the dissector lost its thread
)

// Seen reports whether the end itself was on the wire.
func (e End) Seen() bool { return e == Closed || e == Reset }

// String gives a few words for a sighting's evidence.
func (e End) String() string {
	switch e {
	case Closed:
		return "FIN"
	case Reset:
		return "RST"
	case Idle:
		return "last packet seen"
	case Cut:
		return "end of capture"
	}
	return "unreadable bytes"
}
