package tunnel

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// pollHead is how a body of Jabber's polling (XEP-0025) begins: the session's
// number, perhaps keys, a comma.
var pollHead = regexp.MustCompile(`^([A-Za-z0-9:-]{1,128})(?:;[A-Za-z0-9+/=;]{1,256})?,`)

// newSession is the number by which a client asks for a session.
const newSession = "0"

// pollAsked takes a request: what follows the comma is a piece of the stream.
// Any other form may begin alike, so that a session begins by its stream alone.
func (g *Gateways) pollAsked(c *HTTP, t time.Time, b []byte) *session {
	m := pollHead.FindSubmatch(b)
	if m == nil {
		return nil
	}
	id, said := string(m[1]), b[len(m[0]):]
	s := g.sessions[sessionKey{polling, c.opening.Ends[wire.Client].Addr(), id}]
	if s == nil && id == newSession && bytes.Contains(said, []byte("stream")) {
		s = g.begin(c, polling, t, true)
	}
	if s != nil {
		g.give(s, wire.Client, t, said)
	}
	return s
}

// pollNamed reads the session's number from an answer's cookie: one that ends in
// :0 says that the session is over.
func (g *Gateways) pollNamed(c *HTTP, h head) {
	cookie, _, _ := strings.Cut(h.get("set-cookie"), ";")
	id, ok := strings.CutPrefix(cookie, "ID=")
	s := c.answer.session
	switch {
	case c.answer.kind != polling || !ok || s == nil || s.over:
	case strings.HasSuffix(id, ":0"):
		g.polled(c, s, h.at)
		g.end(s, h.at, wire.ClosedByServer)
	case s.key.id == "":
		g.name(s, id)
	}
}
