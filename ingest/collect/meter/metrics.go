package meter

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tells what a meter read, and what it could not read, while it reads.
// It is safe for concurrent use.
type Metrics struct {
	packets, bytes, sightings, unread *prometheus.Desc

	mu    sync.Mutex // guards stats
	stats Stats
}

// NewMetrics registers a meter's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		packets:   prometheus.NewDesc("rollcall_meter_packets_total", "Packets that the meter read.", nil, nil),
		bytes:     prometheus.NewDesc("rollcall_meter_bytes_total", "Bytes of the packets that the meter read.", nil, nil),
		sightings: prometheus.NewDesc("rollcall_meter_sightings_total", "Sightings, those without an account included.", nil, nil),
		unread:    prometheus.NewDesc("rollcall_meter_unread_total", "What the meter could not read, by what it is.", []string{"what"}, nil),
	}
	r.MustRegister(m)
	return m
}

// Watch takes the counts as they stand; it is an Install's Watch.
func (m *Metrics) Watch(s Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats = s
}

// Describe names the metrics.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.packets, m.bytes, m.sightings, m.unread} {
		to <- d
	}
}

// Collect gives the counts that were taken last. Each begins at 0, so that the
// first packet that is not read is seen as a rise.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	s := m.stats
	m.mu.Unlock()
	give := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	give(m.packets, s.Packets)
	give(m.bytes, s.Bytes)
	give(m.sightings, s.Sightings)
	givenUp := int64(0)
	for _, n := range s.GivenUp {
		givenUp += n
	}
	for _, c := range s.losses() {
		give(m.unread, c.N, c.Name)
	}
	give(m.unread, givenUp, streamsGivenUp)
}
