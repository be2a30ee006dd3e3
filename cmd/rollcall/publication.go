package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"rollcall"
)

type publicationCmd struct {
	List   publicationListCmd   `cmd:"" help:"List what was published."`
	Diff   publicationDiffCmd   `cmd:"" help:"Compare two versions of a month, cell by cell."`
	Verify publicationVerifyCmd `cmd:"" help:"Compute every version's objects' hashes again."`
}

type publicationListCmd struct {
	Market string `required:"" help:"Market id."`
	Panel  string `help:"Panel id; all where absent."`
	engine
}

// Run lists the versions.
func (c *publicationListCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		query := url.Values{"market": {c.Market}}
		if c.Panel != "" {
			query.Set("panel", c.Panel)
		}
		list, err := rows[rollcall.Publication](ctx, api, "/v1/publications?"+query.Encode())
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "PANEL\tMONTH\tVERSION\tSTATUS\tPUBLISHED\tDOCUMENT\tREASON")
		for _, p := range list {
			fmt.Fprintf(out, "%s\t%s\t%d\t%s%s\t%s\t%.12s\t%s\n", p.Panel, p.Month, p.Version, p.Status, internalNote(p)+agedNote(p),
				p.Time.UTC().Format(time.RFC3339), p.Document, p.Reason)
		}
		return out.Flush()
	})
}

// agedNote marks a version of which no figure can be computed any more.
func agedNote(p rollcall.Publication) string {
	if p.AgedOut.IsZero() {
		return ""
	}
	return ", facts aged out on " + p.AgedOut.UTC().Format(time.DateOnly)
}

type publicationDiffCmd struct {
	month
	First  int `arg:"" help:"A version."`
	Second int `arg:"" help:"Another version."`

	Report string `help:"The report to compare; the rankings at home+work, home and work where absent."`
	narrowing
	output
	engine
}

// Run prints what differs.
func (c *publicationDiffCmd) Run(ctx context.Context, s *streams) error {
	path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/diff/%d",
		url.PathEscape(c.Market), url.PathEscape(c.Panel), c.month.Month, c.First, c.Second)
	query := url.Values{}
	c.into(query)
	if c.Report != "" {
		query.Set("report", c.Report)
	}
	return c.with(ctx, s, func(api *client) error { return c.print(ctx, s, api, path, query) })
}

type publicationVerifyCmd struct {
	Market string `required:"" help:"Market id."`
	Panel  string `help:"Panel id; all where absent."`
	engine
}

// Run verifies each version that has not aged out; the first that is not what
// it was is an error.
func (c *publicationVerifyCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		query := url.Values{"market": {c.Market}}
		if c.Panel != "" {
			query.Set("panel", c.Panel)
		}
		list, err := rows[rollcall.Publication](ctx, api, "/v1/publications?"+query.Encode())
		if err != nil {
			return err
		}
		aged := 0
		for _, p := range list {
			if !p.AgedOut.IsZero() {
				aged++
				continue
			}
			path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/verify",
				url.PathEscape(string(p.Market)), url.PathEscape(string(p.Panel)), p.Month, p.Version)
			if err := api.do(ctx, http.MethodGet, path, nil, nil); err != nil {
				return err
			}
		}
		left := ""
		if aged > 0 {
			left = fmt.Sprintf("; %d have aged out and can't be verified", aged)
		}
		_, err = fmt.Fprintf(s.out, "%d versions are what they were%s\n", len(list)-aged, left)
		return err
	})
}
