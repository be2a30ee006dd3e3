package api

import (
	"bufio"
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rollcall"
	"rollcall/api/access"
	"rollcall/internal/problem"
)

// TestLimits: so many are worked on, so many wait, others are told to come back;
// one that gives up waiting lets another wait.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		working, done := 0, make(chan struct{})
		var mu sync.Mutex
		h := newLimiter(2, 3, "/v1/reports/", "/v1/census").limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			mu.Lock()
			working++
			mu.Unlock()
			<-done
		}))
		var run sync.WaitGroup
		ctx, leave := context.WithCancel(t.Context())
		ask := func(ctx context.Context, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
			r.RemoteAddr = strings.ReplaceAll(path, "/", "-") + ":1" // another sender for each: no one may have all
			h.ServeHTTP(w, r)
			return w
		}
		for range 4 {
			run.Go(func() { ask(t.Context(), "/v1/reports/ranking") })
		}
		synctest.Wait()
		run.Go(func() { ask(ctx, "/v1/census") })
		synctest.Wait()
		if working != 2 {
			t.Errorf("%d are worked on, want 2", working)
		}
		w := ask(t.Context(), "/v1/reports/trend")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("the sixth: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
		leave()
		synctest.Wait()
		run.Go(func() { ask(t.Context(), "/v1/census") })
		run.Go(func() { ask(t.Context(), "/") }) // the page has no figure in it
		synctest.Wait()
		if working != 3 {
			t.Errorf("%d are worked on, want 3", working)
		}
		close(done)
		run.Wait()
		if working != 6 {
			t.Errorf("%d were worked on, want 6", working)
		}
	})
}

// TestNoSenderFillsALimiter: one that asks without end leaves room for others.
func TestNoSenderFillsALimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 8)
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		for range 20 {
			run.Go(func() { _, _ = l.enter(ctx, "greedy") })
		}
		synctest.Wait()
		entered := make(chan struct{})
		run.Go(func() {
			leave, err := l.enter(t.Context(), "other")
			if err == nil {
				close(entered)
				leave()
				leave()
			}
		})
		synctest.Wait()
		stop()
		<-l.working // the greedy one's that was worked on
		<-l.inside
		run.Wait()
		select {
		case <-entered:
		default:
			t.Error("one sender kept another out")
		}
	})
}

// TestNoSenderIsAllThatIsWorkedOn: one that asks for what takes long leaves others
// a place to be worked on.
func TestNoSenderIsAllThatIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, done := newLimiter(4, 8), make(chan struct{})
		var run sync.WaitGroup
		var greedy, others atomic.Int32
		work := func(name string, worked *atomic.Int32) {
			leave, err := l.enter(t.Context(), name)
			if err != nil {
				t.Error(err)
				return
			}
			worked.Add(1)
			<-done
			leave()
		}
		for range 8 {
			run.Go(func() { work("greedy", &greedy) })
		}
		synctest.Wait()
		run.Go(func() { work("other", &others) })
		synctest.Wait()
		if greedy.Load() != 3 || others.Load() != 1 {
			t.Errorf("%d of one sender are worked on and %d of another, want 3 and 1", greedy.Load(), others.Load())
		}
		close(done)
		run.Wait()
		if greedy.Load() != 8 || len(l.by) != 0 || len(l.working) != 0 || len(l.inside) != 0 {
			t.Errorf("%d were worked on; left are %d senders, %d working, %d inside", greedy.Load(), len(l.by), len(l.working), len(l.inside))
		}
	})
}

// TestKeptAnswers: an answer that was given is given again though everything is
// busy, and what is computed live never is.
func TestKeptAnswers(t *testing.T) {
	busy := &busyReports{hold: make(chan struct{})}
	s := busy.server()
	s.Reports, s.Concurrent = busy, 2
	h := s.Handler()
	const path = "/v1/reports/ranking?market=FR&panel=nn&month=2002-10"
	get := func(path string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code
	}
	if got := get(path); got != http.StatusOK {
		t.Fatalf("at first: %d", got)
	}
	var run sync.WaitGroup
	for range 100 { // fill what is worked on and what waits
		run.Go(func() { get(path + "&service=aim") })
	}
	for range 69 {
		if got := get(path); got != http.StatusOK {
			t.Errorf("an answer that is kept: %d", got)
		}
	}
	close(busy.hold)
	run.Wait()
	before := busy.computed.Load()
	get(path + "&live=true")
	get(path + "&live=true")
	if got := busy.computed.Load() - before; got != 2 {
		t.Errorf("%d were computed, want 2", got)
	}
}

