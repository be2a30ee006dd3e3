package session

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"rollcall/ingest"
)

// What happened to a connection.
type What uint8

// The steps. A connection is refused or accepted, opened, lost and resumed by
// another, and closed.
const (
	Connected What = iota + 1 // a new connection; whatever had its name before is over
	Refused                   // a login was refused
	Accepted                  // a login was accepted; the stay begins when it is opened
	Opened                    // the stay begins, or has a connection more
	SignedOn                  // accepted and opened; a login only where the session had no connection yet
	Resumed                   // the session goes on with this connection, which is no login
	Lost                      // the connection is gone; another may resume the session
	Closed                    // the connection is gone, and the session with its last one
	Alive                     // a sign of life of an open session
	Stopped                   // the server stops: every session ends
	Started                   // the server starts: every session ended when it was last heard of
)

var names = []string{"", "connected", "refused", "accepted", "opened", "signed_on", "resumed", "lost", "closed", "alive", "stopped", "started"}

// String is the step's name in a profile.
func (w What) String() string { return names[w] }

// ParseWhat reads a step's name. The error doesn't quote it: it may be a row's own.
func ParseWhat(s string) (What, error) {
	if i := slices.Index(names, s); i > 0 {
		return What(i), nil
	}
	return 0, errors.New("is not one of " + strings.Join(names[1:], ", "))
}

// All reports whether the step is the server's, and so of all connections.
func (w What) All() bool { return w == Stopped || w == Started }

// Step is one thing that happened. The sighting has its time, and the account
// and the rest where they are known.
type Step struct {
	What
	Connection string // names it while it lasts; of Stopped and Started, what the names of those it ends begin with
	Session    string // what another connection may go on with; empty: the connection alone
	Line       int    // where it was read
	ingest.Sighting
}

// key names the step's session, or where it has none its connection.
func (s *Step) key() string { return cmp.Or(s.Session, s.Connection) }

// Seen is a sighting, and the line that began it.
type Seen struct {
	ingest.Sighting
	Line int
}
