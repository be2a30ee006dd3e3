package server

import (
	"bufio"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"rollcall/api/observe"
)

// traceCollector takes what is sent by OTLP over HTTP.
type traceCollector struct {
	*httptest.Server

	mu    sync.Mutex // guards the rest
	asked int
	spans []*tracev1.Span
	text  strings.Builder // of all that was sent
}

func newTraceCollector(t *testing.T) *traceCollector {
	t.Helper()
	c := new(traceCollector)
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		sent := new(collectorv1.ExportTraceServiceRequest)
		if err == nil {
			err = proto.Unmarshal(body, sent)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked++
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.URL, r.Header.Get("Content-Type"), err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.text.WriteString(sent.String())
		for _, of := range sent.GetResourceSpans() {
			for _, in := range of.GetScopeSpans() {
				c.spans = append(c.spans, in.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// named gives the spans of a name.
func (c *traceCollector) named(name string) (list []*tracev1.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.GetName() == name {
			list = append(list, s)
		}
	}
	return list
}

// observedProcess runs a process, has it fold, and asks it for figures.
func observedProcess(t *testing.T, o Options) {
	t.Helper()
	p, err := Start(t.Context(), &Engine{Data: t.TempDir()}, o)
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(p.Close)
	defer stop() //nolint:errcheck // looked at below
	at, err := p.Open("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(nil) // for its client
	defer s.Close()
	s.URL = "http://" + at.String()
	now := time.Now().UTC()
	event := `{"time":"` + now.Format(time.RFC3339) + `","market":"FR","service":"msn","location":"home","kind":"use","account":"a"}`
	if a := send(t, s, "/v1/markets", `{"market":"FR","name":"France","zone":"Europe/Paris"}`); a.status >= 300 {
		t.Fatalf("market: %d %s", a.status, a.body)
	}
	if a := ask(t, s, http.MethodPost, "/v1/events", event, "Content-Type", "application/x-ndjson"); a.status >= 300 {
		t.Fatalf("events: %d %s", a.status, a.body)
	}
	if a := send(t, s, "/v1/log/settle", `{}`); a.status >= 300 {
		t.Fatalf("settle: %d %s", a.status, a.body)
	}
	if a := fetch(t, s, http.MethodGet, "/v1/census?market=FR&from="+now.Format("2006-01")+"&to="+now.Format("2006-01")); a.status != http.StatusOK {
		t.Errorf("census: %d %s", a.status, a.body)
	}
	if a := fetch(t, s, http.MethodGet, "/v1/reports/ranking?market=FR&panel=hidden&month=2003-01"); a.status != http.StatusNotFound {
		t.Errorf("ranking: %d %s", a.status, a.body)
	}
	metrics := fetch(t, s, http.MethodGet, "/metrics").body
	for _, want := range []string{
		`rollcall_http_requests_total{method="GET",route="/v1/census",status="200"} 1`,
		`rollcall_http_requests_total{method="GET",route="/v1/reports/ranking",status="404"} 1`,
		`rollcall_http_request_seconds_count{method="POST",route="/v1/events",status="200"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestTraces: requests, reports, censuses and flushes are spans, each within its
// request, and no query is in them.
func TestTraces(t *testing.T) {
	c, o := newTraceCollector(t), quiet()
	o.OTLP = c.URL
	observedProcess(t, o)
	for name, within := range map[string]string{"census": "GET /v1/census", "report": "GET /v1/reports/ranking"} {
		part, request := c.named(name), c.named(within)
		if len(part) != 1 || len(request) != 1 {
			t.Fatalf("%d spans %q, %d spans %q of %s", len(part), name, len(request), within, c.text.String())
		}
		if hex.EncodeToString(part[0].GetParentSpanId()) != hex.EncodeToString(request[0].GetSpanId()) {
			t.Errorf("%s is not within %s", name, within)
		}
		if !strings.Contains(request[0].String(), strings.TrimPrefix(within, "GET ")) || request[0].GetKind() != tracev1.Span_SPAN_KIND_SERVER {
			t.Errorf("%v has no route", request[0])
		}
	}
	if len(c.named("flush")) == 0 {
		t.Error("no flush is a span")
	}
	if text := c.text.String(); strings.Contains(text, "panel=") || strings.Contains(text, "month=") || !strings.Contains(text, o.Software) {
		t.Errorf("what was sent has a query, or lacks the software: %s", text)
	}
}

// TestNoTraces: unless it was told to, a process sends nothing, whatever the
// environment says to others, and starts nothing that would.
func TestNoTraces(t *testing.T) {
	c := newTraceCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp")
	p, err := Start(t.Context(), &Engine{Data: t.TempDir()}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if strings.Contains(string(stacks), "go.opentelemetry.io") || !strings.Contains(string(stacks), "internal/server") {
		t.Errorf("goroutines of traces, or none at all: %s", stacks)
	}
	observedProcess(t, quiet())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked > 0 {
		t.Errorf("%d requests came to a collector that nobody named", c.asked)
	}
}

// TestTracesEndpoint refuses what is no address.
func TestTracesEndpoint(t *testing.T) {
	for _, bad := range []string{"collector", "collector:4317", "grpc://collector:4317", "http://", "http://user:secret@collector"} {
		o := quiet()
		o.OTLP = bad
		p, err := Start(t.Context(), &Engine{Data: t.TempDir()}, o)
		if err == nil {
			t.Errorf("%q: %v", bad, p.Close())
		} else if !strings.Contains(err.Error(), "--otlp-endpoint") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestRoleIsObserved: what a role's listener answers, before its stages have
// started too, is in the metrics that its stages give.
func TestRoleIsObserved(t *testing.T) {
	said, out := io.Pipe()
	o := quiet()
	o.Out = out
	p := newProcess(&Engine{Data: t.TempDir()}, o)
	ctx, stop := context.WithCancel(t.Context())
	begin, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- p.role(ctx, Listening{Listen: "127.0.0.1:0"}, func(context.Context) (http.Handler, error) {
			<-begin
			return observe.Patterns(p.probes(func(context.Context) error { return nil })), nil
		})
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(nil) // for its client
	defer s.Close()
	s.URL = strings.TrimSpace(strings.TrimPrefix(line, "Rollcall listens on "))
	if a := fetch(t, s, http.MethodGet, "/v1/markets"); a.status != http.StatusServiceUnavailable {
		t.Errorf("while it starts: %d %s", a.status, a.body)
	}
	close(begin)
	deadline := time.Now().Add(time.Minute)
	metrics := fetch(t, s, http.MethodGet, "/metrics")
	for metrics.status != http.StatusOK && time.Now().Before(deadline) {
		metrics = fetch(t, s, http.MethodGet, "/metrics")
	}
	fetch(t, s, http.MethodGet, "/healthz")
	metrics = fetch(t, s, http.MethodGet, "/metrics")
	for _, want := range []string{`{method="GET",route="refused",status="503"}`, `{method="GET",route="/healthz",status="200"} 1`} {
		if !strings.Contains(metrics.body, "rollcall_http_requests_total"+want) {
			t.Errorf("/metrics lacks %s: %.3000s", want, metrics.body)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTracesAway: a collector of traces that is not there stops nothing, and is
// told of once.
func TestTracesAway(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	var log strings.Builder
	o := quiet()
	o.OTLP, o.Log = gone.URL, slog.New(slog.NewTextHandler(&log, nil))
	observedProcess(t, o)
	if text := log.String(); strings.Count(text, "the collector of traces does not take them") != 1 {
		t.Errorf("the log says %s", text)
	}
}
