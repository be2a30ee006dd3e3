package msnp

import (
	"bytes"
	"errors"
	"strconv"
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
	buf  []byte
	skip int
	lost bool // not at the beginning of a line: the first line end is awaited
}

// gap says that bytes are missing before the next ones.
func (s *scanner) gap() { *s = scanner{buf: s.buf[:0], lost: true} }

// feed takes the next bytes and emits the lines that they complete.
func (s *scanner) feed(t time.Time, data []byte, emit func(line)) error {
	for len(data) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(data))
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
	l := line{t, bytes.Fields(s.buf)}
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
	if err == nil {
		emit(l)
	}
	return err
}

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
