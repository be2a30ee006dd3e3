package dashboards

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, p *Page, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func builtPage() *Page {
	return newPage(fstest.MapFS{
		"web/dist/index.html":          {Data: []byte(`<script type="module" src="/assets/index-abc.js"></script>`)},
		"web/dist/assets/index-abc.js": {Data: []byte("1")},
	})
}

// TestPage: the page is fresh at each visit, its hashed assets never again, and
// neither may load anything from elsewhere.
func TestPage(t *testing.T) {
	for _, c := range []struct{ path, contentType, cache, body string }{
		{"/", "text/html; charset=utf-8", "no-cache", "/assets/index-abc.js"},
		{"/accounts", "text/html; charset=utf-8", "no-cache", "/assets/index-abc.js"},
		{"/assets/index-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "1"},
	} {
		w := get(t, builtPage(), c.path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != c.contentType || w.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %v", c.path, w.Code, w.Header())
		}
		if !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s has no %q: %s", c.path, c.body, w.Body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'self'; img-src 'self' blob:;") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
	}
}

// TestPageAbsent: an asset that isn't there is 404, never the page; nothing
// outside the folder can be named.
func TestPageAbsent(t *testing.T) {
	for _, path := range []string{"/assets/index-old.js", "/assets/", "/assets/../index.html", "/assets/../../doc.go"} {
		w := get(t, builtPage(), path)
		if w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") == "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
}

// TestPageFramed: only pages of the sites that are named may frame it.
func TestPageFramed(t *testing.T) {
	for want, p := range map[string]*Page{
		"frame-ancestors 'none'":                                    newPage(fstest.MapFS{}),
		"frame-ancestors https://example.org https://other.example": newPage(fstest.MapFS{}, "https://example.org", "https://other.example"),
	} {
		if got := get(t, p, "/embed/ranking").Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "; "+want) {
			t.Errorf("%q doesn't end in %q", got, want)
		}
	}
}

// TestPageUnbuilt: a binary without the page says how to build it.
func TestPageUnbuilt(t *testing.T) {
	p := newPage(fstest.MapFS{"web/dist/.gitignore": {Data: []byte("*")}})
	if w := get(t, p, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") || p.Built() {
		t.Errorf("%d %s, built %v", w.Code, w.Body, p.Built())
	}
	if !builtPage().Built() {
		t.Error("a built page says that it isn't")
	}
}
