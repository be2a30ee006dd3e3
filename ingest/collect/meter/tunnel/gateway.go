package tunnel

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// Limits of sessions that polls carry.
const (
	sessionsMost = 4096
	silentFor    = 10 * time.Minute // a session that nobody polls for so long is over
)

// kind is what a request is for.
type kind uint8

const (
	plain   kind = iota
	connect      // CONNECT
	upgrade      // to a WebSocket
	msn          // gateway.dll
	yahoo        // YMSG packets as bodies
	aim          // FLAP in the packets of AIM's proxy
	bosh         // XMPP in <body/>
	polling      // XMPP in forms, as before that
)

// kindOf tells a request by its target and headers.
func kindOf(method, target string, h *head) kind {
	host := strings.ToLower(h.get("host"))
	path := strings.ToLower(target)
	switch {
	case method == "CONNECT":
		return connect
	case strings.EqualFold(h.get("upgrade"), "websocket"):
		return upgrade
	case strings.Contains(path, "gateway.dll"):
		return msn
	case method == "POST" && (strings.Contains(host+path, "msg.yahoo.com") || strings.Contains(host+path, "pager.yahoo.com")):
		return yahoo
	case strings.Contains(path, "/monitor?sid=") || strings.Contains(path, "/data?sid="):
		return aim
	case method == "POST" && maybeXML(strings.ToLower(h.get("content-type"))):
		return bosh
	case method == "POST" && strings.HasPrefix(strings.ToLower(h.get("content-type")), "application/x-www-form-urlencoded"):
		return polling
	}
	return plain
}

// maybeXML reports whether a body may be XML by its type: browsers take text/plain
// where a page names none.
func maybeXML(contentType string) bool {
	return contentType == "" || strings.HasPrefix(contentType, "text/plain") || strings.Contains(contentType, "xml")
}

// sessionKey names a session that requests carry.
type sessionKey struct {
	kind   kind
	client netip.Addr
	id     string
}

// session is a stream inside requests and answers.
type session struct {
	number   int64 // in the order of their beginnings
	key      sessionKey
	to       wire.Dissector
	last     time.Time
	carriers int  // connections that have carried it and are open
	closed   bool // the last carrier's end was seen
	over     bool
}

func (s *session) gap(side wire.Side, t time.Time) {
	if !s.over {
		s.to.Gap(side, t)
	}
}

// Gateways joins the connections that carry sessions. It is not safe for
// concurrent use.
type Gateways struct {
	inner    Inner
	begun    int64 // sessions so far
	sessions map[sessionKey]*session
	loose    map[*session]bool // asked for, not yet named by an answer
}

// NewGateways makes a Gateways that gives what it unwraps to inner.
func NewGateways(inner Inner) *Gateways {
	return &Gateways{inner: inner, sessions: make(map[sessionKey]*session), loose: make(map[*session]bool)}
}

// OpenHTTP begins a connection.
func (g *Gateways) OpenHTTP(o wire.Opening) *HTTP {
	return &HTTP{hub: g, opening: o, carries: make(map[*session]bool)}
}

// Flush ends the sessions that nobody has polled for long, now being packet
// time.
func (g *Gateways) Flush(now time.Time) {
	for _, s := range g.all() {
		if now.Sub(s.last) > silentFor {
			g.end(s, s.last, wire.Left)
		}
	}
}

// Close ends every session at the end of the capture.
func (g *Gateways) Close() {
	for _, s := range g.all() {
		why := wire.Cut
		if s.closed {
			why = wire.Left
		}
		g.end(s, s.last, why)
	}
}

func (g *Gateways) all() []*session {
	list := make([]*session, 0, len(g.sessions)+len(g.loose))
	for _, s := range g.sessions {
		list = append(list, s)
	}
	for s := range g.loose {
		list = append(list, s)
	}
	return list
}

