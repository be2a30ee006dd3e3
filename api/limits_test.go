package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
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
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
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
