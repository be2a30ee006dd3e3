package web

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"rollcall/ingest/collect/columnar"
)

// DefaultMemory is Collector.Memory's default.
const DefaultMemory = 512 << 20

// What a body is reckoned to take, measured in TestCollectorMemory. Lines are
// read and appended in pieces, so that a long body takes no more than streamMost;
// a table is read whole before its first row.
const (
	bodyLeast  = 128 << 10 // its connection and reader
	streamMost = 24 << 20
	tableFixed = 24 << 20 // and tableTimes its length
	tableTimes = 4
	lineTimes  = 4 // of a short body's length
)

var errBusy = errors.New("as many bodies are under way as there is memory for; send the body again later")

// weigh reckons what a body takes of which so many bytes have been read and
// decompressed. One that has not begun takes its connection: a sender that
// says nothing takes memory from nobody.
func weigh(contentType, encoding string, read int64) int64 {
	if read == 0 {
		return bodyLeast
	}
	need := int64(bodyLeast)
	if encoding == codingZstd {
		need += maxWindow
	}
	if contentType == columnar.ContentType {
		return need + tableFixed + tableTimes*read
	}
	return need + min(lineTimes*read, streamMost)
}

func (c *Collector) most() int64 { return cmp.Or(c.Memory, DefaultMemory) }

// Taken gives what the bodies under way are reckoned to take, in bytes.
func (c *Collector) Taken() int64 {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	return c.budget.taken
}

// budget is the memory that bodies share.
type budget struct {
	mu    sync.Mutex // guards the rest
	taken int64
	by    map[string]int64 // of each sender
}

// share is what one body has of the budget.
type share struct {
	budget *budget
	most   int64 // of the budget
	sender string
	taken  int64
}

// grow makes the share n bytes, if there are so many. A sender may have as much
// as is then left for all others, so that however many senders take what they
// can get, another one finds something. A body that is alone may have whatever
// it needs.
func (s *share) grow(n int64) bool {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	more := n - s.taken
	if more <= 0 {
		return true
	}
	alone := b.taken == s.taken
	if !alone && b.by[s.sender]+more > s.most-b.taken-more {
		return false
	}
	if b.by == nil {
		b.by = make(map[string]int64)
	}
	s.taken, b.taken = n, b.taken+more
	b.by[s.sender] += more
	return true
}

// release gives everything back.
func (s *share) release() {
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= s.taken
	if b.by[s.sender] -= s.taken; b.by[s.sender] == 0 {
		delete(b.by, s.sender)
	}
	s.taken = 0
}

// shared is a body whose share grows with what is read of it.
type shared struct {
	io.Reader
	share    *share
	kind     string // its content type
	encoding string
	read     int64
	busy     bool // there was no memory once
}

// Read reads on while there is memory; else the error is errBusy, from then on:
// what was read when there was none is lost, so nothing may follow it.
func (s *shared) Read(b []byte) (int, error) {
	if s.busy {
		return 0, errBusy
	}
	n, err := s.Reader.Read(b)
	s.read += int64(n)
	if n > 0 && !s.share.grow(weigh(s.kind, s.encoding, s.read)) {
		s.busy = true
		return 0, errBusy
	}
	return n, err
}

// A body has to come at slowest bytes a second, after a while that anyone has:
// else a few slow senders could take all the memory for ever. What counts is the
// time that was waited for the sender, not for the log.
const (
	anyone  = 30 * time.Second
	slowest = 16 << 10
)

// paced is a body with a deadline that moves with what has come.
type paced struct {
	io.ReadCloser
	control *http.ResponseController
	left    time.Duration
}

func pace(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	return &paced{ReadCloser: body, control: http.NewResponseController(w), left: anyone}
}

var errSlow = errors.New("the body came too slowly; send it again")

// Read reads on; too late, the error is errSlow.
func (p *paced) Read(b []byte) (int, error) {
	begin := time.Now()
	_ = p.control.SetReadDeadline(begin.Add(p.left)) // a connection without deadlines has none
	n, err := p.ReadCloser.Read(b)
	p.left += time.Duration(n)*time.Second/slowest - time.Since(begin)
	if err != nil {
		_ = p.control.SetReadDeadline(time.Time{}) // what follows is not this body's
	}
	if errors.Is(err, os.ErrDeadlineExceeded) { // the log may run out of time too: that is another
		err = errSlow
	}
	return n, err
}
