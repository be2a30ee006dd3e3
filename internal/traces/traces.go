// Package traces sends what a process did, and how long each part took, to an
// OpenTelemetry collector, by OTLP over HTTP. It is off unless an endpoint is
// given: a nil Traces starts nothing and sends nothing.
package traces

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Traces sends spans; nil: none. It is safe for concurrent use.
type Traces struct {
	log      *slog.Logger
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Options say where spans go.
type Options struct {
	Endpoint string // of the collector, such as http://127.0.0.1:4318; "": nowhere
	Software string // that the spans are of
	Log      *slog.Logger
}

// Open starts sending. Headers, certificates and the like are those of the
// standard environment (OTEL_EXPORTER_OTLP_HEADERS and so on); the endpoint is
// not, so that nothing is sent unless this program was told to. A collector
// that is away is no error: what was to be sent is dropped, and the log says so.
func Open(ctx context.Context, o Options) (*Traces, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	at, err := url.Parse(o.Endpoint)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.User != nil || at.RawQuery != "" {
		return nil, errors.New("is not the address of a collector, such as http://127.0.0.1:4318")
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at.JoinPath("v1", "traces").String()))
	if err != nil {
		return nil, err
	}
	of, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "rollcall"), attribute.String("service.version", o.Software)), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	p := sdk.NewTracerProvider(sdk.WithResource(of), sdk.WithBatcher(&quiet{SpanExporter: exporter, log: o.Log}))
	return &Traces{log: o.Log, provider: p, tracer: p.Tracer("rollcall")}, nil
}

// closeTime is how long a stop waits for a collector to take the last spans.
const closeTime = 5 * time.Second

// Close sends what was not sent yet. A collector that does not take it is no
// failure of the process.
func (t *Traces) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn("the last traces were not sent", "error", err)
	}
	return nil
}

// Handler makes a span of each request that next answers. route names the
// pattern of the route that the request of a context has taken, once it has.
func (t *Traces) Handler(next http.Handler, route func(context.Context) string) http.Handler {
	if t == nil {
		return next
	}
	named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			pattern, span := route(r.Context()), trace.SpanFromContext(r.Context())
			span.SetName(r.Method + " " + pattern)
			span.SetAttributes(attribute.String("http.route", pattern))
		}()
		next.ServeHTTP(w, r)
	})
	return otelhttp.NewHandler(named, "request", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}))
}

// Begin begins a span of the name, within the context's; end ends it, and says
// how it went. Attributes are pairs of a name and a text.
func (t *Traces) Begin(ctx context.Context, name string, attributes ...string) (_ context.Context, end func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	var list []attribute.KeyValue
	for i := 0; i+1 < len(attributes); i += 2 {
		list = append(list, attribute.String(attributes[i], attributes[i+1]))
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithAttributes(list...))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// quiet tells the process's log of a collector that is away, once until it is
// back, instead of everybody's standard log at every attempt.
type quiet struct {
	sdk.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

// ExportSpans sends spans, or drops them.
func (q *quiet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := q.SpanExporter.ExportSpans(ctx, spans)
	switch was := q.away.Swap(err != nil); {
	case err != nil && !was:
		q.log.Warn("the collector of traces does not take them; they are dropped until it does", "error", err)
	case err == nil && was:
		q.log.Info("the collector of traces takes them again")
	}
	return nil
}
