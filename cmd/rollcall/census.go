package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rollcall"
	"rollcall/internal/server"
)

type censusCmd struct {
	Show        censusShowCmd        `cmd:"" default:"withargs" help:"Print unique accounts over any range of days."`
	Remove      censusRemoveCmd      `cmd:"" help:"Remove days of a service that were loaded wrong; what is loaded later counts."`
	Erase       censusEraseCmd       `cmd:"" help:"Take an account out of the sets of a service that is counted exactly."`
	Mark        censusMarkCmd        `cmd:"" help:"Mark days on which a collector was down."`
	Corrections censusCorrectionsCmd `cmd:"" help:"List what was removed from a market's census, and the marked days."`
}

type censusShowCmd struct {
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
func (c *censusShowCmd) Run(ctx context.Context, s *streams) error {
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
		if err := c.print(ctx, s, api, "/v1/census", query); err != nil {
			return err
		}
		return c.unloaded(ctx, s, api)
	})
}

// unloaded says that there are no events of any month that is asked about, which the list
// of a market's months says to whoever may ask. Of days of a month that is in it nothing
// is said: none and few are withheld alike.
func (c *censusShowCmd) unloaded(ctx context.Context, s *streams, api *client) error {
	from, to := monthOf(c.From), monthOf(c.To)
	has, err := rows[struct{ Month rollcall.Month }](ctx, api, "/v1/census/months?market="+url.QueryEscape(c.Market))
	if err != nil {
		return err
	}
	for _, m := range has {
		if from <= m.Month && m.Month <= to {
			return nil
		}
	}
	asked, there := from.String(), ", nor of any other month"
	if from != to {
		asked += " to " + to.String()
	}
	if n := len(has); n == 1 {
		there = fmt.Sprintf("; its only month is %s", has[0].Month)
	} else if n > 1 {
		there = fmt.Sprintf("; its first month is %s, its last %s", has[0].Month, has[n-1].Month)
	}
	fmt.Fprintf(s.err, "note: the census of %s has no events of %s%s\n", c.Market, asked, there)
	return nil
}

// monthOf gives a month, or that of a day, which the server has read.
func monthOf(text string) rollcall.Month {
	if m, err := rollcall.ParseMonth(text); err == nil {
		return m
	}
	day, _ := rollcall.ParseDay(text)
	return day.Month()
}

// correction is one as the API tells it.
type correction struct {
	Action  rollcall.Action
	Market  string
	Service string
	Segment string
	From    rollcall.Day
	To      rollcall.Day
	Reason  string
	Time    time.Time
	Cells   int
	Removed []string `json:"segments"`
}

// words says what it is of.
func (c *correction) words() string {
	of := cmp.Or(c.Service, "every service")
	switch {
	case len(c.Removed) > 1:
		of += ", segments " + strings.Join(c.Removed, ", ")
	case c.Segment != "":
		of += ", segment " + c.Segment
	}
	days := rollcall.Correction{From: c.From, To: c.To}
	return c.Market + ", " + of + ", " + days.Days()
}

// count says how many there are.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// misused makes what the server can't take bad usage, as with a question: what
// these commands send is on the command line.
func misused(err error) error {
	if refused := (unusable{}); errors.As(err, &refused) {
		return server.UsageError{Err: err}
	}
	return err
}

type censusRemoveCmd struct {
	Market  string `required:"" help:"Market id, such as FR."`
	Service string `required:"" help:"Service id."`
	From    string `required:"" help:"First day, YYYY-MM-DD, or month, YYYY-MM." placeholder:"YYYY-MM-DD"`
	To      string `required:"" help:"Last day or month." placeholder:"YYYY-MM-DD"`
	Segment string `help:"Only what is of this segment and of those merged into it, or of none." placeholder:"ID"`
	Reason  string `required:"" help:"Why; it stands under every figure of these days."`
	DryRun  bool   `help:"Say what would be removed; remove nothing."`
	server.Engine
}

