// Package toc reads AIM's TOC and TOC2: lines of text in SFLAP frames. Who
// signed on, was refused, was online, wrote and left; what was written, and the
// roasted password, are passed over.
package toc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter/oscar"
	"rollcall/ingest/collect/meter/wire"
)

const (
	mark      = '*'
	headerLen = 6 // mark, type, sequence u16, length u16
	data      = 2
	signOff   = 4
	mostLine  = 512 // of a frame, the most that is read at its beginning
	endLine   = 8   // and at its end, where a message says that it is automatic
)

// hello is what a client says first.
var hello = []byte("FLAPON\r\n\r\n")

var errMark = errors.New("toc: no SFLAP mark where a frame begins")

// Match says whether the first bytes of one direction are TOC, on whatever
// port. Only the client's tell it from OSCAR.
func Match(head []byte, whole bool) wire.Verdict {
	n := min(len(head), len(hello))
	switch {
	case !whole || !bytes.Equal(head[:n], hello[:n]):
		return wire.No
	case n < len(hello):
		return wire.More
	}
	return wire.Yes
}

// Conn reads one connection.
type Conn struct {
	sink  wire.Sink
	scan  [2]scanner
	asked string // who signs on
	stay  wire.Stay
	used  rollcall.UnixMinute
	over  bool
}

// Open begins a connection.
func Open(sink wire.Sink, o wire.Opening) *Conn {
	c := &Conn{sink: sink, stay: wire.Stay{Name: "TOC"}}
	c.scan[wire.Client].hello = len(hello)
	for side := range c.scan {
		c.scan[side].lost = !o.Whole[side]
	}
	return c
}

// scanner cuts the bytes of one direction into frames.
type scanner struct {
	hello int // bytes of the client's hello still to come
	buf   []byte
	skip  int    // bytes of a long frame still to come
	end   []byte // the latest of them
	lost  bool
}

// feed takes the next bytes and emits every data frame; what stands between a
// long frame's beginning and its end is passed over.
func (s *scanner) feed(b []byte, emit func(kind byte, line []byte)) error {
	for len(b) > 0 {
		if n := min(s.hello, len(b)); n > 0 {
			s.hello, b = s.hello-n, b[n:]
			continue
		}
		if n := min(s.skip, len(b)); n > 0 {
			s.end = append(s.end, b[max(0, n-endLine):n]...)
			s.end = append(s.end[:0], s.end[max(0, len(s.end)-endLine):]...)
			if s.skip, b = s.skip-n, b[n:]; s.skip == 0 {
				s.buf = append(s.buf, s.end...)
				s.whole(emit)
			}
			continue
		}
		need := headerLen
		if len(s.buf) >= headerLen {
			need += min(int(binary.BigEndian.Uint16(s.buf[4:])), mostLine)
		}
		n := min(need-len(s.buf), len(b))
		s.buf, b = append(s.buf, b[:n]...), b[n:]
		if s.buf[0] != mark {
			return errMark
		}
		s.advance(emit)
	}
	return nil
}

// known are how data frames begin, of the client and of the server: by one of
// them it is known again where frames do.
var known = [...]string{"toc_", "toc2_", "SIGN_ON:", "CONFIG", "NICK:", "IM_IN", "UPDATE_BUDDY", "ERROR:"}

// search looks for a frame whose beginning is known, and gives the bytes from
// there on.
func (s *scanner) search(b []byte) []byte {
	const look = headerLen + len("UPDATE_BUDDY")
	all := append(s.buf, b...)
	for len(all) >= look {
		if all[0] == mark && all[1] == data {
			for _, word := range known {
				if bytes.HasPrefix(all[headerLen:], []byte(word)) {
					s.buf, s.lost = nil, false
					return all
				}
			}
		}
		i := bytes.IndexByte(all[1:], mark)
		if i < 0 {
			all = nil
			break
		}
		all = all[i+1:]
	}
	s.buf = bytes.Clone(all)
	return nil
}

// advance emits the frame in buf once what is read of it is there.
func (s *scanner) advance(emit func(kind byte, line []byte)) {
	if len(s.buf) < headerLen {
		return
	}
	whole := int(binary.BigEndian.Uint16(s.buf[4:]))
	taken := min(whole, mostLine)
	if len(s.buf) < headerLen+taken {
		return
	}
	if s.skip = whole - taken; s.skip == 0 {
		s.whole(emit)
	}
}

