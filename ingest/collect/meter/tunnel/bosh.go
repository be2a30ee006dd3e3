package tunnel

import (
	"bytes"
	"strings"
	"time"

	"rollcall/ingest/collect/meter/wire"
)

// wrapper is the <body/> around stanzas (XEP-0124).
type wrapper struct {
	tag      string
	stanzas  []byte
	sid, to  string
	finished bool
}

// unwrap reads a body; false where it is none of BOSH.
func unwrap(b []byte) (w wrapper, ok bool) {
	b = bytes.TrimSpace(b)
	if bytes.HasPrefix(b, []byte("<?xml")) {
		_, b, _ = bytes.Cut(b, []byte("?>"))
		b = bytes.TrimSpace(b)
	}
	end := bytes.IndexByte(b, '>')
	if !bytes.HasPrefix(b, []byte("<body")) || end < 0 || end > headMost {
		return w, false
	}
	w.tag = string(b[:end])
	if !strings.Contains(w.tag, "http://jabber.org/protocol/httpbind") {
		return w, false
	}
	if b[end-1] != '/' {
		if last := bytes.LastIndex(b, []byte("</body")); last > end {
			w.stanzas = b[end+1 : last]
		}
	}
	w.sid, w.to = attribute(w.tag, "sid"), attribute(w.tag, "to")
	w.finished = attribute(w.tag, "type") == "terminate"
	return w, true
}

// attribute gives a value of a tag, empty where it is missing.
func attribute(tag, name string) string {
	for rest := tag; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return ""
		}
		before, after := rest[:i], strings.TrimLeft(rest[i+len(name):], " \t\r\n")
		rest = rest[i+len(name):]
		if before == "" || !strings.ContainsAny(before[len(before)-1:], " \t\r\n") || !strings.HasPrefix(after, "=") {
			continue
		}
		after = strings.TrimLeft(after[1:], " \t\r\n")
		if after == "" {
			return ""
		}
		value, _, ok := strings.Cut(after[1:], after[:1])
		if !ok {
			return ""
		}
		return value
	}
}

// boshAsked takes a request: one without a sid begins a session.
func (g *Gateways) boshAsked(c *HTTP, t time.Time, b []byte) *session {
	w, ok := unwrap(b)
	if !ok {
		return nil
	}
	var s *session
	if w.sid == "" {
		s = g.begin(c, bosh, t, true)
		g.give(s, wire.Client, t, []byte("<open to='"+w.to+"'/>"))
	} else {
		s = g.find(c, bosh, w.sid, t)
	}
	g.give(s, wire.Client, t, w.stanzas)
	if w.finished {
		g.polled(c, s, t)
		g.give(s, wire.Client, t, []byte("<close/>"))
		g.end(s, t, wire.Closed)
		return nil
	}
	return s
}

// boshAnswered takes an answer; the first names the session.
func (g *Gateways) boshAnswered(c *HTTP, s *session, t time.Time, b []byte) {
	w, ok := unwrap(b)
	if !ok {
		return
	}
	if s == nil || s.over {
		return
	}
	if w.sid != "" && s.key.id == "" {
		g.name(s, w.sid)
	}
	g.polled(c, s, t)
	g.give(s, wire.Server, t, w.stanzas)
	if w.finished {
		g.end(s, t, wire.Closed)
	}
}
