package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

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
	q = rollcall.CensusQuery{Market: rollcall.MarketID(in.Market), MinAccounts: least, Least: least}
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
	var errs [5]error
	q.Platforms, errs[0] = rollcall.ParsePlatforms(in.Platform)
	q.Segments, errs[1] = rollcall.ParseSegments(in.Segment)
	q.By, errs[2] = rollcall.ParseCensusBy(in.By)
	q.Window, errs[3] = rollcall.ParseWindow(in.Window)
	q.Services, errs[4] = services(in.Service)
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

// getCensusMonths lists the months that the market has a census of which the
// caller may see.
func (s *Server) getCensusMonths(ctx context.Context, in *censusMonthsInput) (*list[censusMonth], error) {
	months, err := s.CensusMonths(ctx, rollcall.MarketID(in.Market), access.Of(ctx).Segments)
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

// corrections are the routes by which mistakes in the census are undone.
type corrections struct{ *Server }

// correction is one as it is told.
type correction struct {
	Action  rollcall.Action    `json:"action" enum:"removal,outage,cleared,restored" doc:"removal; restored: a replay has brought back what the log had of a removal; outage: days on which a collector was down; cleared: marks of such days that were lifted"`
	Market  rollcall.MarketID  `json:"market"`
	Service rollcall.ServiceID `json:"service,omitempty" doc:"absent: every service"`
	Segment string             `json:"segment,omitempty" doc:"of a removal: this segment alone, or none; absent: any"`
	From    rollcall.Day       `json:"from"`
	To      rollcall.Day       `json:"to"`
	Reason  string             `json:"reason"`
	Time    time.Time          `json:"time" doc:"when it was recorded; of a removal, the log's records that are stamped up to then count no more"`
	Cells   *int               `json:"cells,omitempty" doc:"of a removal's answer: the cells that were removed, or in a dry run would be"`
	Removed []string           `json:"segments,omitempty" doc:"of the answer to a removal of one segment: that segment, and those merged into it, which it is of too"`
}

func correctionOf(c rollcall.Correction) correction {
	return correction{Action: c.Action, Market: c.Market, Service: c.Service, Segment: c.Segment, From: c.From, To: c.To, Reason: c.Reason, Time: c.Time}
}

type ofOneMarket struct {
	Market string `query:"market" required:"true"`
	Plain
}

func (s corrections) get(ctx context.Context, in *ofOneMarket) (*list[correction], error) {
	all, err := s.Corrections.List(ctx, rollcall.MarketID(in.Market))
	if err != nil {
		return nil, s.fault("corrections", err)
	}
	var rows []correction
	for _, c := range all {
		rows = append(rows, correctionOf(c))
	}
	return listOf(rows), nil
}

// markedDays are days of a service, or of all, and why.
type markedDays struct {
	Market  string `json:"market"`
	Service string `json:"service,omitempty" doc:"every service where absent"`
	From    string `json:"from" doc:"first day, YYYY-MM-DD, or month, YYYY-MM"`
	To      string `json:"to" doc:"last day or month"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1000"`
}

// correction reads the days.
func (d *markedDays) correction() (c rollcall.Correction, err error) {
	c = rollcall.Correction{Market: rollcall.MarketID(d.Market), Service: rollcall.ServiceID(d.Service), Reason: d.Reason}
	c.From, c.To, err = (Span{From: d.From, To: d.To}).days()
	switch {
	case err == nil && c.From == 0:
		err = &rollcall.Invalid{Field: "from", Reason: "is missing", Code: "from_missing"}
	case err == nil && c.To == 0:
		err = &rollcall.Invalid{Field: "to", Reason: "is missing", Code: "to_missing"}
	case err == nil && c.From > c.To:
		err = rollcall.Swapped(d.From, d.To)
	}
	return c, err
}

// removedDays are days of a service, and why they are removed.
type removedDays struct {
	Market  string `json:"market"`
	Service string `json:"service"`
	Segment string `json:"segment,omitempty" doc:"of this segment alone, or none; of any where absent"`
	From    string `json:"from" doc:"first day, YYYY-MM-DD, or month, YYYY-MM"`
	To      string `json:"to" doc:"last day or month"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1000"`
	DryRun  bool   `json:"dry_run,omitempty" doc:"true: the answer says what would be removed, and nothing is"`
}

func (s corrections) postRemoval(ctx context.Context, in *given[removedDays]) (*made[correction], error) {
	c, err := (&markedDays{Market: in.Body.Market, Service: in.Body.Service, From: in.Body.From, To: in.Body.To, Reason: in.Body.Reason}).correction()
	if err != nil {
		return nil, s.fault("remove", err)
	}
	if c.Segment = in.Body.Segment; c.Segment != "" {
		if _, err := rollcall.ParseSegment(c.Segment); err != nil {
			return nil, s.fault("remove", err)
		}
	}
	remove := s.Corrections.Remove
	if in.Body.DryRun {
		remove = s.Corrections.Preview
	}
	done, err := remove(ctx, c)
	if err != nil {
		return nil, s.fault("remove", err)
	}
	if done.New = done.New && !in.Body.DryRun; done.New {
		s.audited(ctx, "remove census", c.Market, words(&done.Correction))
	}
	answer := s.made(done, &done.Cells)
	if done.Segment != "" {
		answer.Body.Removed = done.Segments
	}
	return answer, nil
}

// words says what a correction is of.
func words(c *rollcall.Correction) string {
	of := cmp.Or(string(c.Service), "every service")
	if c.Segment != "" {
		of += ", segment " + c.Segment
	}
	return of + ", " + c.Days() + ": " + c.Reason
}

func (s corrections) made(done rollcall.Removed, cells *int) *made[correction] {
	told := correctionOf(done.Correction)
	told.Cells = cells
	return madeAt(address("census", "corrections")+"?market="+url.QueryEscape(string(told.Market)), told, done.New)
}

type accountErasure struct {
	Body struct {
		Service string `json:"service"`
		Account string `json:"account" minLength:"1" doc:"as its collectors send it; it is not kept"`
		DryRun  bool   `json:"dry_run,omitempty" doc:"true: the answer says what would be erased, and nothing is"`
	}
	Plain
}

func (s corrections) postErasure(ctx context.Context, in *accountErasure) (*body[rollcall.ErasedAccount], error) {
	erase, action := s.Corrections.Erase, "erase account"
	if in.Body.DryRun {
		if err := caughtUp(ctx, s.Log); err != nil {
			return nil, s.fault("erase", err)
		}
		erase, action = s.Corrections.PreviewErasure, "dry run of erase account"
	}
	done, err := erase(ctx, rollcall.ServiceID(in.Body.Service), in.Body.Account)
	if err != nil {
		return nil, s.fault("erase", err)
	}
	s.audited(ctx, action, "", "an account of service "+string(done.Service))
	return &body[rollcall.ErasedAccount]{Body: done}, nil
}

func (s corrections) postMark(ctx context.Context, in *given[markedDays]) (*made[correction], error) {
	c, err := in.Body.correction()
	if err != nil {
		return nil, s.fault("mark", err)
	}
	done, err := s.Corrections.Mark(ctx, c)
	if err != nil {
		return nil, s.fault("mark", err)
	}
	if done.New {
		s.audited(ctx, "mark census", c.Market, words(&done.Correction))
	}
	return s.made(done, nil), nil
}

type liftInput struct {
	Market  string `query:"market" required:"true"`
	Service string `query:"service" doc:"every service where absent"`
	From    string `query:"from" required:"true" doc:"first day, YYYY-MM-DD, or month, YYYY-MM"`
	To      string `query:"to" required:"true" doc:"last day or month"`
	Reason  string `query:"reason" required:"true" minLength:"1" maxLength:"1000"`
	Plain
}

func (s corrections) deleteMark(ctx context.Context, in *liftInput) (*body[correction], error) {
	c, err := (&markedDays{Market: in.Market, Service: in.Service, From: in.From, To: in.To, Reason: in.Reason}).correction()
	if err != nil {
		return nil, s.fault("clear", err)
	}
	done, err := s.Corrections.Clear(ctx, c)
	if err != nil {
		return nil, s.fault("clear", err)
	}
	if done.New {
		s.audited(ctx, "clear mark", c.Market, words(&done.Correction))
	}
	return &body[correction]{Body: correctionOf(done.Correction)}, nil
}
