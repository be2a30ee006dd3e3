package main

import (
	"context"
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"

	"rollcall"
)

type publicationCmd struct {
	List publicationListCmd `cmd:"" help:"List what was published."`
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
			fmt.Fprintf(out, "%s\t%s\t%d\t%s%s\t%s\t%.12s\t%s\n", p.Panel, p.Month, p.Version, p.Status, internalNote(p),
				p.Time.UTC().Format(time.RFC3339), p.Document, p.Reason)
		}
		return out.Flush()
	})
}
