package oscar

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// role is what a connection is for.
type role uint8

const (
	unknown   role = iota
	session        // BOS: the user's presence
	secondary      // chat, icons, directory: no presence of its own
)

// Conn reads one connection.
type Conn struct {
	sessions *Sessions
	opening  wire.Opening
	scan     [2]scanner
	role     role
	name     string // as asked for, granted or told; the latest
	client   string
	messages bool // family 4 is asked, or served
	told     bool // the name is the server's own word, in 01/0F
	begun    bool // a hello was seen: the connection opened in view
	oldStyle bool // name and password were in the hello
	settled  bool // the sign-on was answered
	holed    bool // the client's 01/02 may have been in a gap
	moved    bool // the server has sent the session on to another connection
	cookie   cookie
	fresh    bool      // the cookie is one that was never given in view
	held     time.Time // of the sign-on by e-mail address that gave the cookie
	stay     wire.Stay
	ended    bool
}

// Feed takes the next bytes of one side. An error says that they are no OSCAR;
// the connection can't be read any further then.
func (c *Conn) Feed(side wire.Side, t time.Time, data []byte) error {
	c.progress(t)
	return c.scan[side].feed(t, data, func(f *frame) error { return c.frame(side, f) })
}

// Gap says that bytes of one side are missing before those of t. What the
// client sent in it may have been its 01/02.
func (c *Conn) Gap(side wire.Side, t time.Time) {
	c.scan[side].gap()
	c.holed = c.holed || side == wire.Client
	if name := c.who(); name != "" && c.role == session {
		_, name = Account(name)
		c.sessions.missed(name, t)
	}
}

// End says that the connection is over at t, and why.
func (c *Conn) End(t time.Time, why wire.End) { c.leave(why.Last(t), why.String(), why.Seen()) }

// frame reads one frame of a side.
func (c *Conn) frame(side wire.Side, f *frame) error {
	if f.channel == snac {
		c.learn(f.family)
		c.stillThere(f)
	}
	if f.body == nil || c.ended {
		return nil
	}
	switch f.channel {
	case signOn:
		return c.hello(f)
	case signOff:
		return c.goodbye(side, f)
	}
	body, err := snacBody(f.body)
	if err != nil {
		return err
	}
	if c.opening.Sided() && side != f.sender() {
		return nil
	}
	err = c.snac(f, body)
	c.signedOn(f.at)
	return err
}

// stillThere takes what only comes to a user who is online, contacts coming and
// going and messages, for the 01/02 that was in a gap.
func (c *Conn) stillThere(f *frame) {
	arrived := f.family == buddy && (f.subtype == 0x0B || f.subtype == 0x0C) || f.family == icbm && (f.subtype == 6 || f.subtype == 7)
	if c.holed && arrived && c.role == session && c.begun {
		c.online(f.at, "after a gap")
	}
}

// signedOn yields the login that only the session itself shows: of an e-mail
// address that has got its name; or of a cookie that was given out of sight, and
// then it was just before the session began.
func (c *Conn) signedOn(t time.Time) {
	if !c.told || c.role != session {
		return
	}
	if !c.held.IsZero() {
		c.say(rollcall.Login, c.held, c.name, "17/03 accepted, named by 01/0F")
		c.held = time.Time{}
	}
	if !c.fresh || !c.messages {
		return
	}
	c.fresh = false
	_, late := c.sessions.cookies[c.cookie] // the answer that gave it was read after the session's hello
	_, name := Account(c.name)
	if !late && !c.sessions.continues(name, t) {
		c.say(rollcall.Login, c.opening.Start, c.name, "01/0F after a cookie given out of sight")
		c.sessions.put(c.cookie, grant{service: session, name: c.name, client: c.client, counted: true})
	}
}

// sender gives the side that sends such a SNAC.
func (f *frame) sender() wire.Side {
	if f.is(oservice, clientOnline) || f.is(bucp, loginRequest) || f.is(bucp, challengeRequest) {
		return wire.Client
	}
	return wire.Server
}

