package wire

import (
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/inflate"
)

// Sink is where dissectors put what they learn.
type Sink struct {
	Piece     time.Duration         // the longest presence in one sighting, at most rollcall.MaxEvent
	Yield     func(ingest.Sighting) // takes sightings with neither place nor market, perhaps with no account
	Named     func(name string)     // told of every server's name in TLS, QUIC or DNS; optional
	OnePerson bool                  // all that is seen is one panelist's
	Unnamed   func()                // counts a session of which not even the service is sure
	Budget    *inflate.Budget       // of what is held to unpack; optional
}

// Stay is the time that the user of one connection is online.
type Stay struct {
	Who   ingest.Sighting // service, account, client
	Name  string          // of the protocol, for the evidence
	since time.Time       // of what is not yet yielded; zero while not online
	how   string
}

// Say yields a sighting of the user at t.
func (s *Stay) Say(sink Sink, kind rollcall.Kind, t time.Time, evidence string) {
	seen := s.Who
	seen.Kind, seen.Time, seen.Evidence = kind, t, s.Name+" "+evidence
	sink.Yield(seen)
}

// Begin notes that the user is online from t, unless that is known; how says
// what showed it.
func (s *Stay) Begin(t time.Time, how string) {
	if s.since.IsZero() {
		s.since, s.how = t, how
	}
}

// Online reports whether the user is.
func (s *Stay) Online() bool { return !s.since.IsZero() }

// Forget drops a stay that was none.
func (s *Stay) Forget() { s.since = time.Time{} }

// Due reports whether a stay that goes on at t has full pieces.
func (s *Stay) Due(sink Sink, t time.Time) bool { return s.Online() && t.Sub(s.since) > sink.Piece }

// Progress yields the full pieces of a stay that goes on at t.
func (s *Stay) Progress(sink Sink, t time.Time) {
	for s.Due(sink, t) {
		s.piece(sink, s.since.Add(sink.Piece), "still open")
	}
}

// Leave ends a stay at t; seen says that its end was on the wire, and then it
// is a logout too, of a user who has a name.
func (s *Stay) Leave(sink Sink, t time.Time, how string, seen bool) {
	s.Progress(sink, t)
	if !s.Online() {
		return
	}
	if t.Before(s.since) {
		t = s.since
	}
	s.piece(sink, t, how)
	s.Forget()
	if seen && s.Who.Account != "" {
		s.Say(sink, rollcall.Logout, t, "session closed: "+how)
	}
}

func (s *Stay) piece(sink Sink, until time.Time, end string) {
	seen := s.Who
	seen.Kind, seen.Time, seen.Until = rollcall.Presence, s.since, until
	seen.Evidence = s.Name + " session: " + s.how + " to " + end
	sink.Yield(seen)
	s.since = until
}
