package server

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
)

// Retention is the flag of the processes that remove what is too old.
type Retention struct {
	Months span `name:"keep" help:"Keep facts for so many whole months, such as 25mo, and remove what is older for good. Without it everything is kept." placeholder:"MONTHS"`
}

// span is a number of whole months; 0: for ever.
type span int

// UnmarshalText reads a span such as 25mo.
func (s *span) UnmarshalText(text []byte) error {
	const most = 1200
	if !regexp.MustCompile(`^[1-9][0-9]{0,3}mo$`).Match(text) {
		return fmt.Errorf("%q is not a number of months such as 25mo", text)
	}
	n, err := strconv.Atoi(string(text[:len(text)-len("mo")]))
	if err != nil || n > most {
		return fmt.Errorf("%q is over %dmo; without --keep everything is kept", text, most)
	}
	*s = span(n)
	return nil
}

// remover removes what is older than a deployment keeps: when it starts, and
// every day. Any number of processes may do so at once.
type remover struct {
	months  span
	now     func() time.Time
	markets func() *rollcall.Catalogue
	age     func(ctx context.Context, before rollcall.Month) (removed int, err error)
	log     *slog.Logger

	removed, failures prometheus.Counter
	done              prometheus.Gauge
}

const (
	ageEvery = 24 * time.Hour
	ageAgain = 10 * time.Minute // after a failure
)

// retain removes, from now until Close, what is too old.
func (p *Process) retain(kept Retention) {
	p.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "rollcall_aged_out_late_total", Help: "Cells and diaries that flushes brought for months that have aged out, and that were left out.",
	}, func() float64 { return float64(p.store.LeftOut()) }))
	if kept.Months == 0 {
		return
	}
	r := &remover{
		months: kept.Months, now: time.Now, markets: p.catalogue.Catalogue, age: p.months.Age, log: p.Log,
		removed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_aged_out_total", Help: "Rows and objects removed because of their age (--keep)."}),
		done:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "rollcall_aged_out_timestamp_seconds", Help: "When all that was too old was last known to be removed; 0: not since the start."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_aged_out_failures_total", Help: "Removals that failed; they are tried again after 10 minutes."}),
	}
	p.metrics.MustRegister(r.removed, r.failures, r.done)
	p.background("retention", r.run)
}

// run ends with ctx.
func (r *remover) run(ctx context.Context) {
	for {
		pause := ageEvery
		if err := r.once(ctx); err != nil && ctx.Err() == nil {
			pause = ageAgain
			r.failures.Inc()
			r.log.Error("what is too old can't be removed", "error", err, "again in", pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (r *remover) once(ctx context.Context) error {
	before, ok, err := r.before()
	if !ok || err != nil {
		return err
	}
	start := r.now()
	removed, err := r.age(ctx, before)
	r.removed.Add(float64(removed))
	if err != nil {
		return err
	}
	r.done.Set(float64(r.now().Unix()))
	r.log.Info("removed what is too old", "keep", fmt.Sprintf("%dmo", r.months), "before", before, "removed", removed, "took", r.now().Sub(start))
	return nil
}

// before gives the first month that is kept: so many months before the present
// one in the market where that began last. Without markets there are no facts.
func (r *remover) before() (first rollcall.Month, ok bool, err error) {
	now, c := r.now(), r.markets()
	for _, m := range c.Markets {
		calendar, err := c.Calendar(m.ID)
		if err != nil {
			return 0, false, err
		}
		if month := calendar.Day(now).Month() - rollcall.Month(r.months); !ok || month < first {
			first, ok = month, true
		}
	}
	return first, ok, nil
}
