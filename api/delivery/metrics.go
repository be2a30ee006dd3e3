package delivery

import "github.com/prometheus/client_golang/prometheus"

// Metrics is what a schedule counts. The label "to" is close, folder, webhook or
// mail; of failures also round, a look at the store that broke off.
type Metrics struct {
	delivered, failures, givenUp *prometheus.CounterVec
	pending                      *prometheus.GaugeVec
	open, done                   prometheus.Gauge
}

// NewMetrics registers a schedule's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	by := []string{"to"}
	m := &Metrics{
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_deliveries_total", Help: "Months closed by the clock, and tellings of them that were taken."}, by),
		failures:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_delivery_failures_total", Help: "Tries of a scheduled close or of a telling that failed; they are tried again."}, by),
		givenUp:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_deliveries_given_up_total", Help: "Tellings that nobody will try again: the receiver said 410, or 30 days have passed."}, by),
		pending:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "rollcall_deliveries_pending", Help: "What was to be done and is not done yet, when last looked."}, by),
		open:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "rollcall_months_overdue", Help: "Months whose day of closing has come and that had no version when last looked."}),
		done:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "rollcall_schedule_timestamp_seconds", Help: "When the scheduled close last looked at everything; 0: not since the start."}),
	}
	for _, to := range []string{"close", "folder", "webhook", "mail"} { // so that the first is seen as a rise from 0
		m.delivered.WithLabelValues(to)
		m.failures.WithLabelValues(to)
		m.givenUp.WithLabelValues(to)
	}
	m.failures.WithLabelValues("round")
	r.MustRegister(m.delivered, m.failures, m.givenUp, m.pending, m.open, m.done)
	return m
}