// Run removes the days.
func (c *censusRemoveCmd) Run(ctx context.Context, s *streams) error {
	in := map[string]any{"market": c.Market, "service": c.Service, "from": c.From, "to": c.To, "reason": c.Reason}
	if c.Segment != "" {
		in["segment"] = c.Segment
	}
	if c.DryRun {
		in["dry_run"] = true
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		var done correction
		if err := api.do(ctx, http.MethodPost, "/v1/census/removals", in, &done); err != nil {
			return misused(err)
		}
		if c.DryRun {
			_, err := fmt.Fprintf(s.out, "would be removed: %s: %s, each of which holds what one day has of one place, platform, segment and kind of event\na dry run: nothing was removed\n", done.words(), count(done.Cells, "cell"))
			return err
		}
		_, err := fmt.Fprintf(s.out, "removed: %s: %s\nof the log, what is stamped after %s counts\n", done.words(), count(done.Cells, "cell"), done.Time.UTC().Format(time.RFC3339Nano))
		return err
	})
}

type censusEraseCmd struct {
	Service string `required:"" help:"Service id."`
	Account string `required:"" help:"The account, as its collectors send it; it is not kept."`
	DryRun  bool   `help:"Say what would be erased; erase nothing."`
	server.Engine
}

// Run erases the account.
func (c *censusEraseCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		var done rollcall.ErasedAccount
		in := map[string]any{"service": c.Service, "account": c.Account}
		if c.DryRun {
			in["dry_run"] = true
		}
		if err := api.do(ctx, http.MethodPost, "/v1/census/erasures", in, &done); err != nil {
			return misused(err)
		}
		return c.print(s, &done)
	})
}

// print says what was erased, or would be. An account that is in no set is an
// error: it may be written otherwise.
func (c *censusEraseCmd) print(s *streams, done *rollcall.ErasedAccount) error {
	format, later := "erased: out of %s of %s, up to %s, under %s\n", ". If it is loaded later, it does not count up to "+done.Last.String()
	if c.DryRun {
		format, later = "would be erased: out of %s of %s, up to %s, under %s; a set has the accounts of one day, place, platform, segment and kind of event\na dry run: nothing was erased\n", ". Without --dry-run, if it is loaded later, it would not count up to "+done.Last.String()
	}
	if done.Sets > 0 {
		fmt.Fprintf(s.out, format, count(done.Sets, "set"), done.Service, done.Last, count(done.Keys, "key"))
	}
	if done.Lost != 0 {
		fmt.Fprintf(s.out, "not looked for before %s: the master key of then is lost\n", done.Lost)
	}
	for _, note := range done.Notes {
		fmt.Fprintln(s.out, note)
	}
	if done.Sets == 0 {
		return fmt.Errorf("no set of %s has this account; write it as its collectors send it%s", done.Service, later)
	}
	return nil
}

type censusMarkCmd struct {
	Market  string `required:"" help:"Market id, such as FR."`
	Service string `help:"Service id; every service where absent."`
	From    string `required:"" help:"First day, YYYY-MM-DD, or month, YYYY-MM." placeholder:"YYYY-MM-DD"`
	To      string `required:"" help:"Last day or month." placeholder:"YYYY-MM-DD"`
	Reason  string `required:"" help:"Why; it stands under every figure of these days."`
	Clear   bool   `help:"Lift the marks of these days."`
	server.Engine
}

// Run marks the days, or lifts their marks.
func (c *censusMarkCmd) Run(ctx context.Context, s *streams) error {
	in := map[string]string{"market": c.Market, "from": c.From, "to": c.To, "reason": c.Reason}
	if c.Service != "" {
		in["service"] = c.Service
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		var done correction
		if !c.Clear {
			if err := api.do(ctx, http.MethodPost, "/v1/census/marks", in, &done); err != nil {
				return misused(err)
			}
			_, err := fmt.Fprintf(s.out, "marked: %s\n", done.words())
			return err
		}
		query := url.Values{}
		for name, value := range in {
			query.Set(name, value)
		}
		if err := api.do(ctx, http.MethodDelete, "/v1/census/marks?"+query.Encode(), nil, &done); err != nil {
			return misused(err)
		}
		_, err := fmt.Fprintf(s.out, "no longer marked: %s\n", done.words())
		return err
	})
}

type censusCorrectionsCmd struct {
	Market string `required:"" help:"Market id, such as FR."`
	server.Engine
}

// Run lists what was recorded.
func (c *censusCorrectionsCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/census/corrections?market="+url.QueryEscape(c.Market), func(one correction) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s", one.Time.UTC().Format(time.RFC3339), one.Action, one.words(), one.Reason)
	})
}