func (c *Conn) snac(f *frame, body []byte) error {
	switch {
	case f.is(bucp, loginRequest), f.is(bucp, challengeRequest):
		return c.asked(body)
	case f.is(bucp, loginReply):
		return c.answered(f.at, body, "17/03")
	case f.is(oservice, hostOnline):
		c.serves(families(body))
	case f.is(oservice, serviceResponse):
		return c.redirected(body)
	case f.is(oservice, migrate):
		return c.sentOn(body)
	case f.is(oservice, clientOnline):
		c.online(f.at, "01/02")
	case f.is(oservice, selfInfo):
		c.named(body)
	}
	return nil
}

// hello reads a sign-on: a cookie, or in the old style a name and a password.
// The server's has neither.
func (c *Conn) hello(f *frame) error {
	if len(f.body) < 4 {
		return errShort
	}
	c.begun = true
	b := block(f.body[4:])
	if err := b.check(); err != nil {
		return err
	}
	if secret, ok := b.find(tlvCookie); ok {
		c.cookie = cookie(sha256.Sum256(secret))
		_, known := c.sessions.cookies[c.cookie]
		c.fresh = !known && c.opening.Whole == [2]bool{true, true}
		c.granted()
		return nil
	}
	if _, ok := b.find(tlvPassword); ok {
		c.oldStyle = true
		return c.asked(b)
	}
	return nil
}

// granted takes what the server said of the cookie, if that was seen.
func (c *Conn) granted() {
	g, ok := c.sessions.cookies[c.cookie]
	if !ok || c.cookie == (cookie{}) {
		return
	}
	if c.role == unknown {
		c.role = g.service
	}
	c.fresh = false
	c.name, c.client = cmp.Or(c.name, g.name), cmp.Or(c.client, g.client)
	if !g.held.IsZero() {
		c.held, g.held = g.held, time.Time{}
		c.sessions.cookies[c.cookie] = g
	}
}

// asked reads the name and the client of a request to sign on.
func (c *Conn) asked(b block) error {
	if err := b.check(); err != nil {
		return err
	}
	c.name = cmp.Or(b.text(tlvName), c.name)
	c.client = cmp.Or(b.text(tlvClient), c.client)
	return nil
}

// answered reads the answer to a request to sign on; said twice it is one.
func (c *Conn) answered(t time.Time, b block, where string) error {
	if err := b.check(); err != nil {
		return err
	}
	name := cmp.Or(b.text(tlvName), c.name)
	secret, granted := b.find(tlvCookie)
	_, address := b.find(tlvAddress)
	code, refused := b.find(tlvError)
	switch {
	case c.settled:
	case granted && address:
		c.settled = true
		c.accepted(t, secret, name, where)
	case refused && byMail(name):
		c.settled = true
		c.sessions.sink.Unnamed()
	case refused:
		c.settled = true
		c.say(rollcall.LoginFailed, t, name, fmt.Sprintf("%s refused: error %x", where, code[:min(len(code), 2)]))
	}
	return nil
}

// accepted takes the cookie that the session is opened with.
func (c *Conn) accepted(t time.Time, secret []byte, name, where string) {
	if c.sessions.cookies[sha256.Sum256(secret)].counted {
		return // it had to wait for bytes that came late, or never
	}
	g := grant{service: session, name: name, client: c.client}
	if byMail(name) {
		g.held = t // AIM's or ICQ's, and whose, is seen in the session
	}
	c.sessions.remember(secret, g)
	if !byMail(name) {
		c.say(rollcall.Login, t, name, where+" accepted: session address and cookie")
	}
}

// byMail reports whether the name is an e-mail address: of one person, whom the
// service knows by another name.
func byMail(name string) bool { return strings.Contains(name, "@") }

// who gives the name by which the service knows the user, if that is seen.
func (c *Conn) who() string {
	if byMail(c.name) && !c.told {
		return ""
	}
	return c.name
}

