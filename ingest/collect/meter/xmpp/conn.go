// Package xmpp reads Jabber: client connections in clear tell of signing on,
// being online and leaving; behind STARTTLS only that somebody uses the
// service. Messages are passed over unread; passwords are not kept. The
// resource is never taken for a place, and servers among themselves are no
// users.
package xmpp

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall"
	"rollcall/ingest/collect/meter/secure"
	"rollcall/ingest/collect/meter/wire"
)

// Jabber is the service.
const Jabber rollcall.ServiceID = "jabber"

// Conn reads one connection.
type Conn struct {
	sink      wire.Sink
	opening   wire.Opening
	scan      [2]scanner
	packed    [2]*inflater    // by Side, after <compressed/>
	tls       *secure.Records // after <proceed/>
	hello     secure.HelloReader
	alone     bool // between two clients, or two servers, or a contact's: no user signs on here
	stay      wire.Stay
	domain    string
	mechanism string
	asked     string // the account that the sign-on names
	legacy    string // the id of a jabber:iq:auth request
	query     string // the id of the iq being read, if it sets something
	hiding    string // the id of a request to be invisible
	bounce    bool   // the message being read is an error
	accepted  bool
	holed     bool    // bytes are missing, of the sign-on perhaps
	refusal   refusal // the first, until the connection is over
	failures  int
	granted   time.Time // when the server let in somebody whom the sign-on did not name
	resumed   time.Time // when a session was taken up again
	used      rollcall.UnixMinute
	over      bool
}

// Open begins a connection.
func Open(sink wire.Sink, o wire.Opening) *Conn {
	c := &Conn{sink: sink, opening: o, stay: wire.Stay{Name: "XMPP"}}
	c.stay.Who.Service = Jabber
	c.alone = o.On(serverPort) || o.On(linkLocalPort) || o.Owner == wire.Others && o.Sided()
	for side := range c.scan {
		c.scan[side].lost = !o.Whole[side]
	}
	return c
}

// OpenFramed begins a connection whose elements stand for themselves, without
// a stream around them: those of WebSocket and of BOSH.
func OpenFramed(sink wire.Sink, o wire.Opening) wire.Dissector {
	c := Open(sink, o)
	for side := range c.scan {
		c.scan[side].frame()
	}
	return c
}

// Ports on which no client signs on: servers talk to each other on one, and on
// the other machines of one network, without a server (XEP-0174).
const (
	serverPort    = 5269
	linkLocalPort = 5298
)

// opens is the tag that opens a stream, whatever its prefix.
var opens = regexp.MustCompile(`^<(?:[A-Za-z_][\w.-]*:)?stream[\s>]`)

// Match says whether the first bytes of one direction are a client's XMPP, on
// whatever port.
func Match(head []byte, whole bool) wire.Verdict {
	head = bytes.TrimLeft(head, " \t\r\n\ufeff")
	if !whole {
		return midway(head)
	}
	if len(head) == 0 {
		return wire.More
	}
	if starts(head, "<?xml") {
		_, rest, closed := bytes.Cut(head, []byte("?>"))
		if !closed {
			return wire.More
		}
		head = bytes.TrimLeft(rest, " \t\r\n")
	}
	if !opens.Match(head) {
		if len(head) < 64 && starts(head, "<") && !bytes.ContainsAny(head, " \t\r\n>/") {
			return wire.More // a prefix, perhaps
		}
		return wire.No
	}
	return opened(head)
}

// opened decides by the attributes of a stream's opening tag.
func opened(head []byte) wire.Verdict {
	end := bytes.IndexByte(head, '>')
	if end < 0 {
		return wire.More
	}
	has := func(namespace string) bool { return bytes.Contains(head[:end], []byte(namespace)) }
	if has("jabber:client") || has("http://etherx.jabber.org/streams") && !has("jabber:server") && !has("jabber:component:") {
		return wire.Yes
	}
	return wire.No
}

// midway looks for a stanza at the start.
func midway(head []byte) wire.Verdict {
	verdict := wire.No
	for _, tag := range []string{"<iq ", "<presence ", "<presence>", "<presence/>", "<message "} {
		switch {
		case bytes.HasPrefix(head, []byte(tag)):
			return wire.Yes
		case starts(head, tag):
			verdict = wire.More
		}
	}
	return verdict
}

// starts reports whether the bytes may become the word.
func starts(b []byte, word string) bool {
	n := min(len(b), len(word))
	return string(b[:n]) == word[:n]
}

