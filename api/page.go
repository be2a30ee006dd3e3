package api

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rollcall"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what page.html shows. Every text in it is plain.
type page struct {
	Title    string
	Text     string
	Commands string // what to type, a line a command
	Market   rollcall.MarketID
	Ranking  *rankingView
	Trend    *trendView
	Links    []link
	Version  string
}

// link is a published month.
type link struct {
	Text, URL string
	Current   bool
}

// pages makes the page from what the API serves.
type pages struct{ *Server }

// page serves GET /: the ranking of the latest published month, or of that
// which ?market, ?panel and ?month name, as a page that needs no script.
func (s pages) page(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	p, err := s.look(r.Context(), r.URL.Query())
	if err != nil {
		var detail string
		status, detail = s.judge("page", err)
		p = &page{Title: http.StatusText(status), Text: detail, Links: []link{{Text: "The latest month", URL: "/"}}}
	}
	p.Version = s.Version
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		status, detail := s.judge("page", err)
		problem(w, status, detail)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone: nobody is left to tell
}

// look makes the page that the parameters ask for.
func (s pages) look(ctx context.Context, asked url.Values) (*page, error) {
	months, err := s.published(ctx)
	if err != nil {
		return nil, err
	}
	if len(months) == 0 {
		return nothingYet(), nil
	}
	of, err := choose(months, asked)
	if err != nil {
		return nil, err
	}
	ranking, err := s.Reports.Report(ctx, rollcall.Query{Report: "ranking", Of: of})
	if err != nil {
		return nil, err
	}
	n := s.names()
	v := viewRanking(ranking, n)
	return &page{Title: n.headline(ranking), Market: of.Market, Ranking: v, Trend: s.trend(ctx, of, n), Links: links(months, of)}, nil
}

func nothingYet() *page {
	return &page{
		Title: "Nothing is published yet",
		Text: "Rollcall runs, and no month has been closed. Load a panel's month and its events, then close it; " +
			"or stop this server and start the demonstration market instead. A demonstration that is still loading is here as soon as its first month is closed.",
		Commands: "rollcall market add FR --zone Europe/Paris --name France\n" +
			"rollcall panel load --market FR --panel NAME --month 2002-10 --panelists panelists.csv --universe universe.csv\n" +
			"rollcall events load --backfill events.ndjson\n" +
			"rollcall close --market FR --panel NAME --month 2002-10\n\n" +
			"rollcall demo",
	}
}

// published gives the months with a version that readers can see, each once,
// by market, panel and month.
func (s pages) published(ctx context.Context) ([]rollcall.PanelMonth, error) {
	var out []rollcall.PanelMonth
	for _, m := range s.Catalogue.Catalogue().Markets {
		versions, err := s.Publications.Publications(ctx, m.ID, "")
		if err != nil {
			return nil, err
		}
		for _, p := range versions {
			if !p.Internal && p.AgedOut.IsZero() {
				out = append(out, p.PanelMonth)
			}
		}
	}
	slices.SortFunc(out, comparePanelMonths)
	return slices.Compact(out), nil
}

func comparePanelMonths(a, b rollcall.PanelMonth) int {
	return cmp.Or(cmp.Compare(a.Market, b.Market), cmp.Compare(a.Panel, b.Panel), cmp.Compare(a.Month, b.Month))
}

// choose gives the latest of the months that fit what was asked for.
func choose(months []rollcall.PanelMonth, asked url.Values) (best rollcall.PanelMonth, err error) {
	month := rollcall.Month(-1)
	if text := asked.Get("month"); text != "" {
		if month, err = rollcall.ParseMonth(text); err != nil {
			return best, err
		}
	}
	found := false
	for _, of := range months {
		fits := fits(asked.Get("market"), string(of.Market)) && fits(asked.Get("panel"), string(of.Panel)) && (month < 0 || month == of.Month)
		if fits && (!found || of.Month > best.Month) {
			best, found = of, true
		}
	}
	if !found {
		return best, fmt.Errorf("no month is published of that market, panel and month: %w", rollcall.ErrNotFound)
	}
	return best, nil
}

