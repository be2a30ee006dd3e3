package msnp

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	lineMost    = 8 << 10  // the longest line; tickets are a kilobyte or two
	payloadMost = 16 << 20 // the longest payload
)

// Why a stream is given up.
var (
	errLine    = errors.New("msnp: line longer than 8 KiB")
	errCommand = errors.New("msnp: line begins with no command")
	errPayload = errors.New("msnp: payload longer than 16 MiB")
)

// line is one command and its arguments; valid until the next.
type line struct {
	at   time.Time
	args [][]byte // the command first
	text bool     // of a MSG or SDG: its payload's headers don't say that it is no text
}

// arg gives an argument, the command being 0; empty beyond the last.
func (l line) arg(i int) string {
	if i < len(l.args) {
		return string(l.args[i])
	}
	return ""
}

// payload gives the bytes that follow the line: those commands that carry some
// end in their number.
func (l line) payload() (int, error) {
	switch command := l.arg(0); command {
	case "MSG", "NOT", "UBX", "UUX", "UUN", "UBN", "UBM", "UUM", "GCF", "PAG", "IPG", "ADL", "RML", "FQY", "QRY", "PUT", "NFY", "SDG", "SDC", "DEL":
		if command == "QRY" && len(l.args) < 4 {
			return 0, nil // the server's answer
		}
	default:
		if !number(command) || len(l.args) < 3 {
			return 0, nil // an error with a payload has three words
		}
	}
	n, err := strconv.Atoi(l.arg(len(l.args) - 1))
	if err != nil || n < 0 {
		return 0, nil //nolint:nilerr // no payload, as in "ADL 7 OK"
	}
	if n > payloadMost {
		return 0, errPayload
	}
	return n, nil
}

func number(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// scanner cuts the bytes of one direction into lines, and passes over payloads
// unread.
type scanner struct {
	buf    []byte
	skip   int
	lost   bool   // not at the beginning of a line: the first line end is awaited
	waits  *line  // a message whose headers are being read
	header []byte // the line of them begun
}

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() { *s = scanner{buf: s.buf[:0], header: s.header[:0], lost: true} }

// feed takes the next bytes and emits the lines that they complete.
func (s *scanner) feed(t time.Time, data []byte, emit func(line)) error {
	for len(data) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(data))
			s.payload(data[:n], s.skip == n, emit)
			s.skip, data = s.skip-n, data[n:]
			continue
		}
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			i = len(data) - 1
		}
		s.buf, data = append(s.buf, data[:i+1]...), data[i+1:]
		if err := s.line(t, emit); err != nil {
			return err
		}
	}
	return nil
}

// line emits the line in buf, if it is whole, and wipes it: it may be a ticket.
func (s *scanner) line(t time.Time, emit func(line)) error {
	if s.buf[len(s.buf)-1] != '\n' {
		if len(s.buf) > lineMost {
			return errLine
		}
		return nil
	}
	defer func(read []byte) { clear(read) }(s.buf)
	l := line{at: t, args: bytes.Fields(s.buf)}
	s.buf = s.buf[:0]
	if !command(l.arg(0)) {
		if s.lost || len(l.args) == 0 {
			return nil
		}
		return errCommand
	}
	s.lost = false
	n, err := l.payload()
	s.skip = n
	if err != nil {
		return err
	}
	if c := l.arg(0); n > 0 && (c == "MSG" || c == "SDG") {
		for i, arg := range l.args {
			l.args[i] = bytes.Clone(arg)
		}
		l.text = true
		s.waits, s.header = &l, s.header[:0]
		return nil
	}
	emit(l)
	return nil
}

// payload reads the headers of a message, never the text after them, and emits
// the message's line; the rest of any payload is passed over.
func (s *scanner) payload(part []byte, last bool, emit func(line)) {
	for s.waits != nil && len(part) > 0 {
		i := bytes.IndexByte(part, '\n')
		n := i + 1
		if i < 0 {
			n = len(part)
		}
		s.header = append(s.header, part[:n]...)
		part = part[n:]
		if i < 0 && len(s.header) <= headerMost {
			break
		}
		if !s.waits.header(bytes.TrimSpace(s.header)) || i < 0 {
			s.message(emit)
		}
		s.header = s.header[:0]
	}
	if last && s.waits != nil {
		s.message(emit)
	}
}

func (s *scanner) message(emit func(line)) {
	l := *s.waits
	s.waits, s.header = nil, s.header[:0]
	emit(l)
}

// headerMost is the longest header line that is read.
const headerMost = 512

// header reads a header line of a message; false where the headers are over.
// MSG of other types are invitations, typing, pictures; SDG tells its kind in a
// header of its own.
func (l *line) header(b []byte) bool {
	name, value, ok := bytes.Cut(b, []byte(":"))
	if !ok {
		return len(b) == 0 && l.arg(0) == "SDG" // which has several blocks of headers
	}
	kind := strings.ToLower(string(bytes.TrimSpace(value)))
	switch strings.ToLower(string(name)) {
	case "content-type":
		kind, _, _ = strings.Cut(kind, ";")
		l.text = l.text && wrote[strings.TrimSpace(kind)]
	case "message-type":
		l.text = l.text && kind == "text"
		return false
	}
	return true
}

// wrote are the types of what a person wrote, by keys or by hand.
var wrote = map[string]bool{"text/plain": true, "application/x-ms-ink": true, "image/gif": true}

// command reports whether the word is three capital letters or digits.
func command(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
