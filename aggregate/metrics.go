package aggregate

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
)

// Metrics counts an aggregator's work. What must be counted additively is a
// metric, never a fact. A nil *Metrics counts nothing.
type Metrics struct {
	events   prometheus.Counter
	failures prometheus.Counter
	seconds  prometheus.Histogram
	cells    prometheus.Gauge
	bytes    prometheus.Gauge
}

// NewMetrics registers the aggregator's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		events:   prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_events_folded_total", Help: "Events folded, replays included."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_flush_failures_total", Help: "Flushes that the store did not take."}),
		seconds:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "rollcall_flush_seconds", Help: "Time of a flush.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9)}),
		cells:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "rollcall_cells_live", Help: "Census cells in memory at the last flush."}),
		bytes:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "rollcall_fold_bytes", Help: "Bytes held at the last flush, about."}),
	}
	r.MustRegister(m.events, m.failures, m.seconds, m.cells, m.bytes)
	return m
}

func (m *Metrics) folded(b *rollcall.Batch) {
	if m != nil {
		m.events.Add(float64(b.Len()))
	}
}

func (m *Metrics) failed() {
	if m != nil {
		m.failures.Inc()
	}
}

func (m *Metrics) flushed(took time.Duration, cells, bytes int) {
	if m != nil {
		m.seconds.Observe(took.Seconds())
		m.cells.Set(float64(cells))
		m.bytes.Set(float64(bytes))
	}
}
