package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
)

// About is what a panel's report is of, as parameters.
type About struct {
	Market string `query:"market" required:"true" doc:"market id, such as FR"`
	Panel  string `query:"panel" required:"true" doc:"panel id"`
	Month  string `query:"month" required:"true" doc:"YYYY-MM, the market's local month"`
}

func (a About) panelMonth() (rollcall.PanelMonth, error) {
	m, err := rollcall.ParseMonth(a.Month)
	return rollcall.PanelMonth{Market: rollcall.MarketID(a.Market), Panel: rollcall.PanelID(a.Panel), Month: m}, err
}

// Cut is what a report may be narrowed to, as parameters.
type Cut struct {
	From     string `query:"from" doc:"first day, YYYY-MM-DD; the month's first where absent"`
	To       string `query:"to" doc:"last day"`
	Location string `query:"location" doc:"home, work, home+work (default), both, home-only or work-only; a ranking has all too: home, work and home+work in one table"`
	Service  string `query:"service" doc:"narrows the rows to these ids, joined by commas; shares keep their base"`
	Credit   string `query:"credit" doc:"presence (default) or use"`
	Target   string `query:"target" doc:"persons with these demographics, such as age=15-24,sex=F"`
	Compare  string `query:"compare" doc:"of a ranking: the month that changes are from, previous (default), year or YYYY-MM of the 12 before"`
	Bands    string `query:"bands" doc:"of a frequency's days: 1,2-3,4-7,8-14,15+ (default), others so written, or all: each number of days"`
	Pool     int    `query:"pool" minimum:"0" maximum:"12" doc:"the mean of so many months, 2 to 12, up to this one"`
}

// query asks for a report so narrowed.
func (c Cut) query(report string, a About) (rollcall.Query, error) {
	of, err := a.panelMonth()
	if err != nil {
		return rollcall.Query{}, err
	}
	q := rollcall.Query{
		Report: report, Of: of, Place: rollcall.Place(c.Location), Services: services(c.Service), Credit: rollcall.Credit(c.Credit), Target: c.Target, Pool: c.Pool, Bands: c.Bands, Compare: c.Compare,
	}
	q.From, q.To, err = days(c.From, c.To)
	return q, err
}

type reportInput struct {
	Report string `path:"report"`
	About
	Cut
	Version int  `query:"version" minimum:"0" doc:"a published version; the latest where absent"`
	Live    bool `query:"live" doc:"compute now from a month that may not be closed; provisional"`
	Shape
}

// days reads two optional days.
func days(from, to string) (first, last rollcall.Day, err error) {
	if from != "" {
		if first, err = rollcall.ParseDay(from); err != nil {
			return 0, 0, err
		}
	}
	if to != "" {
		last, err = rollcall.ParseDay(to)
	}
	return first, last, err
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

func (s *Server) getReport(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
	q, err := in.query(in.Report, in.About)
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