func fits(asked, have string) bool { return asked == "" || asked == have }

// links gives the months of one panel, and the latest of every other.
func links(months []rollcall.PanelMonth, current rollcall.PanelMonth) []link {
	var own, others []link
	for i, of := range months {
		l := link{Text: monthName(of.Month), URL: "/?" + panelQuery(of).Encode(), Current: of == current}
		switch last := i+1 == len(months) || months[i+1].Panel != of.Panel || months[i+1].Market != of.Market; {
		case of.Market == current.Market && of.Panel == current.Panel:
			own = append(own, l)
		case last:
			l.Text = fmt.Sprintf("%s, panel %s, %s", of.Market, of.Panel, l.Text)
			others = append(others, l)
		}
	}
	return append(own, others...)
}

func panelQuery(of rollcall.PanelMonth) url.Values {
	return url.Values{"market": {string(of.Market)}, "panel": {string(of.Panel)}, "month": {of.Month.String()}}
}

// monthName gives "October 2002".
func monthName(m rollcall.Month) string {
	year, month, _ := m.First().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Format("January 2006")
}

// trend gives the months up to of; nil where there is but one, or where they
// can't be had: the ranking stands without them.
func (s pages) trend(ctx context.Context, of rollcall.PanelMonth, n names) *trendView {
	t, err := s.Reports.Report(ctx, rollcall.Query{Report: "trend", Of: of})
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			s.Logger.Warn("the page has no trend", "month", of.Month, "error", err)
		}
		return nil
	}
	v := viewTrend(t, n)
	if len(v.Rows) < 2 {
		return nil
	}
	return v
}

// names gives what the catalogue calls its services and markets.
type names struct {
	services map[string]string
	markets  map[rollcall.MarketID]string
}

func (s pages) names() names {
	c := s.Catalogue.Catalogue()
	n := names{services: map[string]string{"any": "Any of these services"}, markets: map[rollcall.MarketID]string{}}
	for _, v := range c.Services {
		n.services[string(v.ID)] = v.Name
	}
	for _, m := range c.Markets {
		n.markets[m.ID] = m.Name
	}
	return n
}

func (n names) service(id string) string { return cmp.Or(n.services[id], id) }

func (n names) market(id rollcall.MarketID) string { return cmp.Or(n.markets[id], string(id)) }

func (n names) list(ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = n.service(id)
	}
	return strings.Join(out, ", ")
}

// headline says who leads, in one sentence.
func (n names) headline(t *rollcall.Table) string {
	when := "in " + monthText(t.Meta.Month)
	for i := range t.Rows {
		rank, _ := t.Cell(i, "rank").(int)
		audience, _ := t.Cell(i, "unique_audience").(rollcall.Measure)
		if text(t, i, "level") != "service" || rank != 1 || audience.Status.Withheld() {
			continue
		}
		out := fmt.Sprintf("%s, %s unique visitors %s %s", n.service(text(t, i, "service")), persons(audience.Value), placeName(t.Meta.Location), when)
		if tied, _ := t.Cell(i, "tied_with").([]string); len(tied) > 0 {
			out += ", tied with " + n.list(tied)
		}
		return out
	}
	return fmt.Sprintf("%s: no service has enough panelists to show %s", n.market(t.Meta.Market), when)
}

func text(t *rollcall.Table, row int, column string) string {
	s, _ := t.Cell(row, column).(string)
	return s
}

func monthText(s string) string {
	m, err := rollcall.ParseMonth(s)
	if err != nil {
		return s
	}
	return monthName(m)
}

func placeName(location string) string {
	switch location {
	case "home":
		return "at home"
	case "work":
		return "at work"
	}
	return "at home and at work"
}