// whole emits the frame in buf.
func (s *scanner) whole(emit func(kind byte, line []byte)) {
	emit(s.buf[1], bytes.TrimRight(s.buf[headerLen:], "\x00"))
	clear(s.buf) // a password may have been in it
	s.buf, s.end = s.buf[:0], s.end[:0]
}

// Feed takes the next bytes of one side. An error says that they are no TOC.
func (c *Conn) Feed(side wire.Side, t time.Time, b []byte) error {
	c.stay.Progress(c.sink, t)
	s := &c.scan[side]
	if s.lost {
		if b = s.search(b); s.lost {
			return nil
		}
	}
	return s.feed(b, func(kind byte, line []byte) {
		switch {
		case c.over:
		case kind == signOff:
			c.leave(t, "sign-off", true)
		case kind != data:
		case side == wire.Client:
			c.client(t, line)
		default:
			c.server(t, line)
		}
	})
}

// Gap says that bytes of one side are missing before the next ones.
func (c *Conn) Gap(side wire.Side, _ time.Time) { c.scan[side] = scanner{lost: true} }

// End says that the connection is over.
func (c *Conn) End(t time.Time, why wire.End) { c.leave(why.Last(t), why.String(), why.Seen()) }

// client reads a command: words, of which those with spaces stand in quotes.
func (c *Conn) client(t time.Time, line []byte) {
	command, rest, _ := strings.Cut(string(line[:min(len(line), 128)]), " ")
	switch command {
	case "toc_signon", "toc2_signon", "toc2_login": // host, port, name, roasted password
		c.asked = word(rest, 2)
	case "toc_send_im", "toc2_send_im", "toc2_send_im_enc":
		text := strings.TrimSpace(string(line))
		c.talks(t, strings.HasSuffix(text, `" auto`) || strings.HasSuffix(text, " auto") && !strings.Contains(text, `"`))
	case "toc_chat_send", "toc_chat_send_enc", "toc_chat_whisper":
		c.talks(t, false)
	}
}

// word gives a word of a command, without its quotes.
func word(rest string, n int) string {
	for ; ; n-- {
		rest = strings.TrimLeft(rest, " ")
		end := " "
		if strings.HasPrefix(rest, `"`) {
			rest, end = rest[1:], `"`
		}
		this, next, _ := strings.Cut(rest, end)
		if n == 0 {
			return this
		}
		rest = next
	}
}

// talks yields use, once a minute; an automatic answer is none.
func (c *Conn) talks(t time.Time, automatic bool) {
	minute := rollcall.MinuteOf(t)
	if automatic || !c.stay.Online() || c.used == minute {
		return
	}
	c.used = minute
	c.stay.Say(c.sink, rollcall.Use, t, "message sent")
}

// server reads a message: words between colons.
func (c *Conn) server(t time.Time, line []byte) {
	command, rest, _ := strings.Cut(string(line[:min(len(line), 64)]), ":")
	switch command {
	case "SIGN_ON":
		c.accept(t)
	case "ERROR":
		if code, _, _ := strings.Cut(rest, ":"); refusals[code] && !c.stay.Online() && c.asked != "" {
			c.is(c.asked)
			c.asked = "" // until it is asked again
			c.stay.Say(c.sink, rollcall.LoginFailed, t, "ERROR "+code)
		}
	}
}

// refusals are the errors of a sign-on: wrong name or password, service away,
// warned too much, tried too often, unknown.
var refusals = map[string]bool{"980": true, "981": true, "982": true, "983": true, "989": true}

// accept yields the login, once.
func (c *Conn) accept(t time.Time) {
	if c.asked == "" || c.stay.Online() {
		return
	}
	c.is(c.asked)
	c.stay.Say(c.sink, rollcall.Login, t, "SIGN_ON")
	c.stay.Begin(t, "SIGN_ON")
}

func (c *Conn) is(name string) { c.stay.Who.Service, c.stay.Who.Account = oscar.Account(name) }

func (c *Conn) leave(t time.Time, how string, seen bool) {
	if !c.over {
		c.stay.Leave(c.sink, t, how, seen)
	}
	c.over = true
}
