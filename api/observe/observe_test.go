package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// router has a route, and what answers before it as a cache would.
func router() http.Handler {
	mux := chi.NewMux()
	mux.Use(Routes(mux), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cached") != "" {
				_, _ = w.Write([]byte("kept"))
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	mux.Get("/v1/markets/{market}", func(w http.ResponseWriter, r *http.Request) {
		SetKey(r.Context(), "1a2b3c4d")
		if chi.URLParam(r, "market") == "broken" {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("France"))
	})
	return mux
}

// observed is a process's counts and log.
type observed struct {
	metrics *prometheus.Registry
	log     bytes.Buffer
	http.Handler
}

func newObserved(level slog.Level, next http.Handler) *observed {
	o := &observed{metrics: prometheus.NewRegistry()}
	at := time.Unix(1e9, 0)
	clock := func() time.Time { at = at.Add(2 * time.Millisecond); return at }
	o.Handler = New(o.metrics, slog.New(slog.NewJSONHandler(&o.log, &slog.HandlerOptions{Level: level})), clock).Handler(next)
	return o
}

func (o *observed) ask(t *testing.T, method, path string, headers ...string) {
	t.Helper()
	defer func() { _ = recover() }() // as net/http does
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	o.ServeHTTP(httptest.NewRecorder(), r)
}

// series gives each series of a metric as "route method status".
func (o *observed) series(t *testing.T, name string) map[string]*dto.Metric {
	t.Helper()
	families, err := o.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*dto.Metric{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				by := map[string]string{}
				for _, l := range m.GetLabel() {
					by[l.GetName()] = l.GetValue()
				}
				all[by["route"]+" "+by["method"]+" "+by["status"]] = m
			}
		}
	}
	return all
}

// TestRequests: requests are counted by the pattern of their route, whoever
// answered them, and whatever a client calls its path or method makes no series.
func TestRequests(t *testing.T) {
	o := newObserved(slog.LevelInfo, router())
	for i := range 50 {
		o.ask(t, http.MethodGet, fmt.Sprintf("/v1/markets/M%d", i))
		o.ask(t, http.MethodGet, fmt.Sprintf("/nothing/%d", i))
		o.ask(t, fmt.Sprintf("METHOD%d", i), "/v1/markets/FR")
	}
	o.ask(t, http.MethodGet, "/v1/markets/FR", "Cached", "yes")
	o.ask(t, http.MethodPost, "/v1/markets/FR")
	o.ask(t, http.MethodGet, "/v1/markets/broken")
	got := map[string]float64{}
	for name, m := range o.series(t, "rollcall_http_requests_total") {
		got[name] = m.GetCounter().GetValue()
	}
	want := map[string]float64{
		"/v1/markets/{market} GET 200": 51, "unknown GET 404": 50, "/v1/markets/{market} other 405": 50,
		"/v1/markets/{market} POST 405": 1, "/v1/markets/{market} GET 0": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	const one = "/v1/markets/{market} GET 200"
	if h := o.series(t, "rollcall_http_request_seconds")[one].GetHistogram(); h.GetSampleCount() != 51 || h.GetSampleSum() < .1019 || h.GetSampleSum() > .1021 {
		t.Errorf("51 requests of 2 ms each: %v", h)
	}
	if h := o.series(t, "rollcall_http_response_bytes")[one].GetHistogram(); h.GetSampleSum() != 50*6+4 {
		t.Errorf("bytes: %v", h)
	}
	if o.log.Len() > 0 {
		t.Errorf("without --debug the log has %s", o.log.String())
	}
}

// TestAccessLine: at debug a request is one line, with nothing of what it asked.
func TestAccessLine(t *testing.T) {
	o := newObserved(slog.LevelDebug, router())
	o.ask(t, http.MethodGet, "/v1/markets/FR?code=hidden", "Authorization", "Bearer hidden")
	var line map[string]any
	if err := json.Unmarshal(o.log.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", o.log.String(), err)
	}
	delete(line, "time")
	want := map[string]any{"level": "DEBUG", "msg": "request", "method": "GET", "route": "/v1/markets/{market}", "status": 200., "bytes": 6., "ms": 2., "key": "1a2b3c4d"}
	if !maps.Equal(line, want) {
		t.Errorf("%v, want %v", line, want)
	}
	o.log.Reset()
	o.ask(t, http.MethodGet, "/hidden?code=hidden")
	if text := o.log.String(); !strings.Contains(text, `"route":"unknown"`) || strings.Contains(text, "hidden") {
		t.Errorf("an unknown path: %s", text)
	}
}

// TestPatterns: the standard library's mux tells its patterns too; what never
// reaches a router is refused.
func TestPatterns(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	o := newObserved(slog.LevelInfo, Patterns(mux))
	o.ask(t, http.MethodGet, "/healthz")
	o.ask(t, http.MethodGet, "/else")
	for _, want := range []string{"/healthz GET 200", "unknown GET 404"} {
		if o.series(t, "rollcall_http_requests_total")[want] == nil {
			t.Errorf("%s is not counted", want)
		}
	}
	o = newObserved(slog.LevelInfo, http.NotFoundHandler())
	o.ask(t, http.MethodGet, "/healthz")
	if o.series(t, "rollcall_http_requests_total")["refused GET 404"] == nil {
		t.Error("what was not routed is not counted as refused")
	}
}
