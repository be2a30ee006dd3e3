package observe

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// Requests counts the requests of one process. It is safe for concurrent use.
type Requests struct {
	log *slog.Logger
	now func() time.Time

	count          *prometheus.CounterVec
	seconds, bytes *prometheus.HistogramVec
}

// New gives the counts of a process, which are registered with its metrics.
func New(metrics prometheus.Registerer, log *slog.Logger, now func() time.Time) *Requests {
	by := []string{"route", "method", "status"}
	q := &Requests{
		log: log, now: now,
		count: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http_requests_total", Help: "Requests answered, by the pattern of their route.",
		}, by),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_http_request_seconds", Help: "From a request's head to its answer's last byte.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, by),
		bytes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_http_response_bytes", Help: "Bytes of an answer's body, as they were sent.",
			Buckets: prometheus.ExponentialBuckets(256, 4, 9), // to 16 MiB
		}, by),
	}
	metrics.MustRegister(q.count, q.seconds, q.bytes)
	return q
}

// Handler counts what next answers.
func (q *Requests) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, begun := new(mark), q.now()
		r = r.WithContext(context.WithValue(r.Context(), markKey{}, m))
		answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		ended := false
		defer func() {
			status := answer.Status()
			switch {
			case !ended: // given up in the middle: the client sees a broken connection
				status = statusBroken
			case status == 0:
				status = http.StatusOK
			}
			q.note(r, status, answer.BytesWritten(), q.now().Sub(begun))
		}()
		next.ServeHTTP(answer, r)
		ended = true
	})
}

// statusBroken is the status of an answer that has none, since its handler
// panicked to break the connection.
const statusBroken = 0

// note takes note of one answer.
func (q *Requests) note(r *http.Request, status, bytes int, took time.Duration) {
	route, by := Route(r.Context()), ""
	labels := []string{route, method(r.Method), strconv.Itoa(status)}
	q.count.WithLabelValues(labels...).Inc()
	q.seconds.WithLabelValues(labels...).Observe(took.Seconds())
	q.bytes.WithLabelValues(labels...).Observe(float64(bytes))
	if !q.log.Enabled(r.Context(), slog.LevelDebug) {
		return
	}
	if id := of(r.Context()).key.Load(); id != nil {
		by = *id
	}
	q.log.DebugContext(r.Context(), "request", "method", labels[1], "route", route, "status", status, "bytes", bytes, "ms", float64(took.Microseconds())/1000, "key", by)
}

// method bounds what a client may call its method.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return name
	}
	return "other"
}
