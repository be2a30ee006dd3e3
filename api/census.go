package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/internal/problem"
)

type censusInput struct {
	Market      string `query:"market" required:"true"`
	Service     string `query:"service" doc:"ids joined by commas; all that were seen where absent"`
	From        string `query:"from" required:"true" doc:"first day, YYYY-MM-DD, or month, YYYY-MM"`
	To          string `query:"to" required:"true" doc:"last day or month"`
	Location    string `query:"location" doc:"home, work, elsewhere or several joined by +, any (default), or of home and work both, home-only or work-only"`
	Platform    string `query:"platform" doc:"computer, phone, tablet, web, other or none, joined by commas; any where absent"`
	Segment     string `query:"segment" doc:"ids joined by commas, or none; any where absent"`
	By          string `query:"by" doc:"what rows are of beside a service, joined by commas: platform, segment, location, kind, and one of day, week, month, quarter, year"`
	Window      string `query:"window" doc:"a row for each day, of the accounts of the window that ends on it: 1d, 7d, 28d, 30d or month (the calendar month up to the day)"`
	Credit      string `query:"credit" doc:"presence (default) or use"`
	MinAccounts string `query:"min_accounts" pattern:"^[0-9]{1,9}$" doc:"figures of fewer accounts are withheld; the server's own minimum where absent, which a reader's key can't lower"`
	Shape
	Plain
}

// Resolve finds what can't be read.
func (in *censusInput) Resolve(ctx huma.Context) []error {
	_, err := rollcall.ParseCensusPlace(in.Location)
	_, failed := rollcall.ParseCredit(in.Credit)
	errs := slices.Concat(in.Plain.Resolve(ctx), Span{From: in.From, To: in.To}.Resolve(ctx), located(inQuery, err), located(inQuery, failed))
	return append(errs, located(inQuery, in.rows(new(rollcall.CensusQuery)))...)
}

func (s *Server) getCensus(ctx context.Context, in *censusInput) (*huma.StreamResponse, error) {
	q, err := in.query(s.Readers.Least)
	if err != nil {
		return nil, s.fault("census", err)
	}
	q.Readable = access.Of(ctx).Segments
	if !access.Of(ctx).Operates() {
		if err := s.Readers.Readers(&q); err != nil {
			return nil, problem.New(http.StatusForbidden, err.Error())
		}
	}
	table, err := s.Census(ctx, q)
	if err != nil {
		return nil, s.fault("census", err)
	}
	return s.form(table, in.Shape), nil
}

// query asks for a census; least is the minimum of accounts where none is given.
func (in *censusInput) query(least int) (q rollcall.CensusQuery, err error) {
	q = rollcall.CensusQuery{Market: rollcall.MarketID(in.Market), Services: services(in.Service), MinAccounts: least, Least: least}
	if in.MinAccounts != "" {
		if q.MinAccounts, err = strconv.Atoi(in.MinAccounts); err != nil {
			return q, err
		}
	}
	if q.From, q.To, err = (Span{From: in.From, To: in.To}).days(); err != nil {
		return q, err
	}
	if q.At, err = rollcall.ParseCensusPlace(in.Location); err != nil {
		return q, err
	}
	if q.Credit, err = rollcall.ParseCredit(in.Credit); err != nil {
		return q, err
	}
	return q, in.rows(&q)
}

// rows reads what the figures are of beside a service.
func (in *censusInput) rows(q *rollcall.CensusQuery) (err error) {
	var errs [4]error
	q.Platforms, errs[0] = rollcall.ParsePlatforms(in.Platform)
	q.Segments, errs[1] = rollcall.ParseSegments(in.Segment)
	q.By, errs[2] = rollcall.ParseCensusBy(in.By)
	q.Window, errs[3] = rollcall.ParseWindow(in.Window)
	return errors.Join(errs[:]...)
}

// censusMonth is a month that a market has a census of.
type censusMonth struct {
	Month  rollcall.Month    `json:"month"`
	Market rollcall.MarketID `json:"market"`
}

type censusMonthsInput struct {
	Market string `query:"market" required:"true"`
	Plain
}

// getCensusMonths lists the months that the market has a census of.
func (s *Server) getCensusMonths(ctx context.Context, in *censusMonthsInput) (*list[censusMonth], error) {
	months, err := s.CensusMonths(ctx, rollcall.MarketID(in.Market))
	if err != nil {
		return nil, s.fault("months of the census", err)
	}
	rows := make([]censusMonth, len(months))
	for i, m := range months {
		rows[i] = censusMonth{m, rollcall.MarketID(in.Market)}
	}
	return listOf(rows), nil
}

// nodeInfoInput asks for one service's usage. The total is the caller's own number,
// which Rollcall does not know: accounts that are there, used or not.
type nodeInfoInput struct {
	Market  string `query:"market" required:"true"`
	Service string `query:"service" required:"true" doc:"the id of one service"`
	Total   string `query:"total" pattern:"^[0-9]{1,9}$" doc:"accounts that are registered, by the operator's own count: given back as users.total, which is left out where absent"`
	Plain
}

// NodeInfoUsage is the part usage of NodeInfo 2.1's document.
type NodeInfoUsage struct {
	Users NodeInfoUsers `json:"users"`
}

// NodeInfoUsers counts accounts. What is left out can't be told.
type NodeInfoUsers struct {
	Total          *int64 `json:"total,omitempty" minimum:"0" doc:"accounts that are registered: the operator's own number"`
	ActiveHalfyear *int64 `json:"activeHalfyear,omitempty" minimum:"0" doc:"accounts seen in 180 days; left out where these lie under two keys of pseudonyms, have aged out, or are of too few accounts"`
	ActiveMonth    *int64 `json:"activeMonth,omitempty" minimum:"0" doc:"accounts seen in 30 days; left out likewise"`
}

// getNodeInfo answers alike to all: it is there to be published.
func (s *Server) getNodeInfo(ctx context.Context, in *nodeInfoInput) (*body[NodeInfoUsage], error) {
	var users NodeInfoUsers
	var err error
	if users.ActiveMonth, users.ActiveHalfyear, err = s.Usage(ctx, rollcall.MarketID(in.Market), rollcall.ServiceID(in.Service)); err != nil {
		return nil, s.fault("nodeinfo", err)
	}
	if in.Total != "" {
		total, err := strconv.ParseInt(in.Total, 10, 64)
		if err != nil {
			return nil, s.fault("nodeinfo", err)
		}
		users.Total = &total
	}
	return &body[NodeInfoUsage]{Body: NodeInfoUsage{users}}, nil
}
