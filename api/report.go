package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/openapi"
)

// About is what a panel's report is of, as it was given.
type About struct{ Market, Panel, Month string }

func (a About) panelMonth() (rollcall.PanelMonth, error) {
	m, err := optionalMonth(a.Month)
	return rollcall.PanelMonth{Market: rollcall.MarketID(a.Market), Panel: rollcall.PanelID(a.Panel), Month: m}, err
}

// Cut is what a report may be narrowed to, as parameters.
type Cut struct {
	Location string `query:"location" doc:"home, work, home+work (default), both, home-only or work-only; a ranking has all too: home, work and home+work in one table"`
	Service  string `query:"service" doc:"narrows the rows to these ids, joined by commas; shares keep their base"`
	Credit   string `query:"credit" doc:"presence (default) or use"`
	Target   string `query:"target" doc:"persons with these demographics, such as age=15-24,sex=F"`
	Compare  string `query:"compare" doc:"of a ranking: the month that changes are from, previous (default), year or YYYY-MM of the 12 before"`
	Bands    string `query:"bands" doc:"of a frequency's days: 1,2-3,4-7,8-14,15+ (default), others so written, or all: each number of days"`
	Pool     int    `query:"pool" minimum:"0" maximum:"12" doc:"the mean of so many months, 2 to 12, up to this one"`
}

// Resolve finds what can't be read.
func (c Cut) Resolve(huma.Context) []error {
	var err error
	if rollcall.Place(c.Location) != rollcall.EveryPlace { // which a ranking takes, and the other reports refuse by their names
		_, err = rollcall.ParsePlace(c.Location)
	}
	_, failed := rollcall.ParseCredit(c.Credit)
	_, unnamed := services(c.Service)
	return slices.Concat(located(inQuery, err), located(inQuery, failed), located(inQuery, unnamed))
}

// query asks for a report so narrowed.
func (c Cut) query(report string, a About, of Span) (rollcall.Query, error) {
	month, err := a.panelMonth()
	if err != nil {
		return rollcall.Query{}, err
	}
	asked, err := services(c.Service)
	if err != nil {
		return rollcall.Query{}, err
	}
	q := rollcall.Query{
		Report: report, Of: month, Place: rollcall.Place(c.Location), Services: asked, Credit: rollcall.Credit(c.Credit), Target: c.Target, Pool: c.Pool, Bands: c.Bands, Compare: c.Compare,
	}
	q.From, q.To, err = of.days()
	return q, err
}

type reportInput struct {
	Market string `query:"market" required:"true" doc:"market id, such as FR"`
	Panel  string `query:"panel" required:"true" doc:"panel id"`
	Period
	Cut
	Which
	Shape
	Plain
}

// services reads ids joined by commas; "" has none.
func services(s string) (ids []rollcall.ServiceID, err error) {
	names, err := rollcall.Names("service", s)
	for _, id := range names {
		ids = append(ids, rollcall.ServiceID(id))
	}
	return ids, err
}

// panelReports are the routes of the panels' reports.
type panelReports struct{ *Server }

// get gives the route of one report: each has its own, since the rows of each are
// others.
func (s panelReports) get(name string) func(context.Context, *reportInput) (*huma.StreamResponse, error) {
	return func(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
		q, err := in.query(name, About{Market: in.Market, Panel: in.Panel, Month: in.Month}, in.Span)
		if err != nil {
			return nil, s.fault("report", err)
		}
		q.Version, q.Live = in.Version, in.Live
		table, err := s.Reports.Report(ctx, q)
		if err != nil {
			return nil, s.fault("report", err)
		}
		return s.form(table, in.Shape), nil
	}
}

type marketsInput struct {
	Service  string `query:"service" required:"true" doc:"id of the one service that all is of"`
	Month    string `query:"month" required:"true" doc:"YYYY-MM, each market's local month"`
	Panel    string `query:"panel" doc:"panel ids, joined by commas: markets without one of them are left out; where absent, each market's only panel"`
	Location string `query:"location" doc:"home, work, home+work (default), both, home-only or work-only"`
	Credit   string `query:"credit" doc:"presence (default) or use"`
	Shape
	Plain
}

// Resolve finds what can't be read.
func (in *marketsInput) Resolve(ctx huma.Context) []error {
	faults := append(in.Plain.Resolve(ctx), Cut{Location: in.Location, Credit: in.Credit}.Resolve(ctx)...)
	_, err := rollcall.ParseMonth(in.Month)
	_, unnamed := rollcall.Names("panel", in.Panel)
	if faults = append(faults, slices.Concat(located(inQuery, err), located(inQuery, unnamed))...); strings.Contains(in.Service, ",") {
		faults = append(faults, contradiction("service", "names several: this report is of one service")...)
	}
	return faults
}

// getMarkets puts one service of the markets that the caller may see beside each
// other.
func (s panelReports) getMarkets(ctx context.Context, in *marketsInput) (*huma.StreamResponse, error) {
	month, err := rollcall.ParseMonth(in.Month)
	if err != nil {
		return nil, s.fault("report", err)
	}
	q := rollcall.MarketsQuery{
		Service: rollcall.ServiceID(in.Service), Month: month, Place: rollcall.Place(in.Location), Credit: rollcall.Credit(in.Credit), Readable: access.Of(ctx).Markets,
	}
	panels, err := rollcall.Names("panel", in.Panel)
	if err != nil {
		return nil, s.fault("report", err)
	}
	for _, panel := range panels {
		q.Panels = append(q.Panels, rollcall.PanelID(panel))
	}
	table, err := s.Reports.Markets(ctx, q)
	if err != nil {
		return nil, s.fault("report", err)
	}
	return s.form(table, in.Shape), nil
}

// getUnknown answers where no report has the name.
func (s panelReports) getUnknown(w http.ResponseWriter, r *http.Request) {
	name := pathValue(r, "report")
	s.refuse(w, r, "report", &rollcall.Unknown{Kind: "report", Name: name, Near: rollcall.Nearest(name, openapi.Names())})
}
