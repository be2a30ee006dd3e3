package server

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/kafka"
)

// watchLag has each scrape ask the brokers where the group stands.
func (p *Process) watchLag() {
	name := func(n, help string) *prometheus.Desc {
		return prometheus.NewDesc(n, help, []string{"partition"}, nil)
	}
	p.metrics.MustRegister(&lag{
		ask:       func(ctx context.Context) ([]kafka.Position, error) { return p.cluster.Positions(ctx, p.group()) },
		records:   name("rollcall_log_lag_records", "Records that the group has not committed."),
		committed: name("rollcall_log_committed_offset", "Offset that the group reads next."),
		end:       name("rollcall_log_end_offset", "Offset after the log's last record."),
		open:      name("rollcall_log_open_transaction_records", "Records that wait for the end of a transaction."),
	})
}

// lag is the group's place in each partition, as metrics. While the brokers
// are away it has none: an old number would look healthy.
type lag struct {
	ask                           func(context.Context) ([]kafka.Position, error)
	records, committed, end, open *prometheus.Desc
}

// Describe names the metrics.
func (l *lag) Describe(to chan<- *prometheus.Desc) {
	to <- l.records
	to <- l.committed
	to <- l.end
	to <- l.open
}

// Collect asks for them.
func (l *lag) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	positions, err := l.ask(ctx)
	if err != nil {
		return
	}
	for _, p := range positions {
		id := strconv.Itoa(p.Partition)
		to <- prometheus.MustNewConstMetric(l.records, prometheus.GaugeValue, float64(p.Lag()), id)
		to <- prometheus.MustNewConstMetric(l.committed, prometheus.GaugeValue, float64(p.Committed), id)
		to <- prometheus.MustNewConstMetric(l.end, prometheus.GaugeValue, float64(p.End), id)
		to <- prometheus.MustNewConstMetric(l.open, prometheus.GaugeValue, float64(p.End-p.Stable), id)
	}
}
