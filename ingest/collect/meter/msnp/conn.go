// Package msnp reads MSN Messenger and Windows Live Messenger: the notification
// server's connection tells of signing on, being online and leaving;
// switchboards, where people talk, tell of use. What they say is passed over by
// its length, unread; tickets and hashes are not kept.
package msnp

import (
	"bytes"
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// MSN is the service.
const MSN rollcall.ServiceID = "msn"

// Conn reads one connection.
type Conn struct {
	sink      wire.Sink
	opening   wire.Opening
	scan      [2]scanner
	stay      wire.Stay
	board     bool // a switchboard
	asked     string
	version   int       // the protocol's, as agreed
	signedOn  bool      // the login was yielded
	challenge time.Time // when the server asked for the ticket; zero once the client has sent it
	turnedOff bool      // the refusal was yielded
	used      rollcall.UnixMinute
	over      bool
}

// Open begins a connection.
func Open(sink wire.Sink, o wire.Opening) *Conn {
	c := &Conn{sink: sink, opening: o, stay: wire.Stay{Name: "MSNP"}}
	c.stay.Who.Service = MSN
	for side := range c.scan {
		c.scan[side].lost = !o.Whole[side]
	}
	return c
}

// What the first bytes are: the version offer of either side; a switchboard's
// first line; and where the beginning was not seen, a line of a session.
var (
	versions = []byte("VER ")
	board    = regexp.MustCompile(`^(USR|ANS) \d+ [^ \r\n]+@[^ \r\n]+ [^\r\n]+\r\n`)
	midway   = regexp.MustCompile(`(?:^|\n)(?:PNG|QNG \d+|CHG \d+ (?:NLN|BSY|IDL|BRB|AWY|PHN|LUN|HDN)[^\r\n]*|(?:NLN \w{3}|FLN) [^ \r\n]+@[^\r\n]+)\r\n`)
)

// Match says whether the first bytes of one direction are MSNP, on whatever
// port.
func Match(head []byte, whole bool) wire.Verdict {
	if !whole {
		if midway.Match(head) {
			return wire.Yes
		}
		return wire.More
	}
	n := min(len(head), len(versions))
	if bytes.Equal(head[:n], versions[:n]) {
		return offer(head)
	}
	if n == len(versions) && !bytes.HasPrefix(head, []byte("USR ")) && !bytes.HasPrefix(head, []byte("ANS ")) ||
		!bytes.HasPrefix([]byte("USR "), head[:n]) && !bytes.HasPrefix([]byte("ANS "), head[:n]) {
		return wire.No
	}
	return wholeLine(head, board.Match)
}

// offer reads "VER 1 MSNP8 CVR0".
func offer(head []byte) wire.Verdict {
	return wholeLine(head, func(b []byte) bool { return bytes.Contains(b, []byte(" MSNP")) })
}

// wholeLine decides by the first line, once it is there.
func wholeLine(head []byte, is func([]byte) bool) wire.Verdict {
	i := bytes.IndexByte(head, '\n')
	switch {
	case i < 0 && len(head) > 256:
		return wire.No
	case i < 0:
		return wire.More
	case is(head[:i+1]):
		return wire.Yes
	}
	return wire.No
}

// Feed takes the next bytes of one side. An error says that they are no MSNP.
func (c *Conn) Feed(side wire.Side, t time.Time, data []byte) error {
	c.stay.Progress(c.sink, t)
	return c.scan[side].feed(t, data, func(l line) {
		if c.over {
			return
		}
		if side == wire.Client {
			c.client(l)
		} else {
			c.server(l)
		}
	})
}

// Gap says that bytes of one side are missing before the next ones. The answer
// to the challenge may have been among them.
func (c *Conn) Gap(side wire.Side, _ time.Time) {
	c.scan[side].gap()
	c.challenge = time.Time{}
}

// passport is how long Passport may take to refuse a password.
const passport = time.Minute

// End says that the connection is over at t, and why. A client whose password
// Passport has refused has no ticket to answer the challenge with, and closes:
// the one sign of it here. A server that closes, or a client that does so late,
// has refused nothing.
func (c *Conn) End(t time.Time, why wire.End) {
	asked := !c.challenge.IsZero() && t.Sub(c.challenge) <= passport
	if asked && why == wire.Closed && !c.over && c.opening.Whole == [2]bool{true, true} {
		c.refused(t, "closed after USR S, with no ticket")
	}
	c.leave(why.Last(t), why.String(), why.Seen())
}

// client reads a line of the client.
func (c *Conn) client(l line) {
	switch l.arg(0) {
	case "USR":
		c.signs(l)
	case "ANS":
		c.board, c.stay.Who.Account = true, account(l.arg(2))
	case "CVR":
		c.stay.Who.Client = strings.TrimSpace(printable(l.arg(6)) + " " + printable(l.arg(7)))
	case "MSG", "SDG", "UUM":
		c.talks(l)
	case "OUT":
		c.leave(l.at, "OUT", true)
	case "PNG":
		c.alreadyOpen("PNG")
	}
}

// signs reads "USR 3 TWN I mail" of a session, "USR 1 mail key" of a
// switchboard.
func (c *Conn) signs(l line) {
	switch {
	case strings.Contains(l.arg(2), "@"):
		c.board, c.stay.Who.Account = true, account(l.arg(2))
	case l.arg(3) == "I" && !c.signedOn:
		c.asked = account(l.arg(4))
	case l.arg(3) == "S":
		c.challenge = time.Time{} // answered
	}
}

// talks yields use, once a minute: for what a person wrote. On a switchboard
// that is a MSG asking for acknowledgement of all (A) or of failures (N); U is
// typing, D what the client sends by itself. Since MSNP15 a text may go to
// another network by UUM of type 1, since MSNP21 all go by SDG.
func (c *Conn) talks(l line) {
	how := ""
	switch kind := l.arg(2); {
	case l.arg(0) == "MSG" && c.board && (kind == "N" || kind == "A") && l.text:
		how = "MSG sent on a switchboard"
	case l.arg(0) == "UUM" && l.arg(4) == "1" && c.signedOn:
		how = "UUM sent"
	case l.arg(0) == "SDG" && l.text && c.signedOn:
		how = "SDG sent"
	}
	if minute := rollcall.MinuteOf(l.at); how != "" && c.used != minute {
		c.used = minute
		c.stay.Say(c.sink, rollcall.Use, l.at, how)
	}
}

// server reads a line of the server. NLN, ILN and FLN are contacts.
func (c *Conn) server(l line) {
	switch l.arg(0) {
	case "VER":
		c.agreed(l.arg(2))
	case "USR":
		c.answers(l)
	case "XFR":
		c.challenge = time.Time{} // sent on to another server
	case "911":
		c.refused(l.at, "911")
	case "CHG":
		c.online(l)
	case "OUT":
		c.leave(l.at, strings.TrimSpace("OUT "+printable(l.arg(1))), true)
	case "QNG":
		c.alreadyOpen("QNG")
	}
}

// answers reads "USR 3 TWN S challenge" and "USR 4 OK mail".
func (c *Conn) answers(l line) {
	switch {
	case c.board || c.signedOn: // since MSNP18 a later USR OK is of a circle
	case l.arg(2) == "OK":
		c.challenge, c.signedOn = time.Time{}, true
		c.stay.Who.Account = account(l.arg(3))
		c.stay.Say(c.sink, rollcall.Login, l.at, "USR OK")
		if c.version >= withoutCHG {
			c.stay.Begin(l.at, "USR OK")
		}
	case l.arg(3) == "S" && c.asked != "":
		c.challenge = l.at
	}
}

// withoutCHG is the first version in which a user is online without CHG.
const withoutCHG = 21

// agreed reads the version that the server has chosen.
func (c *Conn) agreed(version string) {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "MSNP"))
	if err == nil {
		c.version = n
	}
}

