package active

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/aggregate/census"
)

// Gauges are the active accounts of some services, as metrics. They are counted
// from time to time, and a scrape gives what was counted last: it waits for no
// store. It is safe for concurrent use.
type Gauges struct {
	Facts
	of       []Service
	segments int // of a service, at most
	log      *slog.Logger
	failures prometheus.Counter

	accounts, day, leftOut, counted *prometheus.Desc

	mu   sync.Mutex // guards last
	last map[Service][]prometheus.Metric
}

// GaugeOptions say which services have gauges, and how many segments of each have
// one too: those of the most accounts.
type GaugeOptions struct {
	Of       []Service
	Segments int
}

// How often gauges are counted: not more often than this, and never for more than a
// tenth of the time. A count that takes longer than mostTime is given up.
const (
	countEvery = 30 * time.Second
	mostTime   = 10 * time.Minute
)

// NewGauges registers the gauges; they are counted while Run runs.
func NewGauges(r prometheus.Registerer, o GaugeOptions, f Facts, log *slog.Logger) *Gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, append([]string{"market", "service"}, labels...), nil)
	}
	g := &Gauges{
		Facts: f, of: slices.Compact(slices.SortedFunc(slices.Values(o.Of), compareServices)), segments: o.Segments, log: log, last: map[Service][]prometheus.Metric{},
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_active_accounts_failures_total", Help: "Counts of a service's active accounts that failed; the last ones stand."}),
		accounts: desc("rollcall_active_accounts", "Unique accounts in the window that ends on the newest day that has facts; absent where too few, or not to be counted.", "platform", "segment", "window"),
		day:      desc("rollcall_active_accounts_day_timestamp_seconds", "When the day began that the windows end on."),
		leftOut:  desc("rollcall_active_accounts_segments_left_out", "Segments that have no gauge, since others have more accounts (--gauge-segments)."),
		counted:  desc("rollcall_active_accounts_timestamp_seconds", "When the service's active accounts were counted."),
	}
	r.MustRegister(g.failures, g)
	return g
}

func compareServices(a, b Service) int {
	return cmp.Or(cmp.Compare(a.Market, b.Market), cmp.Compare(a.ID, b.ID))
}

// Describe names the metrics.
func (g *Gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.accounts, g.day, g.leftOut, g.counted} {
		to <- d
	}
}

// Collect gives what was counted last.
func (g *Gauges) Collect(to chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, of := range g.of {
		for _, m := range g.last[of] {
			to <- m
		}
	}
}

// Run counts until ctx ends.
func (g *Gauges) Run(ctx context.Context) {
	for {
		began := time.Now()
		for _, of := range g.of {
			if err := g.count(ctx, of); err != nil && ctx.Err() == nil {
				g.failures.Inc()
				g.log.Warn("active accounts can't be counted; the last figures stand", "service", of.String(), "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(countEvery, 9*time.Since(began))):
		}
	}
}

// count counts one service anew.
func (g *Gauges) count(ctx context.Context, of Service) error {
	ctx, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	day, calendar, ok, err := g.newest(ctx, of)
	if err != nil {
		return err
	}
	metrics := []prometheus.Metric{gauge(g.counted, float64(g.Now().Unix()), of)}
	if ok {
		figures, err := census.ActiveAccounts(ctx, g.Store, census.ActiveQuery{Market: of.Market, Service: of.ID, Day: day, Segments: g.segments > 0, Least: g.Least, Round: g.Round})
		if err != nil {
			return err
		}
		metrics = append(metrics, gauge(g.day, float64(calendar.Start(day))*60, of))
		metrics = append(metrics, g.metrics(of, figures)...)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last[of] = metrics
	return nil
}

// metrics writes figures down, of the largest segments alone.
func (g *Gauges) metrics(of Service, figures []census.Active) (all []prometheus.Metric) {
	shown, leftOut := largest(figures, g.segments)
	for _, a := range figures {
		if a.Accounts.Status.Withheld() || a.Segment != "" && !shown[a.Segment] {
			continue
		}
		all = append(all, gauge(g.accounts, a.Accounts.Value, of, a.Platform, a.Segment, a.Window.String()))
	}
	if g.segments > 0 {
		all = append(all, gauge(g.leftOut, float64(leftOut), of))
	}
	return all
}

// largest gives the segments that have the most accounts in any window, so many,
// and how many others have a figure to show too.
func largest(figures []census.Active, most int) (shown map[string]bool, leftOut int) {
	size := map[string]float64{}
	for _, a := range figures {
		if a.Segment != "" && !a.Accounts.Status.Withheld() {
			size[a.Segment] = max(size[a.Segment], a.Accounts.Value)
		}
	}
	names := make([]string, 0, len(size))
	for name := range size {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b)) })
	shown = map[string]bool{}
	for _, name := range names[:min(most, len(names))] {
		shown[name] = true
	}
	return shown, max(0, len(names)-most)
}

func gauge(d *prometheus.Desc, value float64, of Service, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{string(of.Market), string(of.ID)}, labels...)...)
}
