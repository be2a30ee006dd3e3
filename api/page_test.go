package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall"
)

// publications is under another name, for the method that is called so too.
type publications = Publications

// published is what a page is made from.
type published struct {
	Reports
	publications
	catalogue *rollcall.Catalogue
	versions  []rollcall.Publication
	tables    map[string]*rollcall.Table // by report and month
}

func (s *published) Report(_ context.Context, q rollcall.Query) (*rollcall.Table, error) {
	if t, ok := s.tables[q.Report+" "+q.Of.Month.String()]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("%s: %w", q.Report, rollcall.ErrNotFound)
}

func (s *published) Publications(context.Context, rollcall.MarketID, rollcall.PanelID) ([]rollcall.Publication, error) {
	return s.versions, nil
}

func (s *published) Catalogue() *rollcall.Catalogue                     { return s.catalogue }
func (s *published) AddMarket(context.Context, rollcall.Market) error   { return nil }
func (s *published) AddService(context.Context, rollcall.Service) error { return nil }

func newPublished(t *testing.T) *published {
	t.Helper()
	c, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}, {ID: "aim", Name: "AIM <&>"}, {ID: "icq", Name: "ICQ"}})
	if err != nil {
		t.Fatal(err)
	}
	return &published{catalogue: c, tables: map[string]*rollcall.Table{}}
}

// publish puts a month's ranking : MSN first, AIM tied with ICQ,
// and ICQ withheld by its low base.
func (s *published) publish(t *testing.T, text string, msn float64) {
	t.Helper()
	m, err := rollcall.ParseMonth(text)
	if err != nil {
		t.Fatal(err)
	}
	s.versions = append(s.versions, rollcall.Publication{
		PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: "demo", Month: m}, Version: 1, Status: rollcall.Final,
	})
	s.tables["ranking "+text] = rankingOf(text, msn)
}

func rankingOf(month string, msn float64) *rollcall.Table {
	t := &rollcall.Table{Meta: rollcall.Meta{
		Report: "ranking", Market: "FR", Panel: "demo", Month: month, Location: "home+work", Credit: "presence", Version: 1, Status: "final",
		Universe:   &rollcall.UniverseMeta{Population: 19640000, Active: measure(14300000), Source: "simulated by Rollcall (seed 2002), calibrated"},
		Confidence: 0.95, Thresholds: map[string]int{"low": 30, "caution": 60}, Notes: []string{"A note."},
		Compared: &rollcall.ComparedMeta{Month: "2002-09"},
	}}
	for _, name := range []string{"service", "level", "unique_audience", "reach", "change", "change_percent", "rank", "tied_with"} {
		t.Columns = append(t.Columns, rollcall.Column{Name: name})
	}
	below := rollcall.Measure{Status: rollcall.Below}
	low := measure(545000)
	low.N, low.Status = 45, rollcall.Caution
	t.Rows = []rollcall.Row{
		{"msn", "service", measure(msn), measure(11.08), measure(106600), measure(7.2), 1, nil},
		{"aim", "service", low, measure(3.8), rollcall.Measure{Value: -6600, Low: -80000, High: 70000, Status: rollcall.OK}, measure(-1.3), 2, []string{"icq"}},
		{"icq", "service", below, below, below, below, nil, nil},
		{"any", "any", measure(2019000), measure(14.1), below, below, nil, nil},
		{"Microsoft", "owner", measure(msn), measure(11.1), below, below, nil, nil},
	}
	return t
}

func measure(x float64) rollcall.Measure {
	return rollcall.Measure{Value: x, Low: 0.9 * x, High: 1.1 * x, N: 500, Status: rollcall.OK}
}

func (s *published) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	server := &Server{Reports: s, Publications: s, Catalogue: s, Version: "1", Logger: slog.New(slog.DiscardHandler)}
	answer := httptest.NewRecorder()
	server.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header().Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("%s is %q", path, kind)
	}
	return answer.Code, string(text)
}

