package active

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/aggregate/census"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
)

// noon is when it is in these tests: 19 October 2002 in Paris.
var noon = time.Date(2002, time.October, 19, 10, 0, 0, 0, time.UTC)

// seen puts so many accounts, the numbers from first on, on a day.
type seen struct {
	day      rollcall.Day
	first, n int
	platform rollcall.Platform
	segment  rollcall.SegmentID
	key      rollcall.KeyID
}

func storeOf(t *testing.T, all ...seen) rollcall.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	err = store.Merge(t.Context(), rollcall.Deltas{Cells: func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for _, v := range all {
			s := hll.New(store.K())
			for i := range v.n {
				s.Add(uint64(v.first+i) * 0x9e3779b97f4a7c15)
			}
			cell := rollcall.Cell{Market: "FR", Day: v.day, Service: "msn", Location: rollcall.Elsewhere, Kind: rollcall.Use, Platform: v.platform, Segment: v.segment, Key: v.key}
			if !yield(cell, rollcall.CellState{Visitors: s.Append(nil), Minutes: s.Append(nil)}) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func factsOf(t *testing.T, store rollcall.Store, least, round int) Facts {
	t.Helper()
	catalogue, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, []rollcall.Service{{ID: "msn", Name: "MSN"}})
	if err != nil {
		t.Fatal(err)
	}
	return Facts{
		Store: store, Calendar: catalogue.Calendar, Now: func() time.Time { return noon }, Least: least, Round: round,
		Knows: func(_ context.Context, m rollcall.MarketID, services []rollcall.ServiceID) error {
			return catalogue.Knows(m, services...)
		},
	}
}

func october(day int) rollcall.Day { return rollcall.DayOf(2002, time.October, day) }

// TestGauges: windows end on the newest day that has begun, by platform and by the
// largest segments; what is of too few is not there, and what is left out is told.
func TestGauges(t *testing.T) {
	store := storeOf(t,
		seen{day: october(18), first: 0, n: 117, platform: rollcall.Phone, segment: "lyon"},
		seen{day: october(18), first: 100, n: 60, platform: rollcall.Web, segment: "paris"},
		seen{day: october(13), first: 500, n: 60, platform: rollcall.Web, segment: "nice"},
		seen{day: october(1), first: 1000, n: 49, platform: rollcall.Tablet, segment: "brest"},
		seen{day: october(25), first: 2000, n: 400, platform: rollcall.Phone}, // has not begun
	)
	r := prometheus.NewPedanticRegistry()
	g := NewGauges(r, GaugeOptions{Of: []Service{{"FR", "msn"}, {"FR", "msn"}}, Segments: 2}, factsOf(t, store, 50, 10), slog.New(slog.DiscardHandler))
	if err := g.count(t.Context(), Service{"FR", "msn"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"any -: 1d 160, 7d 220, 28d 270, 30d 270, month 270",
		"any lyon: 1d 120, 7d 120, 28d 120, 30d 120, month 120",
		"any nice: 7d 60, 28d 60, 30d 60, month 60",
		"phone -: 1d 120, 7d 120, 28d 120, 30d 120, month 120",
		"web -: 1d 60, 7d 120, 28d 120, 30d 120, month 120",
	}
	figures, others := scraped(t, r)
	if !slices.Equal(figures, want) {
		t.Errorf("the figures are\n%s\nwant\n%s", strings.Join(figures, "\n"), strings.Join(want, "\n"))
	}
	if others["rollcall_active_accounts_day_timestamp_seconds"] != 1034892000 || others["rollcall_active_accounts_segments_left_out"] != 1 || others["rollcall_active_accounts_timestamp_seconds"] != float64(noon.Unix()) {
		t.Errorf("beside them stand %v", others)
	}
}

// scraped gives the figures, a line for each platform and segment, and the other
// metrics.
func scraped(t *testing.T, r *prometheus.Registry) (figures []string, others map[string]float64) {
	t.Helper()
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]map[string]float64{}
	others = map[string]float64{}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			if family.GetName() != "rollcall_active_accounts" {
				others[family.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
				continue
			}
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			of := labels["platform"] + " " + cmp.Or(labels["segment"], "-")
			if lines[of] == nil {
				lines[of] = map[string]float64{}
			}
			lines[of][labels["window"]] = m.GetGauge().GetValue()
		}
	}
	for _, of := range slices.Sorted(maps.Keys(lines)) {
		var parts []string
		for _, w := range census.ActiveWindows() {
			if v, ok := lines[of][w.String()]; ok {
				parts = append(parts, fmt.Sprint(w, " ", v))
			}
		}
		figures = append(figures, of+": "+strings.Join(parts, ", "))
	}
	return figures, others
}

// TestGaugesUnrounded: where nothing is held back of a census, nothing is of gauges.
func TestGaugesUnrounded(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	g := NewGauges(r, GaugeOptions{Of: []Service{{"FR", "msn"}}}, factsOf(t, storeOf(t, seen{day: october(18), n: 3, segment: "lyon"}), 0, 0), slog.New(slog.DiscardHandler))
	if err := g.count(t.Context(), Service{"FR", "msn"}); err != nil {
		t.Fatal(err)
	}
	figures, others := scraped(t, r)
	if want := []string{"any -: 1d 3, 7d 3, 28d 3, 30d 3, month 3", "none -: 1d 3, 7d 3, 28d 3, 30d 3, month 3"}; !slices.Equal(figures, want) {
		t.Errorf("the figures are %q", figures)
	}
	if _, told := others["rollcall_active_accounts_segments_left_out"]; told {
		t.Error("segments are told though none were asked for")
	}
}

// illStore is a store that hangs, or fails, when it is told to.
type illStore struct {
	rollcall.Store
	is atomic.Int32
}

// What an illStore is.
const (
	well = iota
	away
	hanging
)

// ails gives the error of a read, of which one that hangs waits for ctx.
func (s *illStore) ails(ctx context.Context) error {
	switch s.is.Load() {
	case away:
		return errors.New("the store is away")
	case hanging:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (s *illStore) K() int { return 14 }

// Ageings gives none. It fails with the store, and never hangs.
func (s *illStore) Ageings(ctx context.Context) ([]rollcall.Ageing, error) {
	if s.is.Load() == hanging {
		return nil, nil
	}
	return nil, s.ails(ctx)
}

func (s *illStore) Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error] {
	return func(yield func(rollcall.CellRow, error) bool) {
		if err := s.ails(ctx); err != nil {
			yield(rollcall.CellRow{}, err)
			return
		}
		sketch := hll.New(14)
		for i := range 100 {
			sketch.Add(uint64(i))
		}
		row := rollcall.CellRow{Cell: rollcall.Cell{Market: q.Market, Day: q.To, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}}
		row.Visitors, row.Minutes = sketch.Append(nil), sketch.Append(nil)
		yield(row, nil)
	}
}

// Segments gives none: none is merged.
func (*illStore) Segments(context.Context, rollcall.MarketID) ([]rollcall.Segment, error) {
	return nil, nil
}

// Corrections gives none.
func (*illStore) Corrections(context.Context) (rollcall.Corrections, error) { return nil, nil }

// TestGaugesOfAnIllStore: a scrape waits for no store, the last figures stand with
// their age, failures are counted, and all goes on when the store is well.
func TestGaugesOfAnIllStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(illStore)
		facts := factsOf(t, store, 50, 10)
		facts.Now = time.Now
		r := prometheus.NewPedanticRegistry()
		g := NewGauges(r, GaugeOptions{Of: []Service{{"FR", "msn"}, {"FR", "nosuch"}}}, facts, slog.New(slog.DiscardHandler))
		go g.Run(t.Context())
		synctest.Wait()
		figures := func() (n int, counted, failures float64) {
			lines, others := scraped(t, r)
			return len(lines), others["rollcall_active_accounts_timestamp_seconds"], others["rollcall_active_accounts_failures_total"]
		}
		n, first, failures := figures()
		if n != 2 || failures != 1 { // the unknown service
			t.Fatalf("%d figures, %v failures", n, failures)
		}
		store.is.Store(away)
		time.Sleep(countEvery)
		synctest.Wait()
		if n, counted, failures := figures(); n != 2 || counted != first || failures != 3 {
			t.Errorf("away: %d figures of %v, %v failures", n, counted, failures)
		}
		store.is.Store(hanging)
		time.Sleep(countEvery)
		synctest.Wait()
		if n, counted, _ := figures(); n != 2 || counted != first {
			t.Errorf("while it hangs: %d figures of %v", n, counted)
		}
		store.is.Store(well)
		time.Sleep(11 * mostTime) // the count is given up, and the next is after nine times as long
		synctest.Wait()
		if n, counted, _ := figures(); n != 2 || counted <= first {
			t.Errorf("well again: %d figures of %v", n, counted)
		}
	})
}

