package kafka

import (
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Stats count what a source has met since it was made.
type Stats struct {
	Records  atomic.Int64 // read of rollcall.events
	Rows     atomic.Int64 // events handed on
	Rejected atomic.Int64 // records and rows sent to rollcall.rejected
	Aborted  atomic.Int64 // records of aborted transactions, passed over
	Gaps     atomic.Int64 // offsets that were skipped: records gone before they were read
	Ahead    atomic.Int64 // times that a committed offset was ahead of the log
	Stalls   atomic.Int64 // times that brokers gave nothing of a log that had more, or did not answer
	Uncommit atomic.Int64 // commits that failed; their range is read again
}

// passed counts a batch that is not read.
func (s *Stats) passed(b *rawBatch) {
	if !b.has(ofControl) {
		s.Aborted.Add(b.count())
	}
}

// register makes the counts metrics. A registerer that has them already, of
// another source, keeps the first.
func (s *Stats) register(r prometheus.Registerer, log *slog.Logger) {
	if r == nil {
		return
	}
	for _, c := range []struct {
		name, help string
		value      *atomic.Int64
	}{
		{"rollcall_log_records_total", "Records read of the log.", &s.Records},
		{"rollcall_log_events_total", "Events read of the log and handed on.", &s.Rows},
		{"rollcall_log_rejected_total", "Records and rows of the log sent to the rejected topic.", &s.Rejected},
		{"rollcall_log_aborted_records_total", "Records of aborted transactions, passed over.", &s.Aborted},
		{"rollcall_log_gap_offsets_total", "Offsets skipped: records gone from the log before they were read.", &s.Gaps},
		{"rollcall_log_offset_ahead_total", "Times a committed offset was ahead of the log.", &s.Ahead},
		{"rollcall_log_stalls_total", "Times the brokers gave nothing of a log that had more, or did not answer.", &s.Stalls},
		{"rollcall_log_commit_failures_total", "Offset commits that failed; their range is read again.", &s.Uncommit},
	} {
		count := prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return float64(c.value.Load()) })
		if err := r.Register(count); err != nil && !errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			log.Error("a metric of the log can't be registered", "metric", c.name, "err", err)
		}
	}
}
