package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"

	"rollcall"
	"rollcall/internal/server"
)

type marketCmd struct {
	Add  marketAddCmd  `cmd:"" help:"Add or change a market."`
	List marketListCmd `cmd:"" help:"List markets."`
}

type marketAddCmd struct {
	ID   string `arg:"" help:"The market's id, such as FR."`
	Zone string `required:"" help:"IANA zone whose calendar its days follow, such as Europe/Paris."`
	Name string `help:"Name; the id where absent."`
	server.Engine
}

// Run adds the market.
func (c *marketAddCmd) Run(ctx context.Context, s *streams) error {
	m := rollcall.Market{ID: rollcall.MarketID(c.ID), Name: c.Name, Zone: c.Zone}
	if m.Name == "" {
		m.Name = c.ID
	}
	if _, err := m.Calendar(); err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/markets", m, nil)
	})
}

type marketListCmd struct{ server.Engine }

// Run lists the markets.
func (c *marketListCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
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

type serviceCmd struct {
	Add  serviceAddCmd  `cmd:"" help:"Add or change a service."`
	List serviceListCmd `cmd:"" help:"List services."`
}

type serviceAddCmd struct {
	ID    string `arg:"" help:"The service's id, such as msn."`
	Name  string `required:"" help:"Name."`
	Brand string `help:"Brand; the name where absent."`
	Owner string `help:"Owner."`
	server.Engine
}

// Run adds the service.
func (c *serviceAddCmd) Run(ctx context.Context, s *streams) error {
	v := rollcall.Service{ID: rollcall.ServiceID(c.ID), Name: c.Name, Brand: c.Brand, Owner: c.Owner}
	if v.Brand == "" {
		v.Brand = c.Name
	}
	if err := v.Validate(); err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/services", v, nil)
	})
}

type serviceListCmd struct{ server.Engine }

// Run lists the services.
func (c *serviceListCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
		services, err := rows[rollcall.Service](ctx, api, "/v1/services")
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, v := range services {
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", v.ID, v.Name, v.Brand, v.Owner)
		}
		return out.Flush()
	})
}