// TestPageShows: the headline, the figures in words, the months and what to
// know of them; a name from the catalogue is text, never markup.
func TestPageShows(t *testing.T) {
	s := newPublished(t)
	s.publish(t, "2002-09", 1478000)
	s.publish(t, "2002-10", 1585000.4)
	status, body := s.get(t, "/")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{
		"<h1>MSN Messenger, 1,585,000 unique visitors at home and at work in October 2002</h1>",
		"Simulated by Rollcall (seed 2002), calibrated.",
		"1,427,000 to 1,744,000", "&#43;107,000", "−7,000", "may be chance", "Change from Sep 2002",
		"AIM &lt;&amp;&gt;", "tied with ICQ; low base: fewer than 60 panelists", "not shown: fewer than 30 panelists",
		"Any of these services", "19,640,000 persons", "A note.",
		`<a href="/?market=FR&amp;month=2002-09&amp;panel=demo">September 2002</a>`,
		`<a href="/?market=FR&amp;month=2002-10&amp;panel=demo" aria-current="page">October 2002</a>`,
		"/v1/reports/ranking?market=FR&amp;panel=demo&amp;month=2002-10&amp;version=1&amp;format=csv",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"<script", "Microsoft", "AIM <&>"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}

func TestPageOfAMonth(t *testing.T) {
	s := newPublished(t)
	s.publish(t, "2002-09", 1478000)
	s.publish(t, "2002-10", 1585000)
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/?month=2002-09", http.StatusOK, "1,478,000 unique visitors"},
		{"/?market=FR&panel=demo", http.StatusOK, "1,585,000 unique visitors"},
		{"/?market=US", http.StatusNotFound, "no month is published"},
		{"/?month=October", http.StatusUnprocessableEntity, "is not a month"},
	} {
		status, body := s.get(t, tt.path)
		if status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: status %d, want %d with %q", tt.path, status, tt.status, tt.want)
		}
	}
}

// TestPageOfNothing: what only internal versions have is not published.
func TestPageOfNothing(t *testing.T) {
	s := newPublished(t)
	s.publish(t, "2002-10", 1585000)
	s.versions[0].Internal = true
	status, body := s.get(t, "/")
	if status != http.StatusOK || !strings.Contains(body, "Nothing is published yet") || !strings.Contains(body, "rollcall close") {
		t.Errorf("status %d, %.200s", status, body)
	}
	if strings.Contains(body, "1,585,000") {
		t.Error("an internal version is shown")
	}
}

// TestPageTrend: a row a month, a column a service, a dash for what is withheld.
func TestPageTrend(t *testing.T) {
	s := newPublished(t)
	s.publish(t, "2002-10", 1585000)
	s.tables["trend 2002-10"] = &rollcall.Table{
		Columns: []rollcall.Column{{Name: "month"}, {Name: "service"}, {Name: "unique_audience"}},
		Rows: []rollcall.Row{
			{"2002-09", "icq", measure(312000)},
			{"2002-10", "msn", measure(1585000)}, {"2002-10", "icq", rollcall.Measure{Status: rollcall.Below}},
		},
	}
	_, body := s.get(t, "/")
	for _, want := range []string{
		`<th scope="row" class="text">September 2002</th><td>–</td><td>312,000</td>`,
		`<th scope="row" class="text">October 2002</th><td>1,585,000</td><td>–</td>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWrittenNumbers(t *testing.T) {
	for _, tt := range []struct {
		x    float64
		want string
	}{{0, "0"}, {7.4, "7"}, {999, "999"}, {9999, "9,999"}, {10_499, "10,000"}, {1_585_000.4, "1,585,000"}, {1e9, "1,000,000,000"}} {
		if got := persons(tt.x); got != tt.want {
			t.Errorf("persons(%g) = %s, want %s", tt.x, got, tt.want)
		}
	}
}
