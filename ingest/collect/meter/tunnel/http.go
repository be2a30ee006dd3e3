package tunnel

import (
	"bytes"
	"strings"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// MatchHTTP says whether the first bytes of a direction are a client's HTTP/1.
func MatchHTTP(b []byte, whole bool) wire.Verdict {
	if !whole || len(b) == 0 || !startLine(b) || b[0] == 'H' && bytes.HasPrefix([]byte("HTTP/1."), b[:min(len(b), 7)]) {
		return wire.No
	}
	i := bytes.IndexByte(b, '\n')
	switch {
	case i < 0 && len(b) > headMost/4:
		return wire.No
	case i < 0:
		return wire.More
	case bytes.Contains(b[:i], []byte(" HTTP/1.")):
		return wire.Yes
	}
	return wire.No
}

// asking is how many requests may wait for their answers.
const asking = 64

// exchange is a request that has no answer yet.
type exchange struct {
	kind    kind
	head    bool     // HEAD: the answer has no body
	xmpp    bool     // a WebSocket's subprotocol
	session *session // whom its answer is for, once that is known
	target  string
}

// HTTP reads one connection.
type HTTP struct {
	hub     *Gateways
	opening wire.Opening
	parse   [2]parser
	asked   []exchange
	answer  exchange // the one being answered
	reading exchange // the request whose body is being read
	inner   wire.Dissector
	carries map[*session]bool
	dead    bool // what follows is of no interest
}

// Feed takes the next bytes of one side. An error says that they are no HTTP.
func (c *HTTP) Feed(side wire.Side, t time.Time, data []byte) error {
	switch {
	case c.dead:
		return nil
	case c.inner != nil:
		return c.inner.Feed(side, t, data)
	}
	if err := c.parse[side].feed(t, data, &direction{c, side}); err != nil {
		return err
	}
	if c.inner != nil && c.parse[wire.Server].phase == paused { // what follows the grant in the same bytes
		if waited := c.parse[wire.Server].resume(); len(waited) > 0 {
			return c.inner.Feed(wire.Server, t, waited)
		}
	}
	return nil
}

// Gap says that bytes of one side are missing: requests and answers can't be
// paired across it.
func (c *HTTP) Gap(side wire.Side, t time.Time) {
	if c.inner != nil {
		c.inner.Gap(side, t)
		return
	}
	for s := range c.carries {
		s.gap(side, t)
	}
	c.parse[side].gap()
	c.asked, c.answer = nil, exchange{}
	if side == wire.Server && c.parse[wire.Client].phase == paused {
		c.dead = true // whether the tunnel was granted is not known
	}
}

// End says that the connection is over.
func (c *HTTP) End(t time.Time, why wire.End) {
	if c.inner != nil {
		c.inner.End(t, why)
	}
	if p := &c.parse[wire.Server]; p.phase == toTheEnd && why.FIN() {
		_ = p.finish(t, &direction{c, wire.Server})
	}
	for s := range c.carries {
		c.hub.leave(s, t, why)
	}
	c.carries = nil
}

// direction is a side of the connection being read.
type direction struct {
	*HTTP
	side wire.Side
}

// head reads a head.
func (d *direction) head(h head) (plan, error) {
	if d.side == wire.Client {
		return d.request(h)
	}
	return d.answered(h)
}

// request reads a request's head.
func (c *HTTP) request(h head) (plan, error) {
	method, target, version := h.words()
	if !strings.HasPrefix(version, "HTTP/1.") {
		return plan{}, errFrame
	}
	x := exchange{kind: kindOf(method, target, &h), head: method == "HEAD", target: target}
	x.xmpp = x.kind == upgrade && offers(h.list("sec-websocket-protocol"), "xmpp")
	if len(c.asked) < asking {
		c.asked = append(c.asked, x)
	}
	if x.kind == connect || x.kind == upgrade {
		return plan{pause: true}, nil
	}
	c.reading = x
	return plan{wanted: x.kind != plain, none: method == "GET" && h.get("content-length") == ""}, nil
}

// offers reports whether a list has the word.
func offers(list, word string) bool {
	for each := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(each) == word {
			return true
		}
	}
	return false
}

// answered reads an answer's head.
func (c *HTTP) answered(h head) (plan, error) {
	version, status, _ := h.words()
	if !strings.HasPrefix(version, "HTTP/1.") || len(status) != 3 {
		return plan{}, errFrame
	}
	if status[0] == '1' && status != "101" {
		return plan{none: true}, nil // the answer itself follows
	}
	c.answer = exchange{}
	if len(c.asked) > 0 {
		c.answer, c.asked = c.asked[0], c.asked[1:]
	}
	if c.grants(&h, status) {
		return plan{pause: true}, nil
	}
	if c.answer.kind == plain && h.get("x-msn-messenger") != "" {
		c.answer.kind = msn // its request was not seen
	}
	c.hub.named(c, h)
	c.hub.pollNamed(c, h)
	switch k := c.answer.kind; {
	case status[0] != '2', c.answer.session == nil && (k == bosh || k == polling):
		c.answer.kind = plain // a proxy's page, or the answer to another form
	}
	none := c.answer.head || status == "101" || status == "204" || status == "304"
	return plan{wanted: c.answer.kind != plain, none: none, answer: true}, nil
}

// grants reports whether an answer opens a tunnel, and lets the client's next
// request through where it refuses one.
func (c *HTTP) grants(h *head, status string) bool {
	switch o := within(c.at(h.at), true); {
	case c.answer.kind == connect && status[0] == '2':
		c.granted(h.at, c.hub.inner.Open(o))
		return true
	case c.answer.kind == upgrade && status == "101":
		c.granted(h.at, c.hub.openWebSocket(o, c.answer.xmpp, h))
		return true
	case c.answer.kind == connect, c.answer.kind == upgrade:
		c.goOn(h.at)
	}
	return false
}

// at gives the opening of what begins at t in this connection.
func (c *HTTP) at(t time.Time) wire.Opening {
	o := c.opening
	o.Start = t
	return o
}

// granted hands all that follows to what is inside.
func (c *HTTP) granted(t time.Time, inner wire.Dissector) {
	c.inner = inner
	if waited := c.parse[wire.Client].resume(); len(waited) > 0 {
		_ = inner.Feed(wire.Client, t, waited)
	}
}

// goOn lets the client's next request through, the tunnel being refused.
func (c *HTTP) goOn(t time.Time) {
	if c.parse[wire.Client].phase != paused {
		return
	}
	if waited := c.parse[wire.Client].resume(); len(waited) > 0 {
		if c.parse[wire.Client].feed(t, waited, &direction{c, wire.Client}) != nil {
			c.dead = true
		}
	}
}

// body takes a body that is complete.
func (d *direction) body(at time.Time, b []byte) error {
	if d.side == wire.Client {
		d.hub.asked(d.HTTP, at, b)
		return nil
	}
	d.hub.answered(d.HTTP, at, b)
	return nil
}
