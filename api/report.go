package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/export"
)

// About is what a panel's report is of, as it was given.
type About struct{ Market, Panel, Month string }

func (a About) panelMonth() (rollcall.PanelMonth, error) {
	m, err := optionalMonth(a.Month)
	return rollcall.PanelMonth{Market: rollcall.MarketID(a.Market), Panel: rollcall.PanelID(a.Panel), Month: m}, err
}

// Cut is what a report may be narrowed to, as parameters.
type Cut struct {
	Location string `query:"location" doc:"home, work, home+work (default), both, home-only or work-only"`
	Service  string `query:"service" doc:"narrows the rows to these ids, joined by commas; shares keep their base"`
	Credit   string `query:"credit" doc:"presence (default) or use"`
	Target   string `query:"target" doc:"persons with these demographics, such as age=15-24,sex=F"`
	Bands    string `query:"bands" doc:"of a frequency's days: 1,2-3,4-7,8-14,15+ (default), others so written, or all: each number of days"`
	Pool     int    `query:"pool" minimum:"0" maximum:"12" doc:"the mean of so many months, 2 to 12, up to this one"`
}

// Resolve finds what can't be read.
func (c Cut) Resolve(huma.Context) []error {
	_, err := rollcall.ParsePlace(c.Location)
	_, failed := rollcall.ParseCredit(c.Credit)
	return slices.Concat(fault(inQuery, err), fault(inQuery, failed))
}

// query asks for a report so narrowed.
func (c Cut) query(report string, a About, of Span) (rollcall.Query, error) {
	month, err := a.panelMonth()
	if err != nil {
		return rollcall.Query{}, err
	}
	q := rollcall.Query{
		Report: report, Of: month, Place: rollcall.Place(c.Location), Services: services(c.Service), Credit: rollcall.Credit(c.Credit), Target: c.Target, Pool: c.Pool, Bands: c.Bands,
	}
	q.From, q.To, err = of.days()
	return q, err
}

type reportInput struct {
	Report string `path:"report"`
	Market string `query:"market" required:"true" doc:"market id, such as FR"`
	Panel  string `query:"panel" required:"true" doc:"panel id"`
	Period
	Cut
	Which
	Shape
	Plain
	accept string
}

// Resolve keeps what Accept prefers.
func (in *reportInput) Resolve(ctx huma.Context) []error {
	in.accept = ctx.Header("Accept")
	return slices.Concat(in.Period.Resolve(ctx), in.Cut.Resolve(ctx), in.Which.Resolve(ctx), in.Plain.Resolve(ctx))
}

func services(s string) []rollcall.ServiceID {
	var ids []rollcall.ServiceID
	for id := range strings.SplitSeq(s, ",") {
		if id != "" {
			ids = append(ids, rollcall.ServiceID(id))
		}
	}
	return ids
}

// reports answers, and keeps what it answered.
type reports struct {
	*Server
	work *limiter
	kept *kept
}

func (s *Server) reports() reports {
	return reports{s, newLimiter(cmp.Or(s.Concurrent, DefaultConcurrent), mostWaiting), &kept{most: mostKept, by: map[string]*encoded{}}}
}

func (s reports) get(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
	q, err := in.query(in.Report, About{Market: in.Market, Panel: in.Panel, Month: in.Month}, in.Span)
	if err != nil {
		return nil, s.fault("report", err)
	}
	q.Version, q.Live = in.Version, in.Live
	edition, err := s.Reports.Edition(ctx, q)
	if err != nil {
		return nil, s.fault("report", err)
	}
	form := in.form(in.accept)
	key := fmt.Sprintf("%s %+v %s %s", edition, q, form, in.Locale)
	answer := s.kept.get(key)
	if answer == nil {
		if answer, err = s.compute(ctx, q, form, in.Language); err != nil {
			return nil, err
		}
		if edition != "" && answer.err == nil && !strings.Contains(q.Target, "@") { // a saved target may change
			s.kept.put(key, answer)
		}
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.AppendHeader("Vary", "Accept")
		answer.write(ctx, s.Server)
	}}, nil
}

// compute makes a report that isn't kept, when it may be worked on.
func (s reports) compute(ctx context.Context, q rollcall.Query, form export.Form, l Language) (*encoded, error) {
	leave, err := s.work.enter(ctx, keyOf(ctx))
	if err != nil {
		return nil, huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(busy), http.Header{"Retry-After": {"1"}})
	}
	defer leave()
	table, err := s.Reports.Report(ctx, q)
	if err != nil {
		return nil, s.fault("report", err)
	}
	d := s.tableAs(table, form, l)
	return d.encode(&table.Meta), nil
}
