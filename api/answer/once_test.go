package answer

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestOnce: a request is done once a key, for a day, unless it failed.
func TestOnce(t *testing.T) {
	now, done, status := time.Unix(1e9, 0), 0, http.StatusCreated
	o := &Once{Path: "/x", Sender: func(r *http.Request) string { return r.Header.Get("From") }, Now: func() time.Time { return now }}
	h := o.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		done++
		w.Header().Set("Location", fmt.Sprintf("/x/%d", done))
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "%s %d", body, done)
	}))
	for i, c := range []struct {
		from, key, body string
		answers         int // of the handler
		after           time.Duration
		status          int // what is answered
		says            string
	}{
		{"a", "1", "b", 201, 0, 201, "b 1"},
		{"a", "1", "b", 201, 0, 201, "b 1"},
		{"b", "1", "b", 201, 0, 201, "b 2"},
		{"a", "1", "c", 201, 0, 422, "another body"},
		{"a", "2", "c", 409, 0, 409, "c 3"},
		{"a", "2", "c", 200, 0, 200, "c 4"},
		{"a", "", "c", 201, 0, 201, "c 5"},
		{"a", "", "c", 201, 0, 201, "c 6"},
		{"a", "1", "b", 201, OnceTime, 201, "b 7"},
	} {
		now, status = now.Add(c.after), c.answers
		r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(c.body))
		r.Header.Set("From", c.from)
		r.Header.Set("Idempotency-Key", c.key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%d: %d %s, want %d %s", i, w.Code, w.Body, c.status, c.says)
		}
		if _, n, ok := strings.Cut(c.says, " "); ok && c.status == http.StatusCreated && w.Header().Get("Location") != "/x/"+n {
			t.Errorf("%d: Location %q", i, w.Header().Get("Location"))
		}
	}
	for n := range 2 * mostOnce {
		r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader("b"))
		r.Header.Set("Idempotency-Key", fmt.Sprint("many ", n))
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(o.byKey) > mostOnce || o.order.Len() != len(o.byKey) {
		t.Errorf("%d keys are remembered, in an order of %d", len(o.byKey), o.order.Len())
	}
}

// TestOnceUnderWay: a second request doesn't wait for the first, and a first that
// panicked is forgotten.
func TestOnceUnderWay(t *testing.T) {
	o := &Once{Path: "/x", Sender: func(*http.Request) string { return "" }, Now: time.Now}
	var h http.Handler
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader("b"))
		r.Header.Set("Idempotency-Key", "1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	first := true
	h = o.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !first {
			_, _ = io.WriteString(w, "done")
			return
		}
		first = false
		if got := ask(); got.Code != http.StatusConflict || got.Header().Get("Retry-After") == "" {
			t.Errorf("under way: %d %s", got.Code, got.Body)
		}
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }()
		ask()
	}()
	if got := ask(); got.Code != http.StatusOK || got.Body.String() != "done" {
		t.Errorf("after a panic: %d %s", got.Code, got.Body)
	}
}