// online reads "CHG id state": in every state, hidden too, the user is there.
func (c *Conn) online(l line) {
	if c.board {
		return
	}
	if c.stay.Who.Account == "" && c.asked == "" {
		c.alreadyOpen("CHG")
		return
	}
	c.stay.Who.Account = cmp.Or(c.stay.Who.Account, c.asked) // USR OK was in a gap
	c.stay.Begin(l.at, "CHG "+printable(l.arg(2)))
}

// alreadyOpen begins a stay whose sign-on was not seen.
func (c *Conn) alreadyOpen(by string) {
	if !c.board && c.asked == "" && c.stay.Who.Account == "" {
		c.stay.Begin(c.opening.Start, by+", already open")
	}
}

// refused yields a failed sign-on, once.
func (c *Conn) refused(t time.Time, how string) {
	c.challenge = time.Time{}
	if c.turnedOff || c.signedOn {
		return
	}
	c.turnedOff = true
	who := c.stay.Who.Account
	c.stay.Who.Account = c.asked
	c.stay.Say(c.sink, rollcall.LoginFailed, t, how)
	c.stay.Who.Account = who
}

func (c *Conn) leave(t time.Time, how string, seen bool) {
	if !c.over {
		c.stay.Leave(c.sink, t, how, seen)
	}
	c.over = true
}

// account normalises an address; anything else is none.
func account(mail string) string {
	mail, _, _ = strings.Cut(mail, ";") // ";{machine}" since MSNP16
	if len(mail) > 255 || !strings.Contains(mail, "@") || printable(mail) == "" {
		return ""
	}
	return strings.ToLower(mail)
}

// printable gives a word of printable ASCII, cut to 64 bytes for a client's
// name; anything else gives "".
func printable(s string) string {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return s[:min(len(s), 64)]
}
