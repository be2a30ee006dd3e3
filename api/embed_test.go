package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"rollcall"
	"rollcall/api/access"
)

// TestEmbed: a chart on another site has its page, and the published figures of
// the markets that are listed, as a reader; nothing else goes without a key.
func TestEmbed(t *testing.T) {
	say := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c := access.Of(r.Context()); what == "open" && (!c.IsReader() || !slices.Equal(c.Markets, []rollcall.MarketID{"FR"})) {
				what = "open to more than a reader of FR"
			}
			_, _ = io.WriteString(w, what+" "+r.URL.Path)
		})
	}
	h := Embed{Page: say("page"), Markets: []rollcall.MarketID{"FR"}}.Handler(say("open"), say("next"))
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/embed/ranking?market=FR", 200, "page /embed/ranking"},
		{"GET", "/embed/v1/reports/ranking?market=FR&month=2002-10", 200, "open /v1/reports/ranking"},
		{"GET", "/embed/v1/publications?market=FR", 200, "open /v1/publications"},
		{"GET", "/embed/v1/services", 200, "open /v1/services"},
		{"GET", "/embed/v1/markets", 200, "open /v1/markets"},
		{"GET", "/embed/v1/reports/ranking?market=BE", 404, ""},
		{"GET", "/embed/v1/reports/ranking?market=FR&market=BE", 404, ""},
		{"GET", "/embed/v1/reports/ranking?market=FR&live=true", 404, ""},
		{"GET", "/embed/v1/reports/ranking", 404, ""},
		{"GET", "/embed/v1/census?market=FR", 404, ""},
		{"GET", "/embed/v1/publications/FR/demo/2002-10/1/diff/2?market=FR", 404, ""},
		{"GET", "/embed/v1/rejected", 404, ""},
		{"GET", "/embed/../v1/rejected", 404, ""},
		{"POST", "/embed/v1/publications?market=FR", 405, ""},
		{"GET", "/embedded", 200, "next /embedded"},
		{"GET", "/v1/reports/ranking?market=FR", 200, "next /v1/reports/ranking"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
	}
}

// TestCheckSite: a site is an origin; nothing in it can reach into the policy's text.
func TestCheckSite(t *testing.T) {
	for _, good := range []string{"https://example.org", "http://localhost:3000"} {
		if err := CheckSite(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "example.org", "https://example.org/", "https://example.org/a", "https://*.example.org", "https://a; script-src *", "ftp://a", "https://a b", "https://user@a/", "'self'"} {
		if CheckSite(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