// Feed takes the next bytes of one side. An error says that they are no XMPP.
func (c *Conn) Feed(side wire.Side, t time.Time, data []byte) error {
	c.stay.Progress(c.sink, t)
	for len(data) > 0 {
		switch {
		case c.tls != nil:
			if side == wire.Client {
				c.tls.Client(t, data)
				c.greet(data)
			}
			return nil
		case c.packed[side] != nil:
			return c.inflate(side, t, data)
		}
		n, err := c.read(side, t, data)
		if err != nil {
			return err
		}
		data = data[n:]
		if c.scan[side].stop {
			return nil // until the other side has answered, or for good
		}
	}
	return nil
}

// greet reads the ClientHello after STARTTLS, for the name in it.
func (c *Conn) greet(data []byte) {
	if c.hello.Done {
		return
	}
	if c.hello.Feed(data); c.hello.Found && c.hello.Hello.Name != "" && c.sink.Named != nil {
		c.sink.Named(c.hello.Hello.Name)
	}
}

// read scans bytes of XML.
func (c *Conn) read(side wire.Side, t time.Time, data []byte) (int, error) {
	return c.scan[side].feed(t, data, func(e element) {
		switch {
		case c.over:
		case len(e.path) == 1:
			c.stream(side, e)
		case side == wire.Client:
			c.client(e)
		default:
			c.server(e)
		}
	})
}

// inflate unpacks and reads. What can't be unpacked is still somebody's
// session.
func (c *Conn) inflate(side wire.Side, t time.Time, data []byte) error {
	if c.scan[side].stop {
		return nil
	}
	var unread error
	err := c.packed[side].feed(data, func(plain []byte) error {
		_, unread = c.read(side, t, plain)
		return unread
	})
	switch {
	case unread != nil:
		return unread
	case c.packed[side].ended():
		c.unpacked(side)
	case err != nil:
		c.blind(side, t)
	}
	return nil
}

// unpacked ends the reading of a side's compressed bytes.
func (c *Conn) unpacked(side wire.Side) {
	c.packed[side].release()
	c.scan[side].stop, c.packed[side] = true, nil
}

// blind says that a side's compressed bytes can't be read from here on.
func (c *Conn) blind(side wire.Side, t time.Time) {
	c.unpacked(side)
	if c.accepted && !c.over {
		c.stay.Begin(t, "compressed")
	}
}

// compressed begins reading both sides through zlib, once.
func (c *Conn) compressed() {
	if c.packed[wire.Server] != nil {
		return
	}
	for side := range c.packed {
		c.packed[side] = &inflater{budget: c.sink.Budget}
	}
	c.scan[wire.Server].pause = true
}

// Gap says that bytes of one side are missing before the next ones.
func (c *Conn) Gap(side wire.Side, t time.Time) {
	switch {
	case c.tls != nil && side == wire.Client:
		c.tls.Gap(t)
	case c.packed[side] != nil:
		c.blind(side, t)
	}
	c.scan[side].gap()
	c.holed = true
	c.refusal = refusal{} // what followed it may have been among them
}

// End says that the connection is over at t, and why. Where its end was not seen,
// a refusal just before may have been followed by a login.
func (c *Conn) End(t time.Time, why wire.End) {
	for side := range c.packed {
		c.packed[side].release()
	}
	if c.tls != nil && !c.tls.Lasted(t) {
		c.stay.Forget()
	}
	if !why.Seen() && t.Sub(c.refusal.at) < wire.KeepAlive {
		c.refusal = refusal{}
	}
	c.leave(why.Last(t), why.String(), why.Seen())
}

// stream reads the stream's own tags.
func (c *Conn) stream(side wire.Side, e element) {
	switch {
	case e.name() != "stream":
	case e.end:
		c.leave(e.at, "end of stream", true)
	case side == wire.Client && e.attr("to") != "":
		if c.alone {
			c.asked = account(e.attr("from"))
		}
		c.domain = strings.ToLower(e.attr("to"))
	}
}

// client reads a tag of the client.
func (c *Conn) client(e element) {
	if e.end {
		c.clientEnd(e)
		return
	}
	switch at := strings.Join(e.path[1:], "/"); at {
	case "auth", "authenticate":
		c.mechanism = e.attr("mechanism")
	case "starttls":
		c.scan[wire.Client].stop = true // until the server has answered
	case "iq":
		c.query = ""
		if e.attr("type") == "set" {
			c.query = e.attr("id")
		}
	case "iq/query":
		if e.attr("xmlns") == "jabber:iq:auth" {
			c.legacy = c.query
		}
	case "iq/invisible": // XEP-0186
		c.hiding = c.query
	case "presence":
		c.presence(e)
	case "message":
		c.bounce = e.attr("type") == "error"
	case "message/body":
		if empty := strings.HasSuffix(e.tag, "/"); !c.bounce && !empty {
			c.talks(e.at)
		}
	}
}

