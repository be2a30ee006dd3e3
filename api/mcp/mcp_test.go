package mcp

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// called answers one call of a tool from routes.
func called(t *testing.T, routes http.Handler, call string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+call+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	w := httptest.NewRecorder()
	Handler(routes, "rollcall test", slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w
}

// TestRoutesFail: what ends badly in the API is a failed call, and nothing of why
// is told; the process goes on, though the call is in a goroutine of its own.
func TestRoutesFail(t *testing.T) {
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hidden") })
	if a := called(t, broken, `{"name":"method"}`); !strings.Contains(a.Body.String(), `"isError":true`) || strings.Contains(a.Body.String(), "hidden") {
		t.Errorf("a broken route: %s", a.Body)
	}
}

// TestAnswerIsBounded: of an answer that is too long nothing is held.
func TestAnswerIsBounded(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	g := asker{routes: long, request: httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, http.NoBody)}.ask("/v1/census", nil)
	if g.size != 100<<20 || g.body.Len() > mostAnswered {
		t.Errorf("of %d bytes %d are held", g.size, g.body.Len())
	}
}

// TestNotAnObject: arguments that are none are a failed call that says so.
func TestNotAnObject(t *testing.T) {
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the API was asked") })
	for _, arguments := range []string{`[]`, `"FR"`, `{"about":1.5}`, `{"about":{"a":[[[]]]}}`} {
		if a := called(t, never, `{"name":"method","arguments":`+arguments+`}`); !strings.Contains(a.Body.String(), `"isError":true`) {
			t.Errorf("%s: %d %s", arguments, a.Code, a.Body)
		}
	}
}
