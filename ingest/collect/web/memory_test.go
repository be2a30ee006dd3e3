package web_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
	"rollcall/ingest/collect/web"
)

// TestMemory: a body for which there is no memory is told to come back, and is not
// looked at; one that is alone is taken whatever it needs.
func TestMemory(t *testing.T) {
	log := &slice{}
	c := collector(t, func(bool) ingest.Log { return log })
	c.Memory = 1
	entered, release := make(chan struct{}), make(chan struct{})
	done := make(chan int)
	go func() {
		done <- send(c, ndjson, io.MultiReader(&signal{entered}, &signal{release}, strings.NewReader(good))).Code
	}()
	entered <- struct{}{}
	if c.Taken() == 0 {
		t.Error("a body under way takes nothing")
	}
	w := send(c, ndjson, strings.NewReader(good))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("a second body: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	release <- struct{}{}
	if code := <-done; code != http.StatusOK || len(log.events) != 1 || c.Taken() != 0 {
		t.Errorf("the first body: %d, %d events; %d bytes are still taken", code, len(log.events), c.Taken())
	}
}

// TestWeight: what is reckoned grows with what a body may be once unpacked.
func TestWeight(t *testing.T) {
	log := &slice{}
	weigh := func(contentType, encoding string, length int64) (taken int64) {
		c := collector(t, func(bool) ingest.Log { return log })
		r := httptest.NewRequest(http.MethodPost, "/v1/events", nil)
		r.Body = io.NopCloser(readFunc(func([]byte) (int, error) { taken = c.Taken(); return 0, io.EOF }))
		r.ContentLength = length
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", encoding)
		c.ServeHTTP(httptest.NewRecorder(), r)
		return taken
	}
	short, long := weigh(ndjson, "", 1000), weigh(ndjson, "", maxBody)
	unknown, packed := weigh(ndjson, "", -1), weigh(ndjson, "gzip", 1000)
	table := weigh(columnar.ContentType, "", maxBody)
	if !(0 < short && short < long && long == unknown && long == packed && table > long) {
		t.Errorf("weights: short %d, long %d, unknown %d, packed %d, table %d", short, long, unknown, packed, table)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

// signal is a reader that gives nothing, once c has been received from.
type signal struct{ c chan struct{} }

func (s *signal) Read([]byte) (int, error) {
	<-s.c
	return 0, io.EOF
}

func send(c *web.Collector, contentType string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/events", body)
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// TestSlowSender: a body that stops coming is ended, and its connection's deadline
// is lifted. What came before is kept if its context lets it.
func TestSlowSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slice{}
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() { _, _ = io.WriteString(theirs, good+"\n") }()
		r := httptest.NewRequest(http.MethodPost, "/v1/events", nil)
		r.Body = ours
		r.Header.Set("Content-Type", ndjson)
		w := &deadlined{ResponseRecorder: httptest.NewRecorder(), conn: ours}
		begin := time.Now()
		collector(t, func(bool) ingest.Log { return log }).ServeHTTP(w, r)
		if w.Code != http.StatusRequestTimeout || len(log.events) != 1 || !w.due.IsZero() {
			t.Errorf("after %s answered %d with %d events kept, deadline %v: %s", time.Since(begin), w.Code, len(log.events), w.due, w.Body)
		}
	})
}

// deadlined is an answer on a connection that has deadlines.
type deadlined struct {
	*httptest.ResponseRecorder
	conn net.Conn
	due  time.Time
}

// SetReadDeadline sets the connection's.
func (d *deadlined) SetReadDeadline(t time.Time) error {
	d.due = t
	return d.conn.SetReadDeadline(t)
}
