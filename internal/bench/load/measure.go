package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// meter asks one server.
type meter struct {
	address, key string
	each         time.Duration
}

// result is what some connections saw together.
type result struct {
	times   []time.Duration // of the answers, in no order
	refused int             // answered 503 or 429: ask again later
	lasted  time.Duration
}

func (r result) rate() float64 { return float64(len(r.times)) / r.lasted.Seconds() }

// quantile gives a time in milliseconds that a share q of the answers took at most.
func (r result) quantile(q float64) float64 {
	if len(r.times) == 0 {
		return 0
	}
	slices.Sort(r.times)
	at := min(int(q*float64(len(r.times))), len(r.times)-1)
	return float64(r.times[at]) / float64(time.Millisecond)
}

// take asks once, and notes how it was answered.
func (r *result) take(c *conn, request []byte) error {
	begun := time.Now()
	status, err := c.ask(request)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		r.times = append(r.times, time.Since(begun))
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		r.refused++
	default:
		return fmt.Errorf("answered %d to %.80s", status, request)
	}
	return nil
}

// measure has n connections ask the same again and again, until the meter's time
// is over.
func (m *meter) measure(ctx context.Context, n int, path string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*m.each+time.Minute)
	defer cancel()
	request := request(path, m.address, m.key)
	return m.together(ctx, n, func(c *conn, r *result) error {
		for end := time.Now().Add(m.each); time.Now().Before(end); {
			if err := r.take(c, request); err != nil {
				return err
			}
		}
		return nil
	})
}

// once asks one connection for each path, once, as many as the meter's time lets.
func (m *meter) once(ctx context.Context, paths []string) (result, error) {
	return m.together(ctx, 1, func(c *conn, r *result) error {
		for end := time.Now().Add(m.each); len(paths) > 0 && time.Now().Before(end); paths = paths[1:] {
			if err := r.take(c, request(paths[0], m.address, m.key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// atOnce has n connections ask once, at the same moment.
func (m *meter) atOnce(ctx context.Context, n int, path string) (result, error) {
	request := request(path, m.address, m.key)
	return m.together(ctx, n, func(c *conn, r *result) error { return r.take(c, request) })
}

// together opens n connections, has them all ask from one moment on, and adds up
// what they saw.
func (m *meter) together(ctx context.Context, n int, ask func(*conn, *result) error) (all result, err error) {
	conns := make([]*conn, n)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close() // all is read
			}
		}
	}()
	for i := range conns {
		if conns[i], err = dial(ctx, m.address); err != nil {
			return all, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	stop := context.AfterFunc(ctx, func() {
		for _, c := range conns {
			_ = c.SetDeadline(time.Now()) // whoever waits for an answer waits no longer
		}
	})
	defer stop()
	var (
		seen    = make([]result, n)
		failed  = make([]error, n)
		waiting sync.WaitGroup
		start   = make(chan struct{})
	)
	for i, c := range conns {
		waiting.Go(func() {
			<-start
			failed[i] = ask(c, &seen[i])
		})
	}
	begun := time.Now()
	close(start)
	waiting.Wait()
	all.lasted = time.Since(begun)
	for _, r := range seen {
		all.times, all.refused = append(all.times, r.times...), all.refused+r.refused
	}
	return all, errors.Join(failed...)
}
