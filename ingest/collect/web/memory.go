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

// weigh reckons what a body may take, in bytes, before any of it is read. One
// of unknown length, or compressed, may be as long as any.
func (c *Collector) weigh(r *http.Request) int64 {
	length := r.ContentLength
	if encoding := r.Header.Get("Content-Encoding"); length < 0 || length > c.MaxBody || encoding != "" && encoding != "identity" {
		length = c.MaxBody
	}
	if contentType(r) == columnar.ContentType {
		return tableFixed + tableTimes*length
	}
	return bodyLeast + min(lineTimes*length, streamMost)
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
}

// enter takes n bytes, if there are so many of most. Whoever is alone may enter,
// whatever it needs.
func (b *budget) enter(n, most int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken > 0 && b.taken+n > most {
		return false
	}
	b.taken += n
	return true
}

func (b *budget) leave(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
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
