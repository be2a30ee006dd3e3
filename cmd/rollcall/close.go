package main

import (
	"context"
	"fmt"
	"net/http"

	"rollcall"
)

type closeCmd struct {
	month
	Status  string `help:"preliminary, final or restated." enum:"preliminary,final,restated" default:"preliminary"`
	Reason  string `help:"Why; required where restated."`
	Low     *int   `help:"Persons under which a figure is withheld; under the market's own the version is internal."`
	Caution *int   `help:"Persons under which a figure is flagged."`
	engine
}

// Run closes the month and names the version.
func (c *closeCmd) Run(ctx context.Context, s *streams) error {
	in := map[string]any{"market": c.Market, "panel": c.Panel, "month": c.month.Month, "status": c.Status, "reason": c.Reason}
	if c.Low != nil {
		in["low"] = *c.Low
	}
	if c.Caution != nil {
		in["caution"] = *c.Caution
	}
	return c.with(ctx, s, func(api *client) error {
		var p rollcall.Publication
		if err := api.do(ctx, http.MethodPost, "/v1/publications", in, &p); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s %s %s: version %d, %s%s\n", p.Market, p.Panel, p.Month, p.Version, p.Status, internalNote(p))
		return err
	})
}

func internalNote(p rollcall.Publication) string {
	if p.Internal {
		return ", internal (limits under the market's own)"
	}
	return ""
}
