package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestMethods: a path asked by another method says by which it may be asked, and
// HEAD is GET without a body.
func TestMethods(t *testing.T) {
	server := httptest.NewServer((&askedServer{}).server().Handler())
	defer server.Close()
	for _, c := range []struct {
		method, path, allow string
		want                int
	}{
		{"DELETE", "/v1/markets", "GET, HEAD, POST, OPTIONS", 405},
		{"POST", "/v1/reports/ranking", "GET, HEAD, OPTIONS", 405},
		{"GET", "/v1/panels/nn/months/2002-10", "PUT, OPTIONS", 405},
		{"HEAD", "/v1/panels/nn/months/2002-10", "PUT, OPTIONS", 405},
		{"GET", "/v1/backup", "POST, OPTIONS", 405},
		{"PUT", "/v1/rejected", "GET, HEAD, OPTIONS", 405},
		{"OPTIONS", "/v1/census", "GET, HEAD, OPTIONS", 204},
		{"HEAD", "/v1/version", "", 200},
		{"HEAD", "/v1/version?x=1", "", 422},
		{"DELETE", "/v1/nothing", "", 404},
		{"OPTIONS", "/v1/nothing", "", 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/csv")
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.want || answer.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", c.method, c.path, answer.StatusCode, answer.Header.Get("Allow"), c.want, c.allow)
		}
		if got := answer.Header.Get("Content-Type"); c.want >= 400 && got != problemType {
			t.Errorf("%s %s: content type %q", c.method, c.path, got)
		}
	}
}
