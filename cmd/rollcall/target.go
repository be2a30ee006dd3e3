package main

import (
	"context"
	"net/http"

	"rollcall"
	"rollcall/internal/server"
)

type targetCmd struct {
	Save targetSaveCmd `cmd:"" help:"Save a target under a name: --target @NAME asks for it."`
	List targetListCmd `cmd:"" help:"List saved targets."`
}

type targetSaveCmd struct {
	Name       string `arg:"" help:"The target's name."`
	Expression string `arg:"" help:"Such as 'age=15-24,sex=F': ',' is and, '|' or, '!' not."`
	server.Engine
}

// Run saves the target.
func (c *targetSaveCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/targets", rollcall.Target{Name: c.Name, Expression: c.Expression}, nil)
	})
}

type targetListCmd struct{ server.Engine }

// Run lists the targets.
func (c *targetListCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/targets", func(t rollcall.Target) string { return t.Name + "\t" + t.Expression })
}