// goodbye reads a sign-off, in the old style also the answer to a sign-on.
func (c *Conn) goodbye(side wire.Side, f *frame) error {
	if c.oldStyle && side == wire.Server {
		return c.answered(f.at, f.body, "channel 4")
	}
	c.leave(f.at, "channel 4", true)
	return nil
}

// serves settles the connection's role by the families that it serves: a
// session has messages (4), a secondary service has not.
func (c *Conn) serves(list []uint16) {
	if slices.Contains(list, icbm) {
		c.role, c.messages = session, true
		return
	}
	if len(list) > 0 {
		c.role = secondary
		c.stay.Forget()
	}
}

// learn infers the role from a frame's family, where the server's list was
// not seen.
func (c *Conn) learn(family uint16) {
	c.messages = c.messages || family == icbm
	if c.role != unknown {
		return
	}
	switch family {
	case locate, buddy, icbm, feedbag:
		c.role = session
	case chatNav, chat, icons:
		c.role = secondary
		c.stay.Forget()
	}
}

// redirected reads the cookie of a secondary service.
func (c *Conn) redirected(b block) error {
	if err := b.check(); err != nil {
		return err
	}
	if secret, ok := b.find(tlvCookie); ok {
		c.sessions.remember(secret, grant{service: secondary})
	}
	return nil
}

// sentOn reads a migration: families, u16 their number first, then the address
// and the cookie of the connection on which the session goes on.
func (c *Conn) sentOn(body []byte) error {
	if len(body) < 2 {
		return errShort
	}
	n := 2 + 2*int(binary.BigEndian.Uint16(body))
	if len(body) < n {
		return errShort
	}
	b := block(body[n:])
	if err := b.check(); err != nil {
		return err
	}
	if secret, ok := b.find(tlvCookie); ok {
		c.moved = true
		c.sessions.remember(secret, grant{service: session, name: c.who(), client: c.client})
	}
	return nil
}

// named reads the user's own name, u8 length first. Where the beginning was not
// seen it is also the sign of a session already open.
func (c *Conn) named(body []byte) {
	if len(body) == 0 || len(body)-1 < int(body[0]) {
		return
	}
	if name := text(body[1 : 1+int(body[0])]); name != "" {
		c.name, c.told = name, true
	}
	if !c.begun {
		c.online(c.opening.Start, "01/0F, already open")
	}
}

// online begins the presence, once.
func (c *Conn) online(t time.Time, how string) {
	c.granted()
	if c.role != secondary {
		c.stay.Begin(t, how)
	}
}

// progress yields the pieces of a long presence that t completes.
func (c *Conn) progress(t time.Time) {
	if !c.stay.Due(c.sessions.sink, t) {
		return // it is asked with every segment
	}
	if name := c.who(); c.role == session && name != "" {
		c.is(name)
		c.stay.Progress(c.sessions.sink, t)
	}
}

// leave ends the presence; seen says that its end was on the wire.
func (c *Conn) leave(t time.Time, how string, seen bool) {
	if c.ended {
		return
	}
	c.ended = true
	if c.role == unknown && c.name != "" {
		c.role = session // nothing spoke for a secondary service
	}
	if c.role != session {
		return
	}
	name := c.who()
	if name == "" {
		if !c.begun || c.stay.Online() {
			c.sessions.sink.Unnamed()
		}
		return
	}
	c.is(name)
	c.stay.Leave(c.sessions.sink, t, how, seen && !c.moved)
}

// is says who the connection's sightings are of.
func (c *Conn) is(name string) {
	c.stay.Who.Service, c.stay.Who.Account = Account(name)
	c.stay.Who.Client = c.client
}

// say yields a sighting of the name, if there is one.
func (c *Conn) say(kind rollcall.Kind, t time.Time, name, evidence string) {
	if _, known := Account(name); known == "" {
		c.sessions.sink.Unnamed()
		return
	}
	c.is(name)
	c.stay.Say(c.sessions.sink, kind, t, evidence)
}
