package xmpp

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

const (
	tagMost   = 8 << 10 // the longest tag
	textMost  = 4 << 10 // the longest text that is read
	depthMost = 64
)

// Why a stream is given up.
var (
	errTag   = errors.New("xmpp: tag longer than 8 KiB")
	errDepth = errors.New("xmpp: elements nested more than 64 deep")
	errNest  = errors.New("xmpp: an end tag closes another element")
)

// element is a start tag, or an end tag with the text before it.
type element struct {
	at   time.Time
	path []string // local names from the stream down to this one
	end  bool
	tag  string // of a start tag: what stands between < and >
	text string // of an end tag: only where it is read
}

// name gives the local name.
func (e element) name() string { return e.path[len(e.path)-1] }

// attr gives an attribute of a start tag, empty where it has none.
func (e element) attr(name string) string {
	rest := e.tag
	for {
		before, after, found := strings.Cut(rest, "=")
		after = strings.TrimLeft(after, " \t\r\n")
		if !found || after == "" {
			return ""
		}
		value, next, closed := strings.Cut(after[1:], after[:1])
		if !closed {
			return ""
		}
		if f := strings.Fields(before); len(f) > 0 && f[len(f)-1] == name {
			return unescape.Replace(value)
		}
		rest = next
	}
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&apos;", "'", "&quot;", `"`, "&amp;", "&")

// scanner cuts the bytes of one direction into tags. Text is passed over
// unread, but for the few elements that name the user.
type scanner struct {
	path    []string
	buf     []byte // of the tag begun, without its <
	in      bool   // in a tag
	quote   byte   // in a quoted value of it
	text    []byte
	reading bool // the text being passed is read
	lost    bool // the next stanza is awaited
	stop    bool // what follows is not XML, or not to be read yet
}

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() { *s = scanner{path: s.path[:0], buf: s.buf[:0], lost: true, stop: s.stop} }

// feed takes the next bytes and emits the tags that they complete.
func (s *scanner) feed(t time.Time, data []byte, emit func(element)) error {
	for _, b := range data {
		if s.stop {
			return nil
		}
		if err := s.next(t, b, emit); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) next(t time.Time, b byte, emit func(element)) error {
	switch {
	case !s.in && b == '<':
		s.in, s.buf = true, s.buf[:0]
	case !s.in:
		if s.reading && len(s.text) < textMost {
			s.text = append(s.text, b)
		}
	case bytes.HasPrefix(s.buf, []byte("![CDATA[")):
		s.cdata(b)
	case s.quote == 0 && b == '>':
		s.in = false
		return s.tag(t, emit)
	default:
		s.quoted(b)
		if s.buf = append(s.buf, b); len(s.buf) > tagMost {
			return errTag
		}
	}
	return nil
}

// quoted follows the quotes of a tag, in which > is no end.
func (s *scanner) quoted(b byte) {
	switch {
	case s.quote == b:
		s.quote = 0
	case s.quote == 0 && (b == '\'' || b == '"'):
		s.quote = b
	}
}

// cdata passes over a CDATA section, keeping the last two bytes to find its end.
func (s *scanner) cdata(b byte) {
	const head = len("![CDATA[")
	if b == '>' && bytes.HasSuffix(s.buf[head:], []byte("]]")) {
		s.in = false
		return
	}
	s.buf = append(s.buf, b)
	if tail := s.buf[head:]; len(tail) > 2 {
		s.buf = append(s.buf[:head], tail[len(tail)-2:]...)
	}
}

// tag takes the whole tag in buf.
func (s *scanner) tag(t time.Time, emit func(element)) error {
	tag := string(s.buf)
	switch {
	case tag == "" || tag[0] == '?' || tag[0] == '!':
		return nil
	case tag[0] == '/':
		return s.close(t, local(tag[1:]), emit)
	}
	name := local(tag)
	if s.lost && !stanza(name) {
		return nil
	}
	if s.lost || name == "stream" {
		s.path = s.path[:0] // a stream begins anew after SASL
	}
	if s.lost {
		s.lost, s.path = false, append(s.path, "stream")
	}
	if len(s.path) >= depthMost {
		return errDepth
	}
	s.path = append(s.path, name)
	s.reading = readable(name)
	emit(element{at: t, path: s.path, tag: tag})
	if strings.HasSuffix(tag, "/") {
		return s.close(t, name, emit)
	}
	return nil
}

// close ends the innermost element.
func (s *scanner) close(t time.Time, name string, emit func(element)) error {
	if s.lost {
		return nil
	}
	if len(s.path) == 0 || s.path[len(s.path)-1] != name {
		return errNest
	}
	emit(element{at: t, path: s.path, end: true, text: string(s.text)})
	s.path = s.path[:len(s.path)-1]
	clear(s.text) // a password may have been in it
	s.text, s.reading = s.text[:0], false
	return nil
}

// local gives a tag's name without its prefix.
func local(tag string) string {
	if i := strings.IndexAny(tag, " \t\r\n/"); i >= 0 {
		tag = tag[:i]
	}
	if i := strings.IndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	return tag
}

func stanza(name string) bool { return name == "iq" || name == "presence" || name == "message" }

// readable reports whether the element's text is read.
func readable(name string) bool {
	switch name {
	case "auth", "response", "initial-response", "jid", "username", "authorization-identifier":
		return true
	}
	return false
}