// clientEnd reads the text of an element of the client.
func (c *Conn) clientEnd(e element) {
	switch at := strings.Join(e.path[1:], "/"); at {
	case "auth", "response", "authenticate/initial-response":
		if user := saslUser(c.mechanism, e.text); user != "" {
			c.ask(user)
		}
	case "iq/query/username":
		if c.legacy != "" && c.legacy == c.query {
			c.ask(unescape.Replace(e.text))
		}
	}
}

// ask notes who signs on.
func (c *Conn) ask(user string) {
	if !strings.Contains(user, "@") {
		user += "@" + c.domain
	}
	c.asked = account(user)
}

// presence reads a presence to nobody in particular: online, or gone.
func (c *Conn) presence(e element) {
	switch {
	case e.attr("to") != "":
	case e.attr("type") == "unavailable":
		c.stay.Leave(c.sink, e.at, "unavailable", false)
	case online(e.attr("type")) && c.accepted:
		c.stay.Begin(e.at, strings.TrimSpace("presence "+e.attr("type")))
	}
}

// online reports whether a type of presence is that of a user who is there: none,
// or the word that some clients say for it; hidden (XEP-0018) too.
func online(typ string) bool { return typ == "" || typ == "available" || typ == "invisible" }

// talks yields use, once a minute, of a user who has signed on; and of one who
// writes to a machine of the same network, where that is known to be the
// panelist.
func (c *Conn) talks(t time.Time) {
	if c.alone && c.opening.Owner == wire.Ours && c.opening.On(linkLocalPort) {
		c.stay.Who.Account = c.asked
	} else if !c.accepted || c.alone {
		return
	}
	if minute := rollcall.MinuteOf(t); c.used != minute {
		c.used = minute
		c.stay.Say(c.sink, rollcall.Use, t, "message sent")
	}
}

// server reads a tag of the server.
func (c *Conn) server(e element) {
	at := strings.Join(e.path[1:], "/")
	if e.end {
		switch at {
		case "iq/bind/jid", "success/authorization-identifier":
			c.bound(e)
		case "compressed":
			c.compressed()
		}
		return
	}
	switch at {
	case "proceed":
		c.hidden(e.at)
	case "resumed", "success/resumed":
		c.resumed = e.at
		c.takenUp()
	case "success":
		c.granted = e.at
		if c.asked != "" {
			c.accept(e.at, "SASL success")
		}
	case "failure":
		c.fail(e)
	case "failure/aborted":
		c.aborted()
	case "iq":
		c.answer(e)
		c.hides(e)
		c.alreadyOpen(e)
	case "presence", "message":
		c.alreadyOpen(e)
	}
}

// bound takes the account that the server gives.
func (c *Conn) bound(e element) {
	if who := account(unescape.Replace(e.text)); who != "" {
		c.asked = who
		c.accept(e.at, "bind")
		c.stay.Who.Account = who
	}
}

// accept yields the login, once.
func (c *Conn) accept(t time.Time, by string) {
	if c.accepted || c.alone {
		return
	}
	c.accepted = true
	c.stay.Who.Account = c.asked
	c.stay.Say(c.sink, rollcall.Login, t, by)
	c.takenUp()
}

// takenUp begins the stay of a session that is taken up again (XEP-0198):
// nothing is bound then, and no presence sent.
func (c *Conn) takenUp() {
	if c.accepted && !c.resumed.IsZero() {
		c.stay.Begin(c.resumed, "resumed")
	}
}

// fail reads a failure: of SASL; of STARTTLS, after which all goes on in clear;
// or of compression.
func (c *Conn) fail(e element) {
	switch {
	case c.scan[wire.Client].stop:
		c.scan[wire.Client].stop = false
	case strings.HasSuffix(e.attr("xmlns"), "/compress"):
	default:
		c.refused(e.at, "SASL failure")
	}
}

// refusal is a sign-on that the server has refused.
type refusal struct {
	at           time.Time // zero where there was none
	account, how string
	failure      int // which of the connection's it is
}

// refused notes a refusal. Clients try one mechanism after another, and people
// mistype: several on one connection are one, and with a login none.
func (c *Conn) refused(t time.Time, how string) {
	c.failures++
	if c.refusal.at.IsZero() && !c.accepted {
		c.refusal = refusal{t, c.asked, how, c.failures}
	}
}

