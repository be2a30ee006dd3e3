package main

import (
	"context"
	"net/url"
	"strconv"

	"rollcall/internal/server"
)

type censusCmd struct {
	Market      string `required:"" help:"Market id, such as FR."`
	Service     string `help:"Service ids joined by commas; all that were seen where absent."`
	From        string `required:"" help:"First day, YYYY-MM-DD, or month, YYYY-MM." placeholder:"YYYY-MM-DD"`
	To          string `required:"" help:"Last day or month." placeholder:"YYYY-MM-DD"`
	Location    string `help:"home, work, elsewhere, several joined by +, any, or of home and work both, home-only or work-only." default:"any"`
	Platform    string `help:"computer, phone, tablet, web, other or none, joined by commas; any where absent." placeholder:"NAME,..."`
	Segment     string `help:"Ids of segments joined by commas, or none; any where absent." placeholder:"ID,..."`
	By          string `help:"What rows are of beside a service, joined by commas: platform, segment, location, kind, and one of day, week, month, quarter, year."`
	Window      string `help:"A row for each day, of the accounts of the window that ends on it: 1d, 7d, 28d, 30d or month (the calendar month up to the day)."`
	Credit      string `help:"presence or use." default:"presence"`
	MinAccounts *int   `help:"Figures of fewer accounts are withheld; the server's own minimum, usually 50, where absent."`
	output
	server.Engine
}

// Run prints the census.
func (c *censusCmd) Run(ctx context.Context, s *streams) error {
	query := url.Values{
		"market": {c.Market}, "from": {c.From}, "to": {c.To}, "location": {c.Location}, "credit": {c.Credit},
	}
	if c.MinAccounts != nil {
		query.Set("min_accounts", strconv.Itoa(*c.MinAccounts))
	}
	for name, value := range map[string]string{"service": c.Service, "platform": c.Platform, "segment": c.Segment, "by": c.By, "window": c.Window} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		return c.print(ctx, s, api, "/v1/census", query)
	})
}