// begin opens a session; whole says that its beginning is seen.
func (g *Gateways) begin(c *HTTP, k kind, t time.Time, whole bool) *session {
	if len(g.sessions)+len(g.loose) >= sessionsMost {
		g.evict()
	}
	g.begun++
	s := &session{number: g.begun, key: sessionKey{kind: k, client: c.opening.Ends[wire.Client].Addr()}, last: t}
	o := within(c.at(t), whole)
	if k == bosh {
		s.to = g.inner.XMPP(o)
	} else {
		s.to = g.inner.Open(o)
	}
	g.loose[s] = true
	return s
}

// evict ends a sixteenth of the sessions, those that were silent for longest: finding
// them costs as much as there are.
func (g *Gateways) evict() {
	all := g.all()
	slices.SortFunc(all, func(a, b *session) int { return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.number, b.number)) })
	for _, s := range all[:(len(all)+15)/16] {
		g.end(s, s.last, wire.Idle)
	}
}

// find gives the session of an id, which begins here in the middle where its
// beginning was not seen.
func (g *Gateways) find(c *HTTP, k kind, id string, t time.Time) *session {
	key := sessionKey{k, c.opening.Ends[wire.Client].Addr(), id}
	s := g.sessions[key]
	if s == nil {
		s = g.begin(c, k, t, false)
		g.name(s, id)
	}
	return s
}

// name puts a session under its id.
func (g *Gateways) name(s *session, id string) {
	delete(g.loose, s)
	if g.sessions[s.key] == s {
		delete(g.sessions, s.key)
	}
	s.key.id = id
	if other := g.sessions[s.key]; other != nil && other != s {
		g.end(other, other.last, wire.Left)
	}
	g.sessions[s.key] = s
}

// end ends a session.
func (g *Gateways) end(s *session, t time.Time, why wire.End) {
	if s.over {
		return
	}
	s.over = true
	delete(g.loose, s)
	if g.sessions[s.key] == s {
		delete(g.sessions, s.key)
	}
	s.to.End(t, why)
}

// polled notes that the connection carries the session, at t.
func (g *Gateways) polled(c *HTTP, s *session, t time.Time) {
	if t.After(s.last) {
		s.last = t
	}
	if !c.carries[s] {
		c.carries[s] = true
		s.carriers++
	}
	s.closed = false
}

// leave notes that a connection that carried the session is over.
func (g *Gateways) leave(s *session, t time.Time, why wire.End) {
	s.carriers--
	if s.carriers == 0 && why.Seen() {
		s.closed = true
		if t.After(s.last) && t.Sub(s.last) < silentFor {
			s.last = t
		}
	}
}

// give hands a piece of the stream inside to the session.
func (g *Gateways) give(s *session, side wire.Side, t time.Time, b []byte) {
	if len(b) == 0 || s.over {
		return
	}
	if err := s.to.Feed(side, t, b); err != nil {
		g.end(s, t, wire.Nonsense)
	}
}

// asked takes a request's body.
func (g *Gateways) asked(c *HTTP, t time.Time, b []byte) {
	x := c.reading
	c.reading = exchange{}
	switch x.kind {
	case msn:
		x.session = g.msnAsked(c, x.target, t)
	case yahoo:
		x.session = g.yahooAsked(c, t, b)
	case bosh:
		x.session = g.boshAsked(c, t, b)
	case polling:
		x.session = g.pollAsked(c, t, b)
	case aim:
		g.packets(c, wire.Client, parameter(x.target, "sid"), t, b)
	}
	if x.session == nil {
		return
	}
	g.polled(c, x.session, t)
	if n := len(c.asked); n > 0 {
		c.asked[n-1].session = x.session
	}
	if x.kind == msn {
		g.give(x.session, wire.Client, t, b)
	}
}

// answered takes an answer's body.
func (g *Gateways) answered(c *HTTP, t time.Time, b []byte) {
	x := c.answer
	c.answer = exchange{}
	switch {
	case x.kind == aim:
		g.packets(c, wire.Server, parameter(x.target, "sid"), t, b)
	case x.kind == bosh:
		g.boshAnswered(c, x.session, t, b)
	case x.session == nil:
	case x.kind == yahoo:
		if i := bytes.Index(b[:min(len(b), 12)], []byte("YMSG")); i >= 0 {
			b = b[i:]
		} else {
			b = nil
		}
		fallthrough
	default:
		g.polled(c, x.session, t)
		g.give(x.session, wire.Server, t, b)
	}
}

