// Package ymsg reads Yahoo! Messenger: who signed on, was refused, was online
// and left. Messages are passed over by their length, unread; hashes and
// cookies are not kept.
package ymsg

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/wire"
)

// Yahoo is the service.
const Yahoo rollcall.ServiceID = "yahoo"

// refusal is the status of an answer that refuses, or of a logoff by force.
const refusal = 0xFFFFFFFF

// Conn reads one connection.
type Conn struct {
	sink     wire.Sink
	opening  wire.Opening
	scan     [2]scanner
	stay     wire.Stay
	accepted time.Time
	used     rollcall.UnixMinute
	refused  bool
	peers    bool // two clients talk here, and no server
	over     bool
}

// peerPort is where clients wait for each other.
const peerPort = 5101

// Open begins a connection.
func Open(sink wire.Sink, o wire.Opening) *Conn {
	c := &Conn{sink: sink, opening: o, peers: o.On(peerPort), stay: wire.Stay{Name: "YMSG"}}
	c.stay.Who.Service = Yahoo
	for side := range c.scan {
		c.scan[side].holed = !o.Whole[side]
	}
	return c
}

// Match says whether the first bytes of one direction are YMSG, on whatever
// port.
func Match(head []byte, whole bool) wire.Verdict {
	n := min(len(head), len(magic))
	switch {
	case !whole && bytes.Contains(head, magic):
		return wire.Yes
	case whole && !bytes.Equal(head[:n], magic[:n]):
		return wire.No
	case whole && n == len(magic):
		return wire.Yes
	}
	return wire.More
}

// Feed takes the next bytes of one side. An error says that they are no YMSG.
func (c *Conn) Feed(side wire.Side, t time.Time, data []byte) error {
	c.stay.Progress(c.sink, t)
	return c.scan[side].feed(t, data, func(p *packet) {
		unknown := c.opening.Sided() && c.accepted.IsZero() && c.stay.Who.Account == ""
		c.peers = c.peers || p.service == peer && unknown // a session's own 4F goes by the server
		if c.over || c.peers {
			return // a contact's stream, or one to a contact: whose, nothing says
		}
		if side == wire.Client {
			c.client(p)
		} else {
			c.server(p)
		}
	})
}

// Gap says that bytes of one side are missing before the next ones.
func (c *Conn) Gap(side wire.Side, _ time.Time) { c.scan[side].gap() }

// End says that the connection is over at t, and why.
func (c *Conn) End(t time.Time, why wire.End) { c.leave(why.Last(t), why.String(), why.Seen()) }

// client reads a packet of the client.
func (c *Conn) client(p *packet) {
	switch p.service {
	case challenge:
		c.is(p, "1")
	case response:
		c.is(p, "0")
	case keepAlive:
		c.is(p, "0")
		if c.accepted.IsZero() {
			c.stay.Begin(c.opening.Start, "8A, already open")
		}
	case message:
		c.talks(p.at)
	case logoff:
		c.leave(p.at, "02", true)
	}
}

// is takes the user's identity; key 1 elsewhere is an alias of it.
func (c *Conn) is(p *packet, key string) {
	if name, ok := p.value(key); ok && account(name) != "" {
		c.stay.Who.Account = account(name)
	}
}

// talks yields use, once a minute, of a user who has signed on, or whose
// sign-on was not to be seen.
func (c *Conn) talks(t time.Time) {
	signedOn := !c.accepted.IsZero() || c.stay.Online() || !c.opening.Sided()
	if minute := rollcall.MinuteOf(t); signedOn && c.used != minute {
		c.used = minute
		c.stay.Say(c.sink, rollcall.Use, t, "06 message sent")
	}
}

// server reads a packet of the server. Key 7 in 01 and 02 is a contact.
func (c *Conn) server(p *packet) {
	switch p.service {
	case response:
		if p.status == refusal && !c.refused && c.accepted.IsZero() {
			c.refused = true
			code, _ := p.value("66")
			c.stay.Say(c.sink, rollcall.LoginFailed, p.at, fmt.Sprintf("54 refused: error %.8s", account(code)))
		}
	case list:
		c.accept(p.at, "55")
	case list15, statuses:
		c.accept(p.at, "F1 or F0")
	case logon:
		if _, own := p.value("1"); own {
			c.accept(p.at, "01")
			c.stay.Begin(p.at, "01")
		}
	case logoff:
		if _, contact := p.value("7"); !contact && p.status == refusal {
			c.leave(p.at, "02, signed on elsewhere", true)
		}
	}
}

// accept yields the login, once; a session whose beginning was not seen has
// none.
func (c *Conn) accept(t time.Time, by string) {
	if !c.accepted.IsZero() || c.stay.Who.Account == "" || c.stay.Online() {
		return
	}
	c.accepted = t
	c.stay.Say(c.sink, rollcall.Login, t, by+" accepted")
}

// leave ends the stay; an accepted user of whom no 01 was seen was there too.
func (c *Conn) leave(t time.Time, how string, seen bool) {
	if c.over {
		return
	}
	c.over = true
	if c.peers {
		return
	}
	if !c.accepted.IsZero() {
		c.stay.Begin(c.accepted, "its list")
	}
	c.stay.Leave(c.sink, t, how, seen)
}

// account normalises an identity; bytes that are no printable ASCII are none.
func account(name string) string {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	if len(name) > 255 {
		return ""
	}
	return strings.ToLower(name)
}
