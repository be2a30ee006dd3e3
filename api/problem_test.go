package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/problem"
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
		{"POST", "/v1/panels/nn/months/2002-10", "GET, HEAD, PUT, OPTIONS", 405},
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
		if got := answer.Header.Get("Content-Type"); c.want >= 400 && got != problem.ContentType {
			t.Errorf("%s %s: content type %q", c.method, c.path, got)
		}
	}
}

// TestFaults: whoever finds a fault, it is told with its place, code and value,
// once, and with all others of the request.
func TestFaults(t *testing.T) {
	h := (&askedServer{}).server().Handler()
	const post = "POST /v1/publications "
	fault := func(location, code, message string, value any) problem.Fault {
		return problem.Fault{Location: location, Code: code, Message: message, Value: value}
	}
	for ask, want := range map[string][]problem.Fault{
		"GET /v1/census?market=FR&from=2002-10-01&to=x&min_accounts=-1&x=1&location=moon": {
			fault("query.min_accounts", "pattern", "is not a whole number of 0 or more, of 9 digits at most", "-1"),
			fault("query.x", "unknown_parameter", "is not a parameter of this; the nearest are by, to, from", nil),
			fault("query.to", "day", "is not a date YYYY-MM-DD or a month YYYY-MM", "x"), fault("query.location", "location", "is not home, work, elsewhere, several of these joined by +, any, both, home-only or work-only", "moon"),
		},
		"GET /v1/reports/ranking?panel=nn&version=one": {
			fault("query.market", "missing", "is missing", nil), fault("query.version", "type", "is not a whole number", "one"),
			fault("query.month", "missing", "is missing; or give from and to", nil),
		},
		"GET /v1/census?market=FR&from=2002-10&to=2002-10&platform=fax&by=decade&window=2d": {
			fault("query.platform", "platform", "is not computer, phone, tablet, web, other or none", "fax"),
			fault("query.by", "by", "is not platform, segment, location, kind, day, week, month, quarter or year", "decade"),
			fault("query.window", "window", "is not 1d, 7d, 28d, 30d or month", "2d"),
		},
		"GET /v1/reports/rank?month=2002-10":         {fault("path.report", "unknown", "is not known; the nearest are ranking, trend, curve", "rank")},
		"PUT /v1/panels/nn/months/2002-13?market=FR": {fault("path.month", "month", "is not a month YYYY-MM", "2002-13")},
		"GET /v1/rejected?all=perhaps":               {fault("query.all", "parameter", "is neither true nor false", "perhaps")},
		post + `{"market":"FR","low":-1,"status":"closed","owner":{"panelist":"P1"}}`: {
			fault("body.panel", "missing", "is missing", nil), fault("body.month", "missing", "is missing", nil),
			fault("body.low", "out_of_range", "is under 0", -1.0), fault("body.status", "not_one_of", "is not one of preliminary, final, restated", "closed"),
			fault("body.owner", "unknown_property", "is no field of this", nil),
		},
		post + `{"market":`: {fault("body", "malformed", "unexpected end of JSON input", nil)},
	} {
		method, path, _ := strings.Cut(ask, " ")
		path, body, _ := strings.Cut(path, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var p problem.Details
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != problem.ContentType || p.Status != w.Code || p.Type != problem.TypePrefix+p.Code {
			t.Errorf("%s: %d %v %s, %v", ask, w.Code, w.Header(), w.Body, err)
		}
		left := slices.Clone(want)
		for _, f := range p.Errors {
			i := slices.Index(left, *f)
			if i < 0 {
				t.Errorf("%s: %+v", ask, *f)
				continue
			}
			left = slices.Delete(left, i, i+1)
		}
		for _, f := range left {
			t.Errorf("%s lacks %+v", ask, f)
		}
	}
}
