package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"rollcall/api"
)

type runCmd struct {
	Listen string `help:"Address of the API; loopback only." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	engine
}

// Run serves until it is told to stop.
func (c *runCmd) Run(ctx context.Context, s *streams) error {
	log := newLogger(s.err, c.Debug)
	d, err := start(ctx, &c.engine, log)
	if err != nil {
		return err
	}
	address, err := d.open(c.Listen)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	if _, err := fmt.Fprintf(s.out, "Rollcall listens on http://%s\n", address); err != nil {
		return errors.Join(err, d.Close())
	}
	return d.wait(ctx)
}

// wait blocks until ctx ends or the aggregator fails, then stops everything.
func (d *deployment) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		d.log.Info("stopping")
		return d.Close()
	case err := <-d.fail:
		return errors.Join(err, d.Close())
	}
}

// open listens on a loopback address; without keys there is no other.
func (d *deployment) open(address string) (net.Addr, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usageError{fmt.Errorf("--listen %q: %w", address, err)}
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, usageError{fmt.Errorf("--listen %q: is not a loopback address; anything else needs API keys, which this version does not have", address)}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--listen %q: %w", address, err)
	}
	d.listen("listener", l, api.Guard(d.handler))
	return l.Addr(), nil
}
