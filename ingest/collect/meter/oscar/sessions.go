// Package oscar reads AIM and ICQ from the two directions of OSCAR
// connections, and says who signed on, was refused, was online and left.
//
// A sign-on is several connections: a login, answered by an address and a
// cookie; the session (BOS), opened with that cookie; secondary services
// (chat, icons), opened with cookies of their own. Only the first is a login
// and only the second is presence. Message bodies are passed over unread, and
// passwords, hashes and cookies are never kept: of a cookie, its SHA-256.
package oscar

import (
	"crypto/sha256"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// The services that OSCAR carries.
const (
	AIM rollcall.ServiceID = "aim"
	ICQ rollcall.ServiceID = "icq"
)

// mostCookies is how many cookies not yet presented are remembered.
const mostCookies = 4096

// Sessions joins the connections of many users by their cookies. It is not
// safe for concurrent use.
type Sessions struct {
	sink    wire.Sink
	cookies map[cookie]grant
	order   []cookie             // oldest first, for letting go
	unsure  map[string]time.Time // by name: when its session last missed bytes
}

type cookie [sha256.Size]byte

// grant is what the server gave a cookie for.
type grant struct {
	service role
	name    string
	client  string
	held    time.Time // of a sign-on by e-mail address, a login once it has a name
	counted bool      // the login was yielded by the session, before the answer that gave the cookie was read
}

// New makes Sessions that put their sightings in the sink.
func New(sink wire.Sink) *Sessions {
	return &Sessions{sink: sink, cookies: make(map[cookie]grant), unsure: make(map[string]time.Time)}
}

// Open begins a connection.
func (s *Sessions) Open(o wire.Opening) *Conn {
	c := &Conn{sessions: s, opening: o, stay: wire.Stay{Name: "OSCAR"}}
	for side := range c.scan {
		if !o.Whole[side] {
			c.scan[side].gap()
		}
	}
	return c
}

// remember keeps what a cookie is for, letting go of the oldest.
func (s *Sessions) remember(secret []byte, g grant) { s.put(sha256.Sum256(secret), g) }

func (s *Sessions) put(k cookie, g grant) {
	if len(s.order) >= mostCookies {
		delete(s.cookies, s.order[0])
		s.order = append(s.order[:0], s.order[1:]...)
	}
	if _, again := s.cookies[k]; !again {
		s.order = append(s.order, k)
	}
	s.cookies[k] = g
}

// migrationOf is how long after a gap in a session a new one may be its
// continuation, the cookie for it having been in the gap.
const migrationOf = 10 * time.Minute

// missed notes that a session of the name has missed bytes.
func (s *Sessions) missed(name string, t time.Time) {
	if len(s.unsure) >= mostCookies {
		clear(s.unsure)
	}
	s.unsure[name] = t
}

// continues reports whether a session of the name may be one of before that
// was sent on to another server, unseen.
func (s *Sessions) continues(name string, t time.Time) bool {
	before, ok := s.unsure[name]
	return ok && t.Sub(before) < migrationOf
}

// Account normalises a name and says whose it is: all digits are an ICQ
// number, anything else an AIM name, lower case with spaces dropped.
func Account(name string) (rollcall.ServiceID, string) {
	name = strings.ToLower(strings.ReplaceAll(name, " ", ""))
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return ICQ, name
	}
	return AIM, name
}