// msnAsked finds the session of a request to gateway.dll: its number is what
// stands before the point in SessionID.
func (g *Gateways) msnAsked(c *HTTP, target string, t time.Time) *session {
	if id, _, _ := strings.Cut(parameter(target, "SessionID"), "."); id != "" {
		return g.find(c, msn, id, t)
	}
	if strings.EqualFold(parameter(target, "Action"), "open") {
		return g.begin(c, msn, t, true)
	}
	return nil
}

// named reads the session's number, and its end, from an answer of MSN's.
func (g *Gateways) named(c *HTTP, h head) {
	value := h.get("x-msn-messenger")
	if c.answer.kind != msn || value == "" {
		return
	}
	id, over := "", false
	for part := range strings.SplitSeq(value, ";") {
		switch key, v, _ := strings.Cut(strings.TrimSpace(part), "="); key {
		case "SessionID":
			id, _, _ = strings.Cut(v, ".")
		case "Session":
			over = v == "close"
		}
	}
	s := c.answer.session
	switch {
	case s != nil && !s.over && s.key.id != id && id != "":
		g.name(s, id) // for the first time, or anew
	case s == nil && id != "":
		s = g.find(c, msn, id, h.at)
		c.answer.session = s
	}
	if s != nil && over {
		g.polled(c, s, h.at)
		g.end(s, h.at, wire.ClosedByServer)
	}
}

// yahooAsked finds the client's one session with Yahoo.
func (g *Gateways) yahooAsked(c *HTTP, t time.Time, b []byte) *session {
	i := bytes.Index(b[:min(len(b), 12)], []byte("YMSG"))
	if i < 0 {
		return nil
	}
	key := sessionKey{yahoo, c.opening.Ends[wire.Client].Addr(), "ymsg"}
	s := g.sessions[key]
	if s == nil {
		s = g.begin(c, yahoo, t, true)
		g.name(s, key.id)
	}
	g.give(s, wire.Client, t, b[i:])
	return s
}

// The packets of AIM's and ICQ's proxy: length u16 of what follows it, version
// u16, type u16, u32, the connection's number u32, data.
const (
	aimHeader  = 14
	aimVersion = 0x0443
	aimLogin   = 3
	aimFlap    = 5
	aimClose   = 6
)

// packets reads a body of AIM's proxy.
func (g *Gateways) packets(c *HTTP, side wire.Side, sid string, t time.Time, b []byte) {
	for len(b) >= aimHeader && sid != "" {
		n := 2 + int(binary.BigEndian.Uint16(b))
		if binary.BigEndian.Uint16(b[2:]) != aimVersion || n < aimHeader || n > len(b) {
			return
		}
		g.packet(c, side, sid, t, b[:n])
		b = b[n:]
	}
}

func (g *Gateways) packet(c *HTTP, side wire.Side, sid string, t time.Time, b []byte) {
	id := sid + "/" + string(b[10:aimHeader])
	key := sessionKey{aim, c.opening.Ends[wire.Client].Addr(), id}
	s := g.sessions[key]
	switch typ := binary.BigEndian.Uint16(b[4:]); {
	case typ == aimLogin && side == wire.Client: // a connection to a host and port
		s = g.begin(c, aim, t, true)
		g.name(s, id)
	case typ == aimFlap && s == nil:
		s = g.find(c, aim, id, t)
	case typ == aimClose && s != nil:
		g.end(s, t, wire.Closed)
		return
	}
	if s == nil {
		return
	}
	g.polled(c, s, t)
	if binary.BigEndian.Uint16(b[4:]) == aimFlap {
		g.give(s, side, t, b[aimHeader:])
	}
}

// parameter gives a value of a target's query; no value here has an escape.
func parameter(target, name string) string {
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}
