package xmpp

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

const (
	tagMost   = 8 << 10 // the longest tag that is read
	textMost  = 4 << 10 // the longest text that is read
	depthMost = 64      // what is nested deeper is passed over
)

// errNest is why a stream is given up.
var errNest = errors.New("xmpp: an end tag closes another element")

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
	deeper  int    // elements open below the deepest that is read
	buf     []byte // of the tag begun, without its <
	in      bool   // in a tag
	long    bool   // the tag is longer than is read
	last    byte   // of such a tag: the latest byte
	quote   byte   // in a quoted value of it
	text    []byte
	reading bool // the text being passed is read
	lost    bool // the next stanza is awaited
	stop    bool // what follows is not XML, or not to be read yet
	pause   bool // what follows the tag just read is in another form
	framed  bool // every element stands for itself, between <open/> and <close/>
}

// frame makes the scanner read elements that no stream is around.
func (s *scanner) frame() { s.framed, s.path = true, append(s.path[:0], "stream") }

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() {
	*s = scanner{path: s.path[:0], buf: s.buf[:0], lost: true, stop: s.stop, framed: s.framed}
}

// feed takes the next bytes and emits the tags that they complete; it gives
// how many it took before it was stopped.
func (s *scanner) feed(t time.Time, data []byte, emit func(element)) (int, error) {
	for i := 0; i < len(data); i++ {
		if s.stop {
			return i, nil
		}
		if !s.in && !s.reading { // text that is not read
			n := bytes.IndexByte(data[i:], '<')
			if n < 0 {
				break
			}
			i += n
		}
		if err := s.next(t, data[i], emit); err != nil {
			return i, err
		}
		if s.pause {
			s.pause = false
			return i + 1, nil
		}
	}
	return len(data), nil
}

func (s *scanner) next(t time.Time, b byte, emit func(element)) error {
	switch {
	case !s.in && b == '<':
		s.in, s.long, s.buf = true, false, s.buf[:0]
	case !s.in:
		if len(s.text) < textMost {
			s.text = append(s.text, b)
		}
	case bytes.HasPrefix(s.buf, cdataStart):
		s.cdata(b)
	case s.quote == 0 && b == '>':
		s.in = false
		return s.tag(t, emit)
	default:
		s.quoted(b)
		if s.last = b; len(s.buf) < tagMost {
			s.buf = append(s.buf, b)
		} else {
			s.long = true
		}
	}
	return nil
}

var cdataStart = []byte("![CDATA[")

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

// tag takes the whole tag in buf. One that was too long has a name only, and
// nobody is told of it.
func (s *scanner) tag(t time.Time, emit func(element)) error {
	tag := string(s.buf)
	switch {
	case tag == "" || tag[0] == '?' || tag[0] == '!':
		return nil
	case tag[0] == '/':
		return s.close(t, local(tag[1:]), emit)
	}
	name := local(tag)
	empty := s.last == '/'
	if s.framed && len(s.path) <= 1 && (name == "open" || name == "close") {
		emit(element{at: t, path: streamAlone, tag: tag, end: name == "close"})
		if !empty && !s.lost {
			s.path = append(s.path, name)
		}
		return nil
	}
	if !s.place(name) {
		return nil
	}
	if len(s.path) >= depthMost || s.deeper > 0 {
		if !empty {
			s.deeper++
		}
		return nil
	}
	s.path = append(s.path, name)
	s.reading = readable(name)
	if !s.long {
		emit(element{at: t, path: s.path, tag: tag})
	}
	if empty {
		return s.close(t, name, emit)
	}
	return nil
}

// place finds where an element stands that begins a stream, or that is the
// first whole one after a gap; false where that isn't known yet.
func (s *scanner) place(name string) bool {
	if s.lost && !stanza(name) {
		return false
	}
	if s.lost || name == "stream" && !s.framed {
		s.path, s.deeper = s.path[:0], 0 // a stream begins anew after SASL
	}
	if s.lost {
		s.lost, s.path = false, append(s.path, "stream")
	}
	return true
}

// streamAlone is the path of a stream's own tags.
var streamAlone = []string{"stream"}

// close ends the innermost element.
func (s *scanner) close(t time.Time, name string, emit func(element)) error {
	if s.lost {
		return nil
	}
	if s.deeper > 0 {
		s.deeper--
		return nil
	}
	if len(s.path) == 0 || s.path[len(s.path)-1] != name || s.framed && len(s.path) == 1 {
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