// aborted drops the refusal just read: the client itself has given up.
func (c *Conn) aborted() {
	if c.refusal.failure == c.failures {
		c.refusal = refusal{}
	}
}

// sayRefused yields the refusal of a connection that is over.
func (c *Conn) sayRefused() {
	if r := c.refusal; !r.at.IsZero() && !c.accepted {
		c.stay.Who.Account = r.account
		c.stay.Say(c.sink, rollcall.LoginFailed, r.at, r.how)
	}
}

// answer reads the answer to jabber:iq:auth, as before SASL.
func (c *Conn) answer(e element) {
	if c.legacy == "" || e.attr("id") != c.legacy || c.accepted || c.asked == "" {
		return
	}
	switch e.attr("type") {
	case "result":
		c.accept(e.at, "iq:auth result")
	case "error":
		c.refused(e.at, "iq:auth error")
		c.legacy = ""
	}
}

// hides reads the answer to a request to be invisible, of a user who is there.
func (c *Conn) hides(e element) {
	if c.hiding == "" || e.attr("id") != c.hiding {
		return
	}
	c.hiding = ""
	if e.attr("type") == "result" && c.accepted {
		c.stay.Begin(e.at, "invisible")
	}
}

// alreadyOpen takes the account from what the server sends to it, where the
// sign-on was not seen or is in a gap, or named nobody and was followed by no bind. An
// error may be the refusal of a sign-on.
func (c *Conn) alreadyOpen(e element) {
	who := account(e.attr("to"))
	switch {
	case who == "" || c.alone || c.stay.Online() || c.accepted || !strings.Contains(e.attr("to"), "/") || e.attr("type") == "error":
	case !c.granted.IsZero() && !c.resumed.IsZero():
		c.asked = who
		c.accept(c.granted, "SASL success")
	case !c.opening.Whole[wire.Client]:
		c.stay.Who.Account, c.accepted = who, true
		c.stay.Begin(c.opening.Start, "stanza received, already open")
	case c.holed && (c.query == "" || e.attr("id") != c.query): // which may be the bind
		c.stay.Who.Account, c.accepted = who, true
		c.stay.Begin(e.at, "stanza received, after a gap")
	}
}

// hidden begins what is behind TLS: somebody is there, nobody knows who.
func (c *Conn) hidden(t time.Time) {
	c.scan[wire.Client].stop, c.scan[wire.Server].stop = true, true
	c.tls = &secure.Records{}
	c.stay.Who.Account = ""
	if !c.alone {
		c.stay.Begin(t, "STARTTLS")
	}
}

// leave ends the connection; a user gone unavailable before it logs out here.
func (c *Conn) leave(t time.Time, how string, seen bool) {
	if c.over {
		return
	}
	c.over = true
	c.sayRefused()
	online := c.stay.Online()
	c.stay.Leave(c.sink, t, how, seen)
	if seen && c.accepted && !online {
		c.stay.Say(c.sink, rollcall.Logout, t, "session closed: "+how)
	}
}

var digestUser = regexp.MustCompile(`(?:^|,)\s*username="((?:[^"\\]|\\.)*)"`)

// saslUser reads the user of a SASL message; the rest of it is forgotten.
func saslUser(mechanism, text string) string {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	defer clear(raw)
	switch {
	case mechanism == "PLAIN" || mechanism == "X-GOOGLE-TOKEN" || mechanism == "X-OAUTH2":
		if parts := bytes.Split(raw, []byte{0}); len(parts) == 3 {
			return string(parts[1])
		}
	case mechanism == "DIGEST-MD5":
		if m := digestUser.FindSubmatch(raw); m != nil {
			return string(m[1])
		}
	case strings.HasPrefix(mechanism, "HT-"): // FAST (XEP-0484)
		if user, _, ok := bytes.Cut(raw, []byte{0}); ok {
			return string(user)
		}
	case strings.HasPrefix(mechanism, "SCRAM-"):
		for part := range bytes.SplitSeq(raw, []byte{','}) {
			if user, ok := bytes.CutPrefix(part, []byte("n=")); ok {
				return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(string(user))
			}
		}
	}
	return ""
}

// account gives the bare address of a JID in lower case; anything else is none.
func account(jid string) string {
	bare, _, _ := strings.Cut(jid, "/")
	user, domain, ok := strings.Cut(bare, "@")
	if !ok || user == "" || domain == "" || len(bare) > 1023 || !utf8.ValidString(bare) {
		return ""
	}
	if strings.ContainsFunc(bare, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }) {
		return ""
	}
	return strings.ToLower(bare)
}