// TestOneCensusForManyReaders: however many readers ask for one census at once,
// all are answered, and it is computed twice at most; others have their places
// meanwhile.
func TestOneCensusForManyReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, hold := (&askedServer{}).server(), make(chan struct{})
		var computed atomic.Int64
		s.Census = func(context.Context, rollcall.CensusQuery) (*rollcall.Table, error) {
			computed.Add(1)
			<-hold
			return &rollcall.Table{}, nil
		}
		h := s.Handler()
		var run sync.WaitGroup
		for range 500 {
			run.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/census?market=FR&from=2002-10&to=2002-10", http.NoBody))
				if w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		close(hold)
		run.Wait()
		if n := computed.Load(); n != 2 {
			t.Errorf("it was computed %d times", n)
		}
	})
}

// busyReports answers about aim when hold is closed.
type busyReports struct {
	askedServer
	hold     chan struct{}
	computed atomic.Int64
}

func (b *busyReports) Report(_ context.Context, q rollcall.Query) (*rollcall.Table, error) {
	b.computed.Add(1)
	if len(q.Services) > 0 {
		<-b.hold
	}
	return &rollcall.Table{}, nil
}

// endless are the rejected of a log without end.
type endless struct{ ended chan error }

func (e endless) Rejected(ctx context.Context, _ RejectedQuery) iter.Seq2[rollcall.Rejected, error] {
	return func(yield func(rollcall.Rejected, error) bool) {
		defer func() { e.ended <- ctx.Err() }()
		for yield(rollcall.Rejected{Body: make([]byte, 64<<10)}, nil) { // the sender decides
		}
	}
}

func (endless) Resend(context.Context, RejectedQuery) (Resent, error) { return Resent{}, nil }

// TestSlowReaders: readers that take nothing of a listing are in no report's
// way, and are let go.
func TestSlowReaders(t *testing.T) {
	s, slow := (&askedServer{}).server(), endless{make(chan error, 8)}
	s.Rejected = slow
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = pace{100 * time.Millisecond, 1 << 40}.answers(s.Handler())
	server.Start()
	defer server.Close()
	for range 4 {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "GET /v1/rejected HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	client := server.Client()
	client.Timeout = 20 * time.Second
	answer, err := client.Get(server.URL + "/v1/reports/ranking?market=FR&panel=nn&month=2002-10")
	if err != nil {
		t.Fatalf("beside slow readers: %v", err)
	}
	_ = answer.Body.Close()
	for range 4 {
		select {
		case <-slow.ended: //nolint:errcheck // however it ended
		case <-time.After(20 * time.Second):
			t.Fatal("a slow reader is not let go")
		}
	}
}

// loaded takes every panel file.
type loaded struct{ Panels }

func (loaded) LoadPanel(context.Context, rollcall.PanelMonth, rollcall.PanelFiles) (rollcall.Loaded, error) {
	return rollcall.Loaded{}, nil
}

func (loaded) PanelObjects(context.Context, rollcall.PanelMonth) (rollcall.PanelObjects, error) {
	return rollcall.PanelObjects{}, nil
}

const panelBody = "--b\r\nContent-Disposition: form-data; name=roster; filename=r\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=universe; filename=u\r\n\r\ny\r\n--b--\r\n"

// TestUnfinishedUpload: a body that never ends keeps no other out, and is let go.
func TestUnfinishedUpload(t *testing.T) {
	s := (&askedServer{}).server()
	s.Panels = loaded{}
	server := httptest.NewServer(s.routes(pace{100 * time.Millisecond, 1 << 40}))
	defer server.Close()
	const head = "PUT /v1/panels/nn/months/2002-10?market=FR HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/mixed; boundary=b\r\n"
	unfinished, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer unfinished.Close()
	if _, err := io.WriteString(unfinished, head+"Content-Length: 10000\r\n\r\n"+panelBody[:40]); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v1/panels/nn/months/2002-10?market=FR", strings.NewReader(panelBody))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/mixed; boundary=b")
	client := server.Client()
	client.Timeout = 20 * time.Second
	answer, err := client.Do(r)
	if err != nil {
		t.Fatalf("beside an unfinished body: %v", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("beside an unfinished body: %s", answer.Status)
	}
	if err := unfinished.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(unfinished).ReadString('\n')
	if err != nil || !strings.Contains(line, "408") {
		t.Errorf("the unfinished one got %q, %v", line, err)
	}
}

// TestRate: a key that asks too often is told so, and no other.
func TestRate(t *testing.T) {
	h := rate(3)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(key, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		h.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Caller{ID: key})))
		return w
	}
	for range 3 {
		ask("a", "/v1/markets")
	}
	if w := ask("a", "/v1/markets"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Type") != problem.ContentType {
		t.Errorf("the fourth: %d, %v", w.Code, w.Header())
	}
	for key, path := range map[string]string{"b": "/v1/markets", "a": "/v1/events", "": "/v1/markets"} {
		if w := ask(key, path); w.Code != http.StatusOK {
			t.Errorf("%s by %q: %d", path, key, w.Code)
		}
	}
}