// TestUsage: what NodeInfo is told is a reader's: rounded, of enough accounts, under
// one key, and of days that have not aged out.
func TestUsage(t *testing.T) {
	long := seen{day: october(18) - 179, first: 1000, n: 200}
	for name, tt := range map[string]struct {
		facts           []seen
		aged            rollcall.Month
		month, halfyear int64 // -1: not told
	}{
		"nothing":     {nil, 0, -1, -1},
		"both":        {[]seen{{day: october(18), n: 117}, {day: october(18) - 29, first: 200, n: 60}, long, {day: october(18) - 180, first: 5000, n: 90}}, 0, 180, 380},
		"a few":       {[]seen{{day: october(18), n: 49}, long}, 0, -1, 250},
		"two keys":    {[]seen{{day: october(18), n: 117, key: 2}, {day: october(18) - 60, first: 1000, n: 200, key: 1}}, 0, 120, -1},
		"aged out":    {[]seen{{day: october(18), n: 117}}, rollcall.MonthOf(2002, time.June), 120, -1},
		"begins late": {[]seen{{day: october(18), n: 117}}, 0, 120, 120},
	} {
		t.Run(name, func(t *testing.T) {
			store := storeOf(t, tt.facts...)
			if tt.aged != 0 {
				if err := store.AddAgeing(t.Context(), rollcall.Ageing{Before: tt.aged, Time: noon}); err != nil {
					t.Fatal(err)
				}
			}
			facts := factsOf(t, store, 50, 10)
			month, halfyear, err := facts.Usage(t.Context(), "FR", "msn")
			if err != nil || told(month) != tt.month || told(halfyear) != tt.halfyear {
				t.Errorf("%d, %d, %v; want %d, %d", told(month), told(halfyear), err, tt.month, tt.halfyear)
			}
		})
	}
	facts := factsOf(t, storeOf(t), 50, 10)
	if _, _, err := facts.Usage(t.Context(), "FR", "mns"); !errors.As(err, new(*rollcall.Unknown)) {
		t.Errorf("of an unknown service: %v", err)
	}
}

func told(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// TestServiceText reads what the flag is given.
func TestServiceText(t *testing.T) {
	for text, want := range map[string]string{"FR/msn": "FR/msn", "WORLD/a.b-c": "WORLD/a.b-c", "msn": "", "/msn": "", "FR/": "", "FR/msn/x": "", "": ""} {
		var s Service
		err := s.UnmarshalText([]byte(text))
		if want == "" && (err == nil || !strings.Contains(err.Error(), "is not MARKET/SERVICE")) || want != "" && (err != nil || s.String() != want) {
			t.Errorf("%q: %s, %v", text, s, err)
		}
	}
}
