package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rollcall"
)

// schedule is what a process has started, and stops in the other direction.
type schedule struct {
	log     *slog.Logger
	closers []closer // in order of start
}

type closer struct {
	name  string
	close func() error
}

func (s *schedule) onClose(name string, f func() error) {
	s.closers = append(s.closers, closer{name, f})
}

// Close stops every stage, the last started first, and reports what failed.
func (s *schedule) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i].close(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.closers[i].name, err))
		}
	}
	s.closers = nil
	return errors.Join(errs...)
}

// background runs f until Close.
func (s *schedule) background(name string, f func(context.Context)) {
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(running)
	}()
	s.onClose(name, func() error {
		stop()
		<-done
		return nil
	})
}

// until does f, and does it again while an engine is away if it is to be
// patient. What no waiting can mend is an error at once.
func (s *schedule) until(ctx context.Context, patient bool, name string, f func(context.Context) error) error {
	for pause := time.Second; ; pause = min(2*pause, maxWait) {
		err := f(ctx)
		if err == nil || !patient || ctx.Err() != nil || errors.Is(err, rollcall.ErrInvalid) || errors.Is(err, rollcall.ErrConflict) {
			return err
		}
		s.log.Warn("waiting for the "+name, "error", err, "again in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// maxWait is the longest pause before something that was away is tried again.
const maxWait = 5 * time.Second
