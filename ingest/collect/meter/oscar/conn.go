package oscar

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
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
	begun    bool // a hello was seen: the connection opened in view
	oldStyle bool // name and password were in the hello
	cookie   cookie
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
// client sent in it may have been its 01/02, so a session counts from there.
func (c *Conn) Gap(side wire.Side, t time.Time) {
	c.scan[side].gap()
	if side == wire.Client && c.role == session && c.name != "" {
		c.online(t, "a gap in the capture")
	}
}

// End says that the connection is over at t, and why.
func (c *Conn) End(t time.Time, why wire.End) { c.leave(t, why.String(), why.Seen()) }

// frame reads one frame of a side.
func (c *Conn) frame(side wire.Side, f *frame) error {
	if f.channel == snac {
		c.learn(f.family)
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
	return c.snac(f, body)
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
	case f.is(oservice, clientOnline):
		c.online(f.at, "01/02")
	case f.is(oservice, selfInfo):
		c.told(body)
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
	c.name, c.client = cmp.Or(c.name, g.name), cmp.Or(c.client, g.client)
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

// answered reads the answer to a request to sign on.
func (c *Conn) answered(t time.Time, b block, where string) error {
	if err := b.check(); err != nil {
		return err
	}
	name := cmp.Or(b.text(tlvName), c.name)
	secret, granted := b.find(tlvCookie)
	_, address := b.find(tlvAddress)
	if granted && address {
		c.sessions.remember(secret, grant{service: session, name: name, client: c.client})
		c.say(rollcall.Login, t, name, where+" accepted: session address and cookie")
		return nil
	}
	if code, refused := b.find(tlvError); refused {
		c.say(rollcall.LoginFailed, t, name, fmt.Sprintf("%s refused: error %x", where, code[:min(len(code), 2)]))
	}
	return nil
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
		c.role = session
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

// told reads the user's own name, u8 length first. Where the beginning was not
// seen it is also the sign of a session already open.
func (c *Conn) told(body []byte) {
	if len(body) == 0 || len(body)-1 < int(body[0]) {
		return
	}
	c.name = cmp.Or(text(body[1:1+int(body[0])]), c.name)
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
	if c.role == session && c.name != "" {
		c.is(c.name)
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
	if c.name == "" {
		if !c.begun || c.stay.Online() {
			c.sessions.sink.Unnamed()
		}
		return
	}
	c.is(c.name)
	c.stay.Leave(c.sessions.sink, t, how, seen)
}

// is says who the connection's sightings are of.
func (c *Conn) is(name string) {
	c.stay.Who.Service, c.stay.Who.Account = account(name)
	c.stay.Who.Client = c.client
}

// say yields a sighting of the name, if there is one.
func (c *Conn) say(kind rollcall.Kind, t time.Time, name, evidence string) {
	if _, known := account(name); known == "" {
		c.sessions.sink.Unnamed()
		return
	}
	c.is(name)
	c.stay.Say(c.sessions.sink, kind, t, evidence)
}
