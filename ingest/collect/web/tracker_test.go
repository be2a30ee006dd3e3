package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/tracker"
	"rollcall/ingest/profile"
	"rollcall/internal/problem"
)

// The clock of these tests stands at 2002-11-01T00:00:00Z.
const phoneAgent = `"context":{"device":{"type":"android"}}`

// ofKey are the defaults of the key that trackers send with.
func ofKey() rollcall.Defaults { return rollcall.Defaults{Market: "FR", Service: "msn"} }

func track(t *testing.T, log *slice, defaults rollcall.Defaults, path string, b body) *httptest.ResponseRecorder {
	t.Helper()
	c := collector(t, func(bool) ingest.Log { return log })
	platforms, err := profile.BuiltinPlatforms()
	if err != nil {
		t.Fatal(err)
	}
	c.Platform, c.MaxBody = platforms, 2*maxBody
	c.Admit = func(_ *http.Request, key string) (rollcall.Defaults, error) {
		if strings.HasPrefix(path, "/batch") && key != "rc_key" {
			return defaults, problem.New(http.StatusUnauthorized, "an API key is needed")
		}
		return defaults, nil
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(b.text))
	for i := 0; i < len(b.headers); i += 2 {
		r.Header.Set(b.headers[i], b.headers[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// passed are the reasons of an answer, in order.
func passed(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var got answered
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, why := range slices.Sorted(maps.Keys(got.PassedOver)) {
		words = append(words, fmt.Sprint(why, " ", got.PassedOver[why]))
	}
	return strings.Join(words, ", ")
}

// TestCalls: what each call of Segment's API is.
// reason: one table.
func TestCalls(t *testing.T) {
	for _, tt := range []struct {
		name, call string
		want       string // the event; or why it is none, after a colon; or "line field"
	}{
		{"a track", `{"type":"track","event":"Chat Opened","userId":"u","timestamp":"2002-10-31T23:00:00Z"}`, "10-31T23:00 FR msn elsewhere use none none"},
		{"its name says what", `{"type":"track","event":"Signed In","userId":"u","timestamp":"2002-10-31T23:00:00Z"}`, "10-31T23:00 FR msn elsewhere login none none"},
		{"its properties say all", `{"type":"track","event":"Signed In","userId":"u","timestamp":"2002-10-31T23:00:00Z","properties":{"place":"work","kind":"presence","segment":"acme","platform":"desktop","until":"2002-10-31T23:30:00Z","price":3}}`, "10-31T23:00 FR msn work presence computer acme"},
		{"an object of ours", `{"type":"track","event":"x","userId":"u","timestamp":"2002-10-31T23:00:00Z","properties":{"service":{"id":3},"kind":"gold","rollcall":{"location":"home"}}}`, "10-31T23:00 FR msn home use none none"},
		{"a page", `{"type":"page","userId":"u","timestamp":"2002-10-31T23:00:00Z","context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64)"}}`, "10-31T23:00 FR msn elsewhere use web none"},
		{"a screen", `{"type":"screen","userId":"u","timestamp":"2002-10-31T23:00:00Z",` + phoneAgent + `}`, "10-31T23:00 FR msn elsewhere use phone none"},
		{"a tablet", `{"type":"screen","userId":"u","timestamp":"2002-10-31T23:00:00Z","context":{"device":{"type":"ios","model":"iPad13,4"}}}`, "10-31T23:00 FR msn elsewhere use tablet none"},
		{"by its system", `{"type":"screen","userId":"u","timestamp":"2002-10-31T23:00:00Z","context":{"device":[],"os":{"name":"Android"}}}`, "10-31T23:00 FR msn elsewhere use phone none"},
		{"without a time", `{"type":"page","userId":"u"}`, "11-01T00:00 FR msn elsewhere use none none"},
		{"a number", `{"type":"page","userId":17,"properties":[],"context":null}`, "11-01T00:00 FR msn elsewhere use none none"},

		{"a clock an hour slow", `{"type":"page","userId":"u","originalTimestamp":"2002-10-31T22:20:00Z","sentAt":"2002-10-31T23:00:00Z"}`, "10-31T23:20 FR msn elsewhere use none none"},
		{"a clock of 1970", `{"type":"page","userId":"u","timestamp":"1970-01-01T00:00:10Z","sentAt":"1970-01-01T00:10:10Z"}`, "10-31T23:50 FR msn elsewhere use none none"},
		{"a clock two days fast", `{"type":"page","userId":"u","timestamp":"2002-11-02T23:50:00Z","sentAt":"2002-11-03T00:00:00Z","properties":{"until":"2002-11-02T23:55:00Z"}}`, "10-31T23:50 FR msn elsewhere use none none"},
		{"half a minute under way", `{"type":"page","userId":"u","timestamp":"2002-10-31T23:00:59Z","sentAt":"2002-10-31T23:59:30Z"}`, "10-31T23:00 FR msn elsewhere use none none"},
		{"corrected already", `{"type":"page","userId":"u","originalTimestamp":"2002-10-31T21:00:00Z","sentAt":"2002-10-31T22:00:00Z","timestamp":"2002-10-31T22:30:00Z","receivedAt":"2002-10-31T23:30:00Z"}`, "10-31T22:30 FR msn elsewhere use none none"},

		{"who somebody is", `{"type":"identify","userId":"u","traits":{"email":"u@mail.example"}}`, ":identify 1"},
		{"a group", `{"type":"group","userId":"u","groupId":"g"}`, ":group 1"},
		{"an alias", `{"type":"alias","userId":"u","previousId":"v"}`, ":alias 1"},
		{"a visitor", `{"type":"page","anonymousId":"a","userId":null}`, ":anonymous 1"},
		{"a blank user", `{"type":"page","anonymousId":"a","userId":"  "}`, ":anonymous 1"},
		{"what was done to them", `{"type":"track","event":"Message Received","userId":"u"}`, ":received 1"},

		{"a place that is none", `{"type":"page","userId":"u","properties":{"location":"moon"}}`, "1 location"},
		{"a service that is none", `{"type":"page","userId":"u","properties":{"service":"mns"}}`, "1 service"},
		{"a service that is no text", `{"type":"page","userId":"u","properties":{"service":{"id":3}}}`, "1 service"},
		{"a time that is none", `{"type":"page","userId":"u","timestamp":"yesterday"}`, "1 timestamp"},
		{"an end that is none", `{"type":"page","userId":"u","properties":{"until":"later"}}`, "1 until"},
		{"an old one", `{"type":"page","userId":"u","timestamp":"1999-10-03T00:00:00Z"}`, "1 time"},
		{"a user that is an object", `{"type":"page","userId":{"id":1}}`, "1 userId"},
		{"a type that is none", `{"type":"purchase","userId":"u"}`, "1 type"},
		{"no type", `{"userId":"u"}`, "1 type"},
		{"no object", `"page"`, "1 line"},
		{"not UTF-8", "{\"type\":\"page\",\"userId\":\"caf\xe9\"}", "1 line"},
		{"null", `null`, "1 line"},
		{"a long one", `{"type":"page","userId":"u","properties":{"x":"` + strings.Repeat("x", tracker.MaxCall) + `"}}`, "1 line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &slice{}
			w := track(t, log, ofKey(), "/v1/batch", body{[]string{"Content-Type", "application/json"}, `{"batch":[` + tt.call + `]}`})
			got := faults(t, w)
			if why := passed(t, w); why != "" {
				got = ":" + why
			}
			for _, e := range log.events {
				got = said(e)
			}
			status := http.StatusOK
			if strings.HasPrefix(tt.want, "1 ") {
				status = http.StatusUnprocessableEntity
			}
			if got != tt.want || w.Code != status || len(log.events) > 1 {
				t.Errorf("%d, %q, want %q: %s", w.Code, got, tt.want, w.Body)
			}
			for _, r := range log.rejected {
				if again := r.Code == "unknown_service" || r.Code == "too_old"; again != strings.Contains(string(r.Body), `"account":"u"`) {
					t.Errorf("refused as %s, and kept as %s", r.Code, r.Body)
				}
				if kept := string(r.Body) + r.Reason; strings.Contains(kept, "mail.example") || strings.Contains(kept, "properties") || strings.Contains(kept, "xxx") {
					t.Errorf("kept of a refused one: %s", kept)
				}
			}
		})
	}
}

// TestTrackers: the bodies of trackers, and what each is answered.
func TestTrackers(t *testing.T) {
	const (
		page  = `{"type":"page","userId":"u","timestamp":"2002-10-31T23:00:00Z"}`
		event = `{"event":"$pageview","distinct_id":"u","timestamp":"2002-10-31T23:00:00Z"}`
	)
	batch := `{"batch":[` + page + `],"sentAt":"2002-11-01T00:00:00Z"}`
	json, form := []string{"Content-Type", "application/json"}, []string{"Content-Type", "application/x-www-form-urlencoded", "Content-Encoding", "gzip"}
	full := fmt.Errorf("topic events: %w", rollcall.ErrFull)
	for _, tt := range []struct {
		name, path string
		body       body
		fails      error
		status     int
		kept       int
		says       string
	}{
		{"Segment", "/v1/batch", body{json, batch}, nil, 200, 1, ""},
		{"RudderStack", "/v1/batch", body{form, gzipped(t, batch)}, nil, 200, 1, ""},
		{"a browser", "/v1/batch", body{[]string{"Content-Type", "text/plain"}, batch}, nil, 200, 1, ""},
		{"one call", "/v1/track", body{json, `{"event":"x","userId":"u"}`}, nil, 200, 1, ""},
		{"one page", "/v1/page", body{json, `{"userId":"u"}`}, nil, 200, 1, ""},
		{"who somebody is", "/v1/identify", body{json, `{"userId":"u"}`}, nil, 200, 0, ""},
		{"nobody", "/v1/identify", body{json, "null"}, nil, 422, 0, "1 line"},
		{"nothing at all", "/v1/track", body{json, ""}, nil, 422, 0, "1 line"},
		{"a parameter of another route", "/v1/batch?backfill=1", body{json, batch}, nil, 422, 0, "0 query.backfill"},
		{"history", "/v1/import", body{json, strings.ReplaceAll(batch, "2002-10-31", "1999-10-31")}, nil, 200, 1, ""},
		{"PostHog", "/batch/", body{json, `{"api_key":"rc_key","batch":[` + event + `,{"event":"$identify","distinct_id":"u"},{"event":"x","distinct_id":"d","properties":{"$device_id":"d"}}],"sent_at":"2002-11-01T00:00:00Z"}`}, nil, 200, 1, ""},
		{"PostHog's history", "/batch", body{json, `{"api_key":"rc_key","historical_migration":true,"batch":[` + strings.Replace(event, "2002", "1999", 1) + `]}`}, nil, 200, 1, ""},
		{"PostHog's newer form", "/i/v1/analytics/events", body{json, `{"batch":[` + event + `]}`}, nil, 200, 1, ""},
		{"PostHog's older form", "/capture/", body{json, `{"api_key":"rc_key","event":"x","properties":{"distinct_id":"u"}}`}, nil, 200, 1, ""},
		{"another's key", "/batch/", body{json, `{"api_key":"phc_x","batch":[` + event + `]}`}, nil, 401, 0, ""},
		{"none", "/v1/batch", body{json, `{"batch":[]}`}, nil, 200, 0, ""},

		{"bad ones among good", "/v1/batch", body{json, `{"batch":[` + page + `,3,` + page + `,{"type":"page","userId":"u","properties":{"kind":"gold"}}]}`}, nil, 422, 2, "2 line, 4 kind"},
		{"no batch", "/v1/batch", body{json, page}, nil, 400, 0, ""},
		{"no JSON", "/v1/batch", body{json, `{"batch":[` + page}, nil, 400, 0, ""},
		{"not gzip", "/v1/batch", body{form, batch}, nil, 400, 0, ""},
		{"too deep", "/v1/batch", body{json, strings.Repeat("[", 100)}, nil, 400, 0, ""},
		{"too many", "/v1/batch", body{form, gzipped(t, `{"batch":[`+strings.Repeat("1,", tracker.MaxSize)+`1]}`)}, nil, 413, 0, ""},
		{"too long", "/v1/batch", body{json, strings.Repeat(" ", 2*maxBody+1)}, nil, 413, 0, ""},
		{"another form", "/v1/batch", body{[]string{"Content-Type", "application/xml"}, batch}, nil, 415, 0, ""},
		{"a full log", "/v1/batch", body{json, batch}, full, 429, 0, ""},
		{"a lost log", "/v1/batch", body{json, batch}, errors.New("dial 10.0.0.1: refused"), 429, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &slice{fails: tt.fails}
			w := track(t, log, ofKey(), tt.path, tt.body)
			if w.Code != tt.status || len(log.events) != tt.kept || faults(t, w) != tt.says {
				t.Errorf("%d with %d events, %q: %s", w.Code, len(log.events), faults(t, w), w.Body)
			}
			if again := w.Header().Get("Retry-After"); (again == "10") != (tt.status == http.StatusTooManyRequests) {
				t.Errorf("Retry-After %q", again)
			}
		})
	}
}
