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
	"rollcall/ingest/collect/meter/wire"
)

// Jabber is the service.
const Jabber rollcall.ServiceID = "jabber"

// Conn reads one connection.
type Conn struct {
	sink      wire.Sink
	opening   wire.Opening
	scan      [2]scanner
	stay      wire.Stay
	domain    string
	mechanism string
	asked     string // the account that the sign-on names
	legacy    string // the id of a jabber:iq:auth request
	query     string // the id of the iq being read, if it sets something
	accepted  bool
	used      rollcall.UnixMinute
	over      bool
}

// Open begins a connection.
func Open(sink wire.Sink, o wire.Opening) *Conn {
	c := &Conn{sink: sink, opening: o, stay: wire.Stay{Name: "XMPP"}}
	c.stay.Who.Service = Jabber
	for side := range c.scan {
		c.scan[side].lost = !o.Whole[side]
	}
	return c
}

// Match says whether the first bytes of one direction are a client's XMPP, on
// whatever port.
func Match(head []byte, whole bool) wire.Verdict {
	head = bytes.TrimLeft(head, " \t\r\n\ufeff")
	if !whole {
		return midway(head)
	}
	if !starts(head, "<?xml") && !starts(head, "<stream:stream") {
		return wire.No
	}
	i := bytes.Index(head, []byte("<stream:stream"))
	if i < 0 || bytes.IndexByte(head[i:], '>') < 0 {
		return wire.More
	}
	if bytes.Contains(head[i:], []byte("jabber:client")) {
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

// Gap says that bytes of one side are missing before the next ones.
func (c *Conn) Gap(side wire.Side, _ time.Time) { c.scan[side].gap() }

// End says that the connection is over at t, and why.
func (c *Conn) End(t time.Time, why wire.End) { c.leave(t, why.String(), why.Seen()) }

// stream reads the stream's own tags.
func (c *Conn) stream(side wire.Side, e element) {
	switch {
	case e.name() != "stream":
	case e.end:
		c.leave(e.at, "end of stream", true)
	case side == wire.Client && e.attr("to") != "":
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
	case "presence":
		c.presence(e)
	case "message/body":
		c.talks(e.at)
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
	case e.attr("type") == "" && c.accepted:
		c.stay.Begin(e.at, "presence")
	}
}

// talks yields use, once a minute.
func (c *Conn) talks(t time.Time) {
	if minute := rollcall.MinuteOf(t); c.used != minute {
		c.used = minute
		c.stay.Say(c.sink, rollcall.Use, t, "message sent")
	}
}

// server reads a tag of the server.
func (c *Conn) server(e element) {
	at := strings.Join(e.path[1:], "/")
	if e.end {
		if at == "iq/bind/jid" || at == "success/authorization-identifier" {
			c.bound(e)
		}
		return
	}
	switch at {
	case "proceed":
		c.hidden(e.at)
	case "success":
		if c.asked != "" {
			c.accept(e.at, "SASL success")
		}
	case "failure":
		c.fail(e)
	case "iq":
		c.answer(e)
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
	if c.accepted {
		return
	}
	c.accepted = true
	c.stay.Who.Account = c.asked
	c.stay.Say(c.sink, rollcall.Login, t, by)
}

// fail reads a failure: of SASL, or of STARTTLS, after which all goes on in
// clear.
func (c *Conn) fail(e element) {
	if c.scan[wire.Client].stop {
		c.scan[wire.Client].stop = false
		return
	}
	c.refused(e.at, "SASL failure")
}

func (c *Conn) refused(t time.Time, how string) {
	c.stay.Who.Account = c.asked
	c.stay.Say(c.sink, rollcall.LoginFailed, t, how)
	c.stay.Who.Account = ""
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

// alreadyOpen takes the account from what the server sends to it, where the
// sign-on was not seen.
func (c *Conn) alreadyOpen(e element) {
	if c.opening.Whole[wire.Client] || c.stay.Online() || c.accepted || !strings.Contains(e.attr("to"), "/") {
		return
	}
	if who := account(e.attr("to")); who != "" {
		c.stay.Who.Account, c.accepted = who, true
		c.stay.Begin(c.opening.Start, "stanza received, already open")
	}
}

// hidden begins what is behind TLS: somebody is there, nobody knows who.
func (c *Conn) hidden(t time.Time) {
	c.scan[wire.Client].stop, c.scan[wire.Server].stop = true, true
	c.stay.Who.Account = ""
	c.stay.Begin(t, "STARTTLS")
}

// leave ends the connection; a user gone unavailable before it logs out here.
func (c *Conn) leave(t time.Time, how string, seen bool) {
	if c.over {
		return
	}
	c.over = true
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
	case mechanism == "PLAIN":
		if parts := bytes.Split(raw, []byte{0}); len(parts) == 3 {
			return string(parts[1])
		}
	case mechanism == "DIGEST-MD5":
		if m := digestUser.FindSubmatch(raw); m != nil {
			return string(m[1])
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
