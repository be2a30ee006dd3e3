package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
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

// TestWeight: what is reckoned grows with what was read of a body, unpacked.
func TestWeight(t *testing.T) {
	line := good + "\n"
	long := strings.Repeat(line, maxBody/len(line))
	weigh := func(contentType, encoding, body string) (most int64) {
		c := collector(t, nil)
		c.Log = func(bool) ingest.Log { return logFunc(func() { most = max(most, c.Taken()) }) }
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", encoding)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code != http.StatusOK || c.Taken() != 0 {
			t.Errorf("%s %s: %d, %d bytes are still taken", contentType, encoding, w.Code, c.Taken())
		}
		return most
	}
	short, whole := weigh(ndjson, "", line), weigh(ndjson, "", long)
	packed, framed := weigh(ndjson, "gzip", gzipped(t, long)), weigh(ndjson, "zstd", zstandard(t, long))
	rows := weigh(columnar.ContentType, "", table(t, 100, "time", "market", "service", "location", "kind", "account"))
	if !(0 < short && short < whole && whole == packed && packed < framed && framed < rows) {
		t.Errorf("weights: short %d, long %d, gzip %d, zstd %d, table %d", short, whole, packed, framed, rows)
	}
}

// logFunc is a log that calls whenever it gets events.
type logFunc func()

func (f logFunc) Append(context.Context, *rollcall.Batch) error { f(); return nil }

func (f logFunc) Reject(context.Context, []rollcall.Rejected) error { return nil }

// TestNobodyIsShutOut: however many bodies one sender holds open, slow ones and
// some that say nothing, another sender's are taken.
func TestNobodyIsShutOut(t *testing.T) {
	log := &shared{}
	c := collector(t, func(bool) ingest.Log { return log })
	c.Memory = 4 << 20
	c.Sender = func(r *http.Request) string { return r.Header.Get("Key") }
	from := func(key string, body io.Reader) int {
		r := httptest.NewRequest(http.MethodPost, "/v1/events", body)
		r.Header.Set("Content-Type", ndjson)
		r.Header.Set("Key", key)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return w.Code
	}
	release := make(chan struct{})
	waiting := make(chan struct{}, 81)
	held := make(chan int, 81)
	for i := range 81 { // 21 that have sent a little, 60 that have sent nothing
		begin := strings.Repeat(good+"\n", map[bool]int{true: 300, false: 0}[i < 21])
		go func() {
			held <- from("greedy", io.MultiReader(strings.NewReader(begin), readFunc(func([]byte) (int, error) {
				waiting <- struct{}{}
				<-release
				return 0, io.EOF
			})))
		}()
	}
	refused := 0
	for inside := 0; inside+refused < 81; {
		select {
		case <-waiting:
			inside++
		case code := <-held:
			refused++
			if code != http.StatusTooManyRequests {
				t.Errorf("a body of the greedy sender: %d", code)
			}
		}
	}
	if refused == 0 || refused == 81 {
		t.Errorf("%d of 81 bodies of one sender were refused", refused)
	}
	if code := from("another", strings.NewReader(strings.Repeat(good+"\n", 400))); code != http.StatusOK {
		t.Errorf("another sender's body: %d, while %d bytes are taken", code, c.Taken())
	}
	close(release)
	for range 81 - refused {
		if code := <-held; code != http.StatusOK {
			t.Errorf("a body that was inside: %d", code)
		}
	}
	if c.Taken() != 0 {
		t.Errorf("%d bytes are still taken", c.Taken())
	}
}

// shared is a slice for several goroutines.
type shared struct {
	mu sync.Mutex // guards slice
	slice
}

func (s *shared) Append(ctx context.Context, events *rollcall.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slice.Append(ctx, events)
}

// TestRefusedLinesAreBounded: a sender of nothing but faults is counted, and
// fills the log of refused lines only so far; another's are kept.
func TestRefusedLinesAreBounded(t *testing.T) {
	log := &slice{}
	now := time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC)
	c := collector(t, func(bool) ingest.Log { return log })
	c.MaxBody = 48 << 20
	c.Converter.Now = func() time.Time { return now }
	c.Sender = func(r *http.Request) string { return r.Header.Get("Key") }
	from := func(key, body string) (said ingest.Counts) {
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(body))
		r.Header.Set("Content-Type", ndjson)
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Set("Key", key)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusUnprocessableEntity {
			t.Fatalf("answered %d, %v", w.Code, err)
		}
		return said
	}
	const lines = 15 << 20
	said := from("flood", gzipped(t, strings.Repeat("{}\n", lines)))
	if said.Read != lines || said.Refused() != lines || said.Rejected["time_missing"] != 10_000 || len(log.rejected) != 10_000 {
		t.Errorf("read %d, refused %v; %d are kept", said.Read, said.Rejected, len(log.rejected))
	}
	if last := said.Errors[len(said.Errors)-1]; last.Line != 10_001 || !strings.Contains(last.Reason, "not looked at") {
		t.Errorf("the last error is %+v", last)
	}
	ten := gzipped(t, strings.Repeat("{}\n", 10_000))
	for range 5 {
		said = from("flood", ten)
	}
	if said.Refused() != 10_000 || said.Warnings[ingest.WarnNotKept] != 10_000 || len(log.rejected) != 50_000 {
		t.Errorf("refused %v, warnings %v; %d are kept", said.Rejected, said.Warnings, len(log.rejected))
	}
	if said = from("another", ten); said.Warnings != nil || len(log.rejected) != 60_000 {
		t.Errorf("another's warnings %v; %d are kept", said.Warnings, len(log.rejected))
	}
	now = now.Add(time.Minute)
	if said = from("flood", ten); said.Warnings[ingest.WarnNotKept] != 10_000-60*50 {
		t.Errorf("a minute later: warnings %v", said.Warnings)
	}
}

// TestDeepBodiesTakeNoMemory: six bodies of a few bytes in gzip, each nested a
// million levels deep, took 2.8 GB of stack.
func TestDeepBodiesTakeNoMemory(t *testing.T) {
	body := gzipped(t, `{"colour":`+strings.Repeat("[", 1_000_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 6 {
		log := &slice{}
		c := collector(t, func(bool) ingest.Log { return log })
		c.MaxBody = 8 << 20
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(body))
		r.Header.Set("Content-Type", ndjson)
		r.Header.Set("Content-Encoding", "gzip")
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "nested more than 64 levels deep") {
			t.Errorf("answered %d, %s", w.Code, w.Body)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.StackSys) - int64(before.StackSys); grown > 16<<20 {
		t.Errorf("six bodies of %d bytes took %d MiB of stack", len(body), grown>>20)
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
