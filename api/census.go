package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
)

type censusInput struct {
	Market      string `query:"market" required:"true"`
	Service     string `query:"service" doc:"ids joined by commas; all that were seen where absent"`
	From        string `query:"from" required:"true" doc:"first day, YYYY-MM-DD"`
	To          string `query:"to" required:"true" doc:"last day"`
	Location    string `query:"location" doc:"home, work, elsewhere or several joined by + (default home+work), or both: home and work"`
	Credit      string `query:"credit" doc:"presence (default) or use"`
	MinAccounts int    `query:"min_accounts" default:"50" minimum:"0" doc:"figures of fewer accounts are withheld"`
	Shape
}

func (s *Server) getCensus(ctx context.Context, in *censusInput) (*huma.StreamResponse, error) {
	q, err := in.query()
	if err != nil {
		return nil, s.fault("census", err)
	}
	table, err := s.Census(ctx, q)
	if err != nil {
		return nil, s.fault("census", err)
	}
	return s.form(table, in.Shape), nil
}

func (in *censusInput) query() (q rollcall.CensusQuery, err error) {
	q = rollcall.CensusQuery{Market: rollcall.MarketID(in.Market), Services: services(in.Service), MinAccounts: in.MinAccounts}
	if q.From, q.To, err = days(in.From, in.To); err != nil {
		return q, err
	}
	if q.At, err = rollcall.ParseCensusPlace(in.Location); err != nil {
		return q, err
	}
	q.Credit, err = rollcall.ParseCredit(in.Credit)
	return q, err
}
