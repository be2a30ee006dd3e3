package tunnel

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Limits of what is read of HTTP.
const (
	headMost = 16 << 10
	bodyMost = 256 << 10 // a longer body is passed over
)

// Why a stream is given up.
var (
	errHead  = errors.New("http: a head longer than 16 KiB")
	errFrame = errors.New("http: neither request nor answer where one begins")
	errChunk = errors.New("http: a chunk without a length")
)

// head is the start line and the header lines of a message.
type head struct {
	at    time.Time
	start string
	lines string
}

// words gives the three words of a start line, the third perhaps empty.
func (h *head) words() (first, second, third string) {
	first, rest, _ := strings.Cut(h.start, " ")
	second, third, _ = strings.Cut(rest, " ")
	return first, second, third
}

// get gives a header's value, empty where it is missing; name is in lower case.
func (h *head) get(name string) string {
	for line := range strings.SplitSeq(h.lines, "\n") {
		key, value, ok := strings.Cut(line, ":")
		if ok && len(key) == len(name) && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// list gives the values of a header that may have several lines, joined by commas.
func (h *head) list(name string) string {
	var values []string
	for line := range strings.SplitSeq(h.lines, "\n") {
		key, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(key, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return strings.Join(values, ",")
}

// phase is where in a message a direction is.
type phase uint8

const (
	inHead    phase = iota
	inBody          // of a known length
	inChunks        // at a chunk's length
	inChunk         // in a chunk
	inTrailer       // after the last chunk
	toTheEnd        // a body that ends with the connection
	paused          // until the other side has answered
	lost            // bytes are missing; a start line is awaited
)

// parser cuts one direction into messages, however the bytes arrive.
type parser struct {
	phase  phase
	buf    []byte // of the head or the line begun, or what waits
	left   int64  // of the body or the chunk
	wanted bool   // the body is read
	cut    bool   // it was longer than is read
	coding string // of the body
	body   []byte
}

// reader takes the messages of a direction.
type reader interface {
	head(h head) (plan, error)
	body(at time.Time, b []byte) error
}

// plan is what to do with what follows a head.
type plan struct {
	wanted bool // read the body
	none   bool // there is no body, whatever the head says
	answer bool // without a length, the body ends with the connection
	pause  bool
}

// feed takes the next bytes; it gives back those that follow a pause.
func (p *parser) feed(t time.Time, data []byte, to reader) error {
	for len(data) > 0 {
		n, err := p.step(t, data, to)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// step takes some of the bytes and says how many.
func (p *parser) step(t time.Time, data []byte, to reader) (int, error) {
	switch p.phase {
	case paused:
		if len(p.buf)+len(data) > bodyMost {
			return 0, errHead
		}
		p.buf = append(p.buf, data...)
		return len(data), nil
	case lost:
		if !startLine(data) {
			return len(data), nil
		}
		p.phase = inHead
		return 0, nil
	case inBody, inChunk, toTheEnd:
		return p.content(t, data, to)
	}
	return p.line(t, data, to)
}

// startLine reports whether the bytes may begin a message.
func startLine(b []byte) bool {
	for _, word := range [...]string{"HTTP/1.", "POST ", "GET ", "CONNECT ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "PROPFIND ", "PATCH "} {
		if n := min(len(b), len(word)); string(b[:n]) == word[:n] {
			return true
		}
	}
	return false
}

// line takes bytes up to the end of a line, or of a head.
func (p *parser) line(t time.Time, data []byte, to reader) (int, error) {
	n := bytes.IndexByte(data, '\n') + 1
	if n == 0 {
		n = len(data)
	}
	p.buf = append(p.buf, data[:n]...)
	if len(p.buf) > headMost {
		return 0, errHead
	}
	if p.phase == inHead && !startLine(p.buf) && len(bytes.TrimLeft(p.buf, "\r\n")) > 0 {
		return 0, errFrame
	}
	if data[n-1] != '\n' {
		return n, nil
	}
	text := bytes.TrimRight(p.buf, "\r\n")
	switch p.phase {
	case inHead:
		if len(text) == 0 {
			p.buf = p.buf[:0] // an empty line before a message
			return n, nil
		}
		if !bytes.HasSuffix(p.buf, []byte("\n\r\n")) && !bytes.HasSuffix(p.buf, []byte("\n\n")) {
			return n, nil
		}
		return n, p.begin(t, string(text), to)
	case inChunks:
		p.buf = p.buf[:0]
		return n, p.chunk(text)
	}
	p.buf = p.buf[:0] // a trailer
	if len(text) == 0 {
		return n, p.finish(t, to)
	}
	return n, nil
}

// begin reads a head and settles where its body ends.
func (p *parser) begin(t time.Time, text string, to reader) error {
	start, lines, _ := strings.Cut(text, "\n")
	h := head{at: t, start: strings.TrimRight(start, "\r"), lines: lines}
	clear(p.buf) // cookies, and passwords for proxies
	p.buf = p.buf[:0]
	plan, err := to.head(h)
	if err != nil {
		return err
	}
	p.wanted, p.cut, p.coding = plan.wanted, false, strings.ToLower(h.get("content-encoding"))
	switch n, err := strconv.ParseInt(h.get("content-length"), 10, 64); {
	case plan.pause:
		p.phase = paused
	case plan.none:
	case strings.Contains(strings.ToLower(h.get("transfer-encoding")), "chunked"):
		p.phase = inChunks
	case err == nil && n > 0:
		p.phase, p.left = inBody, n
	case err != nil && plan.answer:
		p.phase = toTheEnd
	default:
		return p.finish(t, to)
	}
	return nil
}

// chunk reads a chunk's length.
func (p *parser) chunk(text []byte) error {
	if len(text) == 0 {
		return nil // the line end after a chunk
	}
	size, _, _ := bytes.Cut(text, []byte{';'})
	n, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 64)
	switch {
	case err != nil || n < 0:
		return errChunk
	case n == 0:
		p.phase = inTrailer
	default:
		p.phase, p.left = inChunk, n
	}
	return nil
}

// content takes bytes of a body.
func (p *parser) content(t time.Time, data []byte, to reader) (int, error) {
	n := len(data)
	if p.phase != toTheEnd {
		n = int(min(int64(n), p.left))
		p.left -= int64(n)
	}
	if p.wanted && !p.cut {
		p.body = append(p.body, data[:n]...)
		if len(p.body) > bodyMost {
			p.body, p.cut = nil, true
		}
	}
	if p.phase == toTheEnd || p.left > 0 {
		return n, nil
	}
	if p.phase == inChunk {
		p.phase = inChunks
		return n, nil
	}
	return n, p.finish(t, to)
}

// finish gives the body that is complete.
func (p *parser) finish(t time.Time, to reader) error {
	body := p.body
	p.phase, p.body, p.buf = inHead, nil, p.buf[:0]
	if !p.wanted || p.cut {
		return nil
	}
	defer clear(body) // of a form, there may be a password in it
	plain, ok := decoded(body, p.coding)
	if !ok {
		return nil // as if it were longer than is read
	}
	return to.body(t, plain)
}

// decoded undoes a body's content coding; false where it is none that is read, or
// becomes too long.
func decoded(b []byte, coding string) (plain []byte, ok bool) {
	var r io.Reader
	var err error
	switch coding {
	case "", "identity":
		return b, true
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(b))
	case "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(b)); err != nil { // some leave its header off
			r, err = flate.NewReader(bytes.NewReader(b)), nil
		}
	default:
		return nil, false
	}
	if err != nil {
		return nil, len(b) == 0
	}
	plain, err = io.ReadAll(io.LimitReader(r, unpackedMost+1))
	return plain, err == nil && len(plain) <= unpackedMost
}

// gap says that bytes are missing.
func (p *parser) gap() { *p = parser{phase: lost} }

// resume goes on after a pause, and gives what waited.
func (p *parser) resume() []byte {
	waited := p.buf
	*p = parser{}
	return waited
}
