// Package wire is what the meter and its dissectors say to each other: which
// end of a connection spoke, how it opened, and why it ended.
package wire

import (
	"net/netip"
	"time"

	"rollcall"
)

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

// Dissector reads the two directions of one connection, in order.
type Dissector interface {
	// Feed takes the next bytes of a side; an error gives the connection up.
	Feed(side Side, t time.Time, data []byte) error
	// Gap says that bytes of a side are missing before those of t.
	Gap(side Side, t time.Time)
	// End says that the connection is over. Where its end was not seen, t is
	// its own last packet.
	End(t time.Time, why End)
}

// Opening is what is known of a connection when its dissector is chosen.
type Opening struct {
	Start time.Time // the first packet seen of it
	Whole [2]bool   // by Side: the SYN was seen, so the bytes begin at the beginning
	Ends  [2]netip.AddrPort
	Owner Owner
	Depth int   // how many tunnels it is in
	Flow  *Flow // of the whole connection, whatever is inside; nil in tests
}

// Flow is the service that a connection is credited to, where the bytes that it
// carries are not read.
type Flow struct {
	Service rollcall.ServiceID
	Sign    Sign
	Settled bool // nothing later changes it
}

// Sign is what a flow is known by.
type Sign uint8

// The signs.
const (
	ByTLS Sign = iota + 1
	ByQUIC
	ByBytes
	ByDNS
	ByList
)

// String gives a few words for a sighting's evidence.
func (s Sign) String() string {
	switch s {
	case ByTLS:
		return "a TLS server name"
	case ByQUIC:
		return "a QUIC server name"
	case ByBytes:
		return "first bytes"
	case ByDNS:
		return "an address from DNS"
	}
	return "an address list"
}

// Owner says whose machine opened a connection.
type Owner uint8

// The owners.
const (
	Anybody Owner = iota // the meter knows no machine as the panelist's
	Ours                 // the panelist's
	Others               // somebody else's, towards the panelist's
)

// On reports whether either end of the connection has the port.
func (o Opening) On(port uint16) bool {
	return o.Ends[Client].Port() == port || o.Ends[Server].Port() == port
}

// Sided reports whether the sides are certain, which takes a SYN.
func (o Opening) Sided() bool { return o.Whole[Client] || o.Whole[Server] }

// End is why a connection is over.
type End uint8

// The ends. Only the first three were seen on the wire; after the others the
// user may still have been there.
const (
	Closed         End = iota + 1 // a FIN
	ClosedByServer                // a FIN, the server's before the client's
	Reset                         // a RST
	Idle                          // no packet for so long that the meter let go
	Cut                           // the capture ended first
	Nonsense                      // the dissector lost its thread
	Left                          // what was polled for is asked for no more
)

// Seen reports whether the end itself was on the wire.
func (e End) Seen() bool { return e.FIN() || e == Reset }

// FIN reports whether a side closed the connection in order.
func (e End) FIN() bool { return e == Closed || e == ClosedByServer }

// KeepAlive is how long after its last packet a user is taken to be there still
// who was not seen to leave: the protocols that are read send something about
// once a minute.
const KeepAlive = time.Minute

// Last gives the time at which a stay is over whose connection ended so, t being
// the time of End.
func (e End) Last(t time.Time) time.Time {
	if e == Idle || e == Cut {
		return t.Add(KeepAlive)
	}
	return t
}

// String gives a few words for a sighting's evidence.
func (e End) String() string {
	switch e {
	case Closed, ClosedByServer:
		return "FIN"
	case Reset:
		return "RST"
	case Idle:
		return "last packet seen"
	case Cut:
		return "end of capture"
	case Left:
		return "last poll"
	}
	return "unreadable bytes"
}
