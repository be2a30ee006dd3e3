package answer

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// sharedAsked is a question to a Shared whose facts change: it answers with what
// they were when it began, and ends when it is let go.
type sharedAsked struct {
	handler http.Handler
	facts   atomic.Int64
	done    atomic.Int64 // computations
	goOn    chan struct{}
}

func newShared(answer func(w http.ResponseWriter, r *http.Request, facts int64)) *sharedAsked {
	a := &sharedAsked{goOn: make(chan struct{})}
	s := &Shared{Under: "/v1/census", Key: func(r *http.Request) string { return r.URL.String() + r.Header.Get("From") }}
	a.handler = s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.done.Add(1)
		facts := a.facts.Load()
		<-a.goOn
		answer(w, r, facts)
	}))
	return a
}

func (a *sharedAsked) ask(ctx context.Context, path, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	r.Header.Set("From", from)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

func sayFacts(w http.ResponseWriter, _ *http.Request, facts int64) {
	w.Header().Set("ETag", fmt.Sprint(facts))
	_, _ = fmt.Fprint(w, facts)
}

// TestSharedIsNeverStale: however many ask at once, two computations answer them,
// and nobody is given what was computed before the asking.
func TestSharedIsNeverStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newShared(sayFacts)
		var asked sync.WaitGroup
		for range 200 {
			a.facts.Add(1)
			began := a.facts.Load()
			asked.Go(func() {
				w := a.ask(t.Context(), "/v1/census?a", "x")
				got, err := strconv.ParseInt(w.Body.String(), 10, 64)
				if err != nil || w.Code != http.StatusOK || got < began || w.Header().Get("ETag") != w.Body.String() {
					t.Errorf("asked at %d, answered %d %q of %q", began, w.Code, w.Body, w.Header().Get("ETag"))
				}
			})
			synctest.Wait()
		}
		close(a.goOn)
		asked.Wait()
		if n := a.done.Load(); n != 2 {
			t.Errorf("%d computations", n)
		}
		a.facts.Add(1)
		if w := a.ask(t.Context(), "/v1/census?a", "x"); w.Body.String() != fmt.Sprint(a.facts.Load()) {
			t.Errorf("later %q: an answer is kept", w.Body)
		}
	})
}

// TestSharedApart: what is not the same question, or not under the path, is
// computed for itself.
func TestSharedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newShared(sayFacts)
		var asked sync.WaitGroup
		for _, q := range [][2]string{{"/v1/census?a", "x"}, {"/v1/census?b", "x"}, {"/v1/census?a", "y"}, {"/v1/reports", "x"}, {"/v1/reports", "x"}, {"/v1/census/nodeinfo", "x"}} {
			asked.Go(func() { a.ask(t.Context(), q[0], q[1]) })
		}
		synctest.Wait()
		if n := a.done.Load(); n != 6 {
			t.Errorf("%d computations begun at once", n)
		}
		close(a.goOn)
		asked.Wait()
	})
}

// TestSharedGoneAway: who goes away, first or in the middle, costs the others
// nothing; what was refused for want of room, or broke, is not theirs.
func TestSharedGoneAway(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request, facts int64){
		"gone": func(w http.ResponseWriter, r *http.Request, facts int64) {
			if r.Context().Err() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
			sayFacts(w, r, facts)
		},
		"busy": func(w http.ResponseWriter, r *http.Request, facts int64) {
			if r.Context().Err() != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			sayFacts(w, r, facts)
		},
		"broken": func(w http.ResponseWriter, r *http.Request, facts int64) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler)
			}
			sayFacts(w, r, facts)
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { goAway(t, answer) }) })
	}
}

func goAway(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, facts int64)) {
	a := newShared(answer)
	impatient, leave := context.WithCancel(t.Context())
	var asked sync.WaitGroup
	ask := func(ctx context.Context, wants int) {
		asked.Go(func() {
			defer func() { _ = recover() }() // of a handler that broke: net/http does so too
			if w := a.ask(ctx, "/v1/census?a", "x"); wants != 0 && (w.Code != wants || w.Body.String() != "0") {
				t.Errorf("answered %d %q", w.Code, w.Body)
			}
		})
		synctest.Wait()
	}
	for range 3 {
		ask(impatient, 0) // the first does it, the others wait
		ask(t.Context(), http.StatusOK)
	}
	leave()
	synctest.Wait()
	close(a.goOn)
	asked.Wait()
	if n := a.done.Load(); n > 3 {
		t.Errorf("%d computations", n)
	}
}

// TestSharedRefused: where one is refused for want of room, those who waited for
// it ask for themselves.
func TestSharedRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a *sharedAsked
		a = newShared(func(w http.ResponseWriter, r *http.Request, facts int64) {
			if a.done.Load() == 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			sayFacts(w, r, facts)
		})
		var asked sync.WaitGroup
		var refused atomic.Int64
		for range 5 {
			asked.Go(func() {
				if w := a.ask(t.Context(), "/v1/census?a", "x"); w.Code == http.StatusServiceUnavailable {
					refused.Add(1)
				}
			})
			synctest.Wait()
		}
		close(a.goOn)
		asked.Wait()
		if refused.Load() != 1 {
			t.Errorf("%d refused", refused.Load())
		}
	})
}

// TestSharedIsBounded: no more wait than there is room for, and those who don't are
// told to come back.
func TestSharedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newShared(sayFacts)
		var asked sync.WaitGroup
		var refused atomic.Int64
		for range mostSharing + 11 {
			asked.Go(func() {
				if w := a.ask(t.Context(), "/v1/census?a", "x"); w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "1" {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		close(a.goOn)
		asked.Wait()
		if refused.Load() != 10 || a.done.Load() != 2 {
			t.Errorf("%d refused, %d computations", refused.Load(), a.done.Load())
		}
	})
}
