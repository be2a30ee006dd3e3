package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"

	"rollcall"
)

type marketCmd struct {
	Add  marketAddCmd  `cmd:"" help:"Add or change a market."`
	List marketListCmd `cmd:"" help:"List markets."`
}

type marketAddCmd struct {
	ID   string `arg:"" help:"The market's id, such as FR."`
	Zone string `required:"" help:"IANA zone whose calendar its days follow, such as Europe/Paris."`
	Name string `help:"Name; the id where absent."`
	engine
}

// Run adds the market.
func (c *marketAddCmd) Run(ctx context.Context, s *streams) error {
	m := rollcall.Market{ID: rollcall.MarketID(c.ID), Name: c.Name, Zone: c.Zone}
	if m.Name == "" {
		m.Name = c.ID
	}
	if _, err := m.Calendar(); err != nil {
		return usageError{err}
	}
	return c.with(ctx, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/markets", m, nil)
	})
}

type marketListCmd struct{ engine }

// Run lists the markets.
func (c *marketListCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		markets, err := rows[rollcall.Market](ctx, api, "/v1/markets")
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, m := range markets {
			fmt.Fprintf(out, "%s\t%s\t%s\n", m.ID, m.Zone, m.Name)
		}
		return out.Flush()
	})
}

// rows reads a list of the API.
func rows[T any](ctx context.Context, api *client, path string) ([]T, error) {
	var list struct {
		Rows []T `json:"rows"`
	}
	err := api.do(ctx, http.MethodGet, path, nil, &list)
	return list.Rows, err
}
