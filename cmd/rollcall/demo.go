package main

import (
	"context"
	"errors"
)

type demoCmd struct {
	Listen string `help:"Address of the API; loopback only." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Seed   uint64 `help:"Seed of the simulated panel." default:"2002"`
	engine
}

// Run loads the demonstration market and serves it.
func (c *demoCmd) Run(ctx context.Context, s *streams) error {
	return errors.New("not yet")
}
