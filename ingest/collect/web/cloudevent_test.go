package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
)

// body is a request's, with its headers: name and value in turn.
type body struct {
	headers []string
	text    string
}

func sendBody(t *testing.T, log *slice, defaults rollcall.Defaults, path string, b body) *httptest.ResponseRecorder {
	t.Helper()
	c := collector(t, func(bool) ingest.Log { return log })
	c.Admit = func(*http.Request, string) (rollcall.Defaults, error) { return defaults, nil }
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(b.text))
	for i := 0; i < len(b.headers); i += 2 {
		r.Header.Set(b.headers[i], b.headers[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// said is an event in a few words.
func said(e rollcall.Event) string {
	return fmt.Sprintf("%s %s %s %s %s %s %s", e.Time.Format("01-02T15:04"), e.Market, e.Service, e.Location, e.Kind, e.Platform, e.Segment)
}

// faults are the lines and fields that an answer names.
func faults(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var got answered
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range got.Errors {
		words = append(words, fmt.Sprint(e.Line, " ", e.Field))
	}
	return strings.Join(words, ", ")
}

// TestCloudEvents: an event is the same in every form of CloudEvents 1.0.
func TestCloudEvents(t *testing.T) {
	const (
		want = "10-03T18:22 FR msn home use none none"
		data = `{"market":"FR","service":"msn","place":"home","kind":"use","account":"someone@hotmail.com"}`
		head = `"specversion":"1.0","id":"1","source":"/agent/4","type":"x","time":"2002-10-03T18:22:05Z"`
	)
	structured := `{` + head + `,"data":` + data + `}`
	binary := func(more ...string) []string {
		return append([]string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "/agent/4", "Ce-Type", "x", "Ce-Time", "2002-10-03T18:22:05%5A"}, more...)
	}
	for _, tt := range []struct {
		name   string
		body   body
		status int
		kept   int
		says   string
	}{
		{"structured", body{[]string{"Content-Type", "application/cloudevents+json; charset=utf-8"}, structured}, 200, 1, ""},
		{"over several lines", body{[]string{"Content-Type", "application/cloudevents+json"}, strings.ReplaceAll(structured, ",", ",\n ")}, 200, 1, ""},
		{"data in base 64", body{[]string{"Content-Type", "application/cloudevents+json"}, `{` + head + `,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`}, 200, 1, ""},
		{"in gzip", body{[]string{"Content-Type", "application/cloudevents+json", "Content-Encoding", "gzip"}, gzipped(t, structured)}, 200, 1, ""},
		{"binary", body{binary("Content-Type", "application/json"), data}, 200, 1, ""},
		{"binary, in gzip", body{binary("Content-Type", "application/json", "Content-Encoding", "gzip"), gzipped(t, data)}, 200, 1, ""},
		{"a batch", body{[]string{"Content-Type", "application/cloudevents-batch+json"}, "[" + structured + "," + structured + "]"}, 200, 2, ""},
		{"a batch of none", body{[]string{"Content-Type", "application/cloudevents-batch+json"}, "[]"}, 200, 0, ""},
		{"a batch with bad ones", body{[]string{"Content-Type", "application/cloudevents-batch+json"}, "[" + structured + `,{"specversion":"0.3"},` + structured + `,3,` + `{` + head + `}]`}, 422, 2, "2 specversion, 4 line, 5 data"},

		{"no batch", body{[]string{"Content-Type", "application/cloudevents-batch+json"}, structured}, 400, 0, ""},
		{"another version", body{binary("Ce-Specversion", "0.3"), data}, 422, 0, "1 specversion"},
		{"data that is no event", body{binary(), `"x"`}, 422, 0, "1 data"},
		{"data that is no JSON", body{binary("Content-Type", "application/xml"), "<a/>"}, 415, 0, ""},
		{"too deep", body{[]string{"Content-Type", "application/cloudevents+json"}, strings.Repeat(`{"data":`, 100)}, 422, 0, "1 line"},
		{"another form", body{[]string{"Content-Type", "application/cloudevents+avro"}, structured}, 415, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &slice{}
			w := sendBody(t, log, rollcall.Defaults{}, "/v1/events", tt.body)
			if w.Code != tt.status || len(log.events) != tt.kept || faults(t, w) != tt.says {
				t.Errorf("%d with %d events, %s: %s", w.Code, len(log.events), faults(t, w), w.Body)
			}
			for _, e := range log.events {
				if said(e) != want {
					t.Errorf("is %s, want %s", said(e), want)
				}
			}
		})
	}
}

// TestDefaults: what a key's events don't say the key does, whatever their form; a
// refused one is kept with it, so that it can be sent again.
func TestDefaults(t *testing.T) {
	defaults := rollcall.Defaults{Market: "FR", Service: "msn", Location: "elsewhere", Kind: "presence", Segment: "acme", Platform: "phone"}
	const (
		bare  = `{"time":"2002-10-03T18:22:05Z","account":"someone"}`
		all   = `{"time":"2002-10-03T18:22:05Z","account":"someone","location":"work","kind":"login","platform":"web","segment":"none"}`
		panel = `{"time":"2002-10-03T18:22:05Z","panel":"nn","panelist":"P1"}`
	)
	log := &slice{}
	w := sendBody(t, log, defaults, "/v1/events", body{[]string{"Content-Type", ndjson}, bare + "\n" + all + "\n" + panel + "\n" + old + "\n" + `{"account":"x"}`})
	if w.Code != http.StatusUnprocessableEntity || len(log.events) != 3 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for i, want := range []string{
		"10-03T18:22 FR msn elsewhere presence phone acme", "10-03T18:22 FR msn work login web none", "10-03T18:22 FR msn elsewhere presence none none",
	} {
		if got := said(log.events[i]); got != want {
			t.Errorf("event %d is %s, want %s", i, got, want)
		}
	}
	if kept := string(log.rejected[1].Body); !strings.Contains(kept, `"market":"FR"`) || !strings.Contains(kept, `"kind":"presence"`) {
		t.Errorf("a refused one is kept as %s", kept)
	}
	w = sendBody(t, log, defaults, "/v1/events", body{[]string{"Content-Type", columnar.ContentType}, table(t, 1, "time", "account")})
	if w.Code != http.StatusOK || said(log.events[3]) != "10-03T18:22 FR msn elsewhere presence phone acme" {
		t.Errorf("a table: %d, %s", w.Code, w.Body)
	}
}

// TestKindOfName: a CloudEvent's type tells its kind, where the data doesn't.
func TestKindOfName(t *testing.T) {
	for name, want := range map[string]string{
		"im.session.started": "presence", "IM Session Started": "presence", "com.example.Login": "login", "User Signed In": "login", "userLoggedIn": "login",
		"Message Sent": "use", "messageSent": "use", "im.session.ended": "logout", "login_failed": "login_failed", "Log In Failed": "login_failed",
		"Order Completed": "", "": "", "...": "", strings.Repeat("login ", 100): "",
	} {
		kind, ok := ingest.KindOfName(name)
		if got := map[bool]string{true: kind.String(), false: ""}[ok]; got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
