package main

import (
	"context"
	"errors"
	"fmt"
)

type runCmd struct {
	listening
	keeping
	engine
}

// Run serves until it is told to stop.
func (c *runCmd) Run(ctx context.Context, s *streams) error {
	limitMemory(runMemoryBytes)
	log := newLogger(s.err, c.Debug)
	d, err := start(ctx, &c.engine, log)
	if err != nil {
		return err
	}
	d.retain(c.Keep)
	address, err := d.openTo(c.listening, d.handler)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	if _, err := fmt.Fprintf(s.out, "Rollcall listens on %s://%s\n", c.scheme(), address); err != nil {
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
