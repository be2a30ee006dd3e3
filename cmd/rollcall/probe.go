package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// probeCmd is for images that have no other program in them.
type probeCmd struct {
	URL     string        `arg:"" help:"Such as http://127.0.0.1:8080/readyz."`
	Timeout time.Duration `help:"How long it may take." default:"4s"`
}

// Run asks once.
func (c *probeCmd) Run(ctx context.Context, _ *streams) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return usageError{err}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", c.URL, answer.Status)
	}
	return nil
}
