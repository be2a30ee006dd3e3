package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/problem"
)

// TestOf: the kind of an error says status, code and type, and every fault in it
// is told.
func TestOf(t *testing.T) {
	month := &rollcall.Invalid{Field: "month", Value: "2002-13", Reason: "is not a month", Code: "month"}
	market := &rollcall.Unknown{Kind: "market", Name: "FX", Near: []string{"FR"}}
	for _, c := range []struct {
		err    error
		status int
		code   string
		errors string
	}{
		{month, 422, "invalid", `[{"location":"month","code":"month","message":"is not a month","value":"2002-13"}]`},
		{fmt.Errorf("close: %w", errors.Join(month, market)), 422, "invalid", `[{"location":"month","code":"month","message":"is not a month","value":"2002-13"},` +
			`{"location":"market","code":"unknown","message":"is not known; the nearest is FR","value":"FX"}]`},
		{market, 404, "not_found", `[{"location":"market","code":"unknown","message":"is not known; the nearest is FR","value":"FX"}]`},
		{fmt.Errorf("2002-10 is %w", rollcall.ErrNotClosed), 404, "not_closed", "null"},
		{fmt.Errorf("version 1 was %w", rollcall.ErrWithdrawn), 410, "withdrawn", "null"},
		{problem.ErrSlow, 408, "too_slow", "null"},
		{errors.New("disk on fire"), 500, "internal", "null"},
	} {
		d, known := problem.Of(c.err)
		got, err := json.Marshal(d.Errors)
		if err != nil {
			t.Fatal(err)
		}
		if d.Status != c.status || d.Code != c.code || d.Type != "urn:rollcall:problem:"+c.code || string(got) != c.errors || known == (c.status == 500) {
			t.Errorf("%v: %+v, %s", c.err, d, got)
		}
		if strings.Contains(d.Detail, "fire") {
			t.Errorf("a fault of ours is told: %s", d.Detail)
		}
	}
	kept := problem.New(http.StatusForbidden, "no")
	if d, known := problem.Of(fmt.Errorf("so: %w", kept)); d != kept || !known {
		t.Errorf("a problem becomes %+v", d)
	}
}

// TestWrite: what is written is RFC 9457's.
func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, http.StatusNotFound, "nothing")
	want := `{"type":"urn:rollcall:problem:not_found","title":"Not Found","status":404,"code":"not_found","detail":"nothing"}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" || got != want {
		t.Errorf("%d %v %s", w.Code, w.Header(), got)
	}
}

// TestLocate puts a place before the names of fields that have none.
func TestLocate(t *testing.T) {
	d := problem.Invalid([]*problem.Fault{{Location: "query.month", Code: "x"}, {Location: "panel", Code: "x"}, {Location: "panelists.csv line 2", Code: "x"}})
	_ = d.Locate(func(field string) string {
		if field == "panel" {
			return "path"
		}
		return ""
	})
	var got []string
	for _, f := range d.Errors {
		got = append(got, f.Location)
	}
	if !slices.Equal(got, []string{"query.month", "path.panel", "panelists.csv line 2"}) {
		t.Errorf("%q", got)
	}
}

// TestCodesAreDocumented: a code that a client meets can be looked up.
func TestCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := problem.Codes()
	if sorted := slices.Sorted(slices.Values(codes)); len(codes) < 15 || len(slices.Compact(sorted)) != len(codes) {
		t.Errorf("the codes are %q", codes)
	}
	for _, code := range codes {
		if !strings.Contains(string(text), "`"+code+"`") {
			t.Errorf("docs/api.md has no code %s", code)
		}
	}
}

// TestNothingAt: who opens an address at which nothing is in a browser reads a page
// with a link to the start, in his language; every other client, and everyone under
// /v1/, has the problem.
func TestNothingAt(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		method, path, accept, language string
		contentType, want              string
	}{
		{"GET", "/nowhere", browser, "en-GB,en", "text/html; charset=utf-8", "<h1>There is nothing at /nowhere</h1>"},
		{"GET", "/nowhere", browser, "fr-FR,fr;q=0.9,en;q=0.8", "text/html; charset=utf-8", "<h1>Il n’y a rien à /nowhere</h1>"},
		{"GET", "/%3Cscript%3E", browser, "", "text/html; charset=utf-8", "nothing at /%3Cscript%3E</h1>"},
		{"GET", "/nowhere?lang=fr", browser, "en-GB,en", "text/html; charset=utf-8", "<h1>Il n’y a rien à /nowhere</h1>"},
		{"GET", "/nowhere?lang=en", browser, "fr", "text/html; charset=utf-8", "<h1>There is nothing at /nowhere</h1>"},
		{"GET", "/nowhere", browser, "frr, fr", "text/html; charset=utf-8", "<h1>There is nothing at /nowhere</h1>"},
		{"GET", "/%E2%80%AEesrever%ff", browser, "", "text/html; charset=utf-8", "nothing at /%E2%80%AEesrever%ff</h1>"},
		{"GET", "/" + strings.Repeat("n", 30_000), browser, "", "text/html; charset=utf-8", "nothing at /" + strings.Repeat("n", 199) + "…</h1>"},
		{"GET", "/nowhere", "text/html;q=0, */*", "en", problem.ContentType, `"status":404`},
		{"GET", "/nowhere", "text/html;q=0.5", "en", "text/html; charset=utf-8", "nothing at /nowhere"},
		{"GET", "/v1/nowhere", browser, "en", problem.ContentType, `"detail":"there is nothing at /v1/nowhere"`},
		{"POST", "/nowhere", browser, "en", problem.ContentType, `"detail":"there is nothing at /nowhere"`},
		{"GET", "/nowhere", "*/*", "en", problem.ContentType, `"status":404`},
		{"GET", "/nowhere", "application/json, text/html-like", "en", problem.ContentType, `"status":404`},
		{"HEAD", "/nowhere", browser, "en", "text/html; charset=utf-8", ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
		r.Header.Set("Accept", c.accept)
		r.Header.Set("Accept-Language", c.language)
		problem.NothingAt(w, r)
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != c.contentType || !strings.Contains(w.Body.String(), c.want) || !slices.Contains(w.Header().Values("Vary"), "Accept") {
			t.Errorf("%s %s for %q: %d %v %s", c.method, c.path, c.accept, w.Code, w.Header(), w.Body)
		}
		if page := strings.HasPrefix(c.contentType, "text/html"); page && !strings.Contains(w.Header().Get("Content-Security-Policy"), "style-src") || page && c.method == "GET" && !strings.Contains(w.Body.String(), `<a href="/?lang=`) || c.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("%s %s: %s", c.method, c.path, w.Body)
		}
	}
}
