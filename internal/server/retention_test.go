package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]span{"1mo": 1, "25mo": 25, "1200mo": 1200} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s is %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "0mo", "25", "25m", "mo", "-1mo", "+1mo", "1.5mo", "025mo", " 25mo", "25mo ", "25MO", "2y", "760d", "1mo1mo", "1mo\n", "٢mo"} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err == nil || s != 0 || err.Error() != fmt.Sprintf("%q is not a number of months such as 25mo", text) {
			t.Errorf("%q is %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"1201mo", "9999mo"} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err == nil || err.Error() != fmt.Sprintf("%q is over 1200mo; without --keep everything is kept", text) {
			t.Errorf("%q is %d, %v", text, s, err)
		}
	}
}

// testRetention keeps 2 months of these markets.
func testRetention(t *testing.T, zones ...string) *remover {
	var markets []rollcall.Market
	for i, zone := range zones {
		markets = append(markets, rollcall.Market{ID: rollcall.MarketID(fmt.Sprint("M", i)), Zone: zone})
	}
	c, err := rollcall.NewCatalogue(markets, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &remover{
		months: 2, now: time.Now, markets: func() *rollcall.Catalogue { return c }, log: slog.New(slog.DiscardHandler),
		removed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "a"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "b"}),
		done:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "c"}),
	}
}

// figures gives what was removed, the failures, and the last success.
func figures(t *testing.T, r *remover) (values []float64) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.removed, r.failures, r.done)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		m := f.GetMetric()[0]
		values = append(values, m.GetCounter().GetValue()+m.GetGauge().GetValue())
	}
	return values
}

// TestRetentionByLocalMonths: a month leaves when enough months have begun in
// every market.
func TestRetentionByLocalMonths(t *testing.T) {
	const paris, auckland = "Europe/Paris", "Pacific/Auckland"
	for _, c := range []struct {
		now   string
		zones []string
		want  string // the first month that is kept
	}{
		{"2002-12-31T22:59:59Z", []string{paris}, "2002-10"},
		{"2002-12-31T23:00:00Z", []string{paris}, "2002-11"},
		{"2002-12-31T12:00:00Z", []string{auckland}, "2002-11"},
		{"2002-12-31T12:00:00Z", []string{auckland, paris}, "2002-10"},
		{"2002-12-31T23:00:00Z", []string{auckland, paris}, "2002-11"},
		{"2003-01-31T12:00:00Z", []string{paris}, "2002-11"},
	} {
		r := testRetention(t, c.zones...)
		at, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		r.now = func() time.Time { return at }
		if got, ok, err := r.before(); got.String() != c.want || !ok || err != nil {
			t.Errorf("at %s in %v all before %s goes, want %s; %v", c.now, c.zones, got, c.want, err)
		}
	}
	if _, ok, err := testRetention(t).before(); ok || err != nil {
		t.Errorf("without a market: %v, %v", ok, err)
	}
}

// TestRetentionRunsDaily: at the start, every day, and soon after a failure.
func TestRetentionRunsDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now() // 2000-01-01 UTC
		type call struct {
			after  time.Duration
			before string
		}
		var calls []call
		r := testRetention(t, "Europe/Paris")
		r.age = func(_ context.Context, before rollcall.Month) (int, error) {
			calls = append(calls, call{time.Since(start), before.String()})
			if len(calls) == 2 {
				return 1, errors.New("the store is away")
			}
			return 10, nil
		}
		ctx, stop := context.WithTimeout(t.Context(), 31*24*time.Hour)
		defer stop()
		r.run(ctx)
		const day = 24 * time.Hour
		want := []call{{0, "1999-11"}, {day, "1999-11"}, {day + 10*time.Minute, "1999-11"}, {2*day + 10*time.Minute, "1999-11"}}
		if len(calls) != 32 || !slices.Equal(calls[:4], want) {
			t.Errorf("%d runs, the first %v", len(calls), calls[:min(4, len(calls))])
		}
		if last := calls[len(calls)-1]; last.before != "1999-11" || last.after != 30*day+10*time.Minute {
			t.Errorf("the last run was %v", last)
		}
		if got, want := figures(t, r), []float64{311, 1, float64(start.Add(30*day + 10*time.Minute).Unix())}; !slices.Equal(got, want) {
			t.Errorf("removed, failures and the last success are %v, want %v", got, want)
		}
	})
}
