package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"

	"rollcall"
)

type serviceCmd struct {
	Add  serviceAddCmd  `cmd:"" help:"Add or change a service."`
	List serviceListCmd `cmd:"" help:"List services."`
}

type serviceAddCmd struct {
	ID    string `arg:"" help:"The service's id, such as msn."`
	Name  string `required:"" help:"Name."`
	Brand string `help:"Brand; the name where absent."`
	Owner string `help:"Owner."`
	engine
}

// Run adds the service.
func (c *serviceAddCmd) Run(ctx context.Context, s *streams) error {
	v := rollcall.Service{ID: rollcall.ServiceID(c.ID), Name: c.Name, Brand: c.Brand, Owner: c.Owner}
	if v.Brand == "" {
		v.Brand = c.Name
	}
	if err := v.Validate(); err != nil {
		return usageError{err}
	}
	return c.with(ctx, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/services", v, nil)
	})
}

type serviceListCmd struct{ engine }

// Run lists the services.
func (c *serviceListCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
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
