package aggregate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rollcall"
)

// Source gives the log's events. Next's batch is valid until the next Next.
// Commit says that the store has all before the offsets. Again has what was not
// committed given once more, and nothing else before.
type Source interface {
	Next(ctx context.Context) (*rollcall.Batch, error)
	Commit(ctx context.Context, offsets rollcall.Offsets) error
	Again() error
}

// Store unites deltas with what it has. After Merge returns nil it has them
// durably.
type Store interface {
	Merge(ctx context.Context, deltas rollcall.Deltas) error
}

// Corrections are what was done about mistakes in the census.
type Corrections interface {
	Corrections(ctx context.Context) (rollcall.Corrections, error)
	CountCorrections(ctx context.Context) (int, error)
	AddCorrections(ctx context.Context, all ...rollcall.Correction) (rows int, err error)
}

// Options of an aggregator. Calendar and Log are required; the rest have
// defaults.
type Options struct {
	K        int // the sketch's precision, as the store's
	Calendar func(rollcall.MarketID) (*rollcall.Calendar, error)
	Exactly  func(rollcall.ServiceID) bool // whether a service is counted exactly; nil: none is
	Undone   Corrections                   // nil: nothing is
	Lifted   rollcall.Corrections          // the removals of what a replay brings back
	Every    time.Duration                 // between flushes when caught up; default 2 s
	Behind   time.Duration                 // between flushes when behind; default 30 s
	Bytes    int                           // flush at so many bytes held; default DefaultBytes
	Members  func() int                    // of the consumer group: Every is multiplied by it
	Waiters  *Waiters                      // for whom it flushes sooner; nil: there are none
	Metrics  *Metrics
	Log      *slog.Logger
}

// DefaultBytes is Options.Bytes' default.
const DefaultBytes = 256 << 20

const (
	defaultEvery  = 2 * time.Second
	defaultBehind = 30 * time.Second
	stopTime      = 30 * time.Second // for the last flush of a stop
	retryFirst    = 100 * time.Millisecond
	retryMost     = 5 * time.Second
)

// Run folds the source into the store until ctx ends, then flushes once more.
// A store that is away pauses the reading; nothing is lost. The error is the
// source's; nil after a stop by ctx.
func Run(ctx context.Context, src Source, store Store, opt Options) error {
	w := newWorker(src, store, opt)
	w.fold.Lift(opt.Lifted)
	err := w.loop(ctx)
	if ctx.Err() == nil {
		return fmt.Errorf("aggregate: %w", err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := w.flush(last); err != nil {
		return fmt.Errorf("aggregate: the last flush: %w", err)
	}
	return nil
}

// worker is one aggregator: what it holds, and since when.
type worker struct {
	src     Source
	store   Store
	opt     Options
	fold    *Fold
	offsets rollcall.Offsets     // of what is folded and not committed
	since   time.Time            // of the oldest thing not flushed; zero: nothing
	known   rollcall.Corrections // of the census, when the list was last read
	learnt  bool                 // known has been read
	counted int                  // of them, before known was read
	behind  bool
	waited  bool // somebody waited for a flush when the reading began
	asked   bool // and nothing more has come
}

func newWorker(src Source, store Store, opt Options) *worker {
	opt.Every = cmp.Or(opt.Every, defaultEvery)
	opt.Behind = cmp.Or(opt.Behind, defaultBehind)
	opt.Bytes = cmp.Or(opt.Bytes, DefaultBytes)
	if opt.Members == nil {
		opt.Members = func() int { return 1 }
	}
	return &worker{src: src, store: store, opt: opt, fold: NewFold(opt.K, opt.Calendar, opt.Exactly), offsets: rollcall.Offsets{}}
}

func (w *worker) loop(ctx context.Context) error {
	for {
		if err := w.read(ctx); err != nil {
			return err
		}
		if !w.due(time.Now()) {
			continue
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
}

// read folds the next batch, or returns when a flush falls due.
func (w *worker) read(ctx context.Context) error {
	wait, cancel := w.untilDue(ctx)
	defer cancel()
	batch, err := w.src.Next(wait)
	if err != nil {
		if wait.Err() != nil && ctx.Err() == nil {
			w.behind = false // nothing came: caught up
			w.asked = w.waited && errors.Is(wait.Err(), context.DeadlineExceeded)
			return nil
		}
		return err
	}
	if w.since.IsZero() { // the list may be old, and nothing is held that it could remove
		if err := w.persist(ctx, func(ctx context.Context) error { _, err := w.learn(ctx); return err }); err != nil {
			return err
		}
	}
	if err := w.fold.Add(batch); err != nil {
		return err
	}
	w.opt.Metrics.folded(batch)
	if w.since.IsZero() {
		w.since = time.Now()
	}
	w.offsets[batch.Partition], w.behind = batch.Next, batch.Behind
	return nil
}

// untilDue ends when a flush falls due, and when somebody begins to wait for one.
func (w *worker) untilDue(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	w.waited = w.opt.Waiters.watch(cancel)
	if w.since.IsZero() {
		return ctx, cancel
	}
	due := w.since.Add(w.interval())
	if soon := time.Now().Add(quiet); w.waited && soon.Before(due) {
		due = soon
	}
	ctx, stop := context.WithDeadline(ctx, due)
	return ctx, func() { stop(); cancel() }
}

// interval is the time between flushes.
func (w *worker) interval() time.Duration {
	if w.behind {
		return w.opt.Behind
	}
	return w.every()
}

// every is the time between flushes when caught up: on a cluster each member
// flushes the same cells, so more members flush less often.
func (w *worker) every() time.Duration { return w.opt.Every * time.Duration(max(1, w.opt.Members())) }

func (w *worker) due(now time.Time) bool {
	if w.since.IsZero() {
		return false
	}
	return w.asked || w.fold.bytes >= w.opt.Bytes || now.Sub(w.since) >= w.interval()
}

// flush brings everything held to the store, then commits. It tries again
// until it succeeds or ctx ends.
func (w *worker) flush(ctx context.Context) error {
	w.asked = false
	if w.since.IsZero() {
		return nil
	}
	start := time.Now()
	again := false
	if err := w.persist(ctx, func(ctx context.Context) (err error) { again, err = w.merge(ctx); return err }); err != nil {
		return err
	}
	if again {
		w.opt.Log.Info("a part of the census was removed; what is not flushed is read again")
		clear(w.offsets)
		w.since = time.Time{}
		return w.src.Again()
	}
	w.opt.Metrics.flushed(time.Since(start), len(w.fold.cells), w.fold.bytes)
	w.opt.Log.Debug("flushed", "cells", len(w.fold.cells), "diaries", len(w.fold.diaries),
		"bytes", w.fold.bytes, "took", time.Since(start), "offsets", w.offsets)
	if err := w.src.Commit(ctx, w.offsets); err != nil {
		w.opt.Log.Warn("offsets not committed; they will be read again", "error", err)
	}
	w.fold.flushed(w.opt.Bytes / 2)
	clear(w.offsets)
	w.since = time.Time{}
	return nil
}

// merge brings everything held to the store, but what has been removed from the
// census meanwhile. The list of that is read before, and after: what was removed
// while the store took the flush is deleted once more, now that the flush is in.
func (w *worker) merge(ctx context.Context) (again bool, err error) {
	if again, err = w.learn(ctx); again || err != nil {
		return again, err
	}
	if err := w.store.Merge(ctx, w.fold.Deltas()); err != nil {
		return false, err
	}
	return w.learn(ctx)
}

// learn reads what was done about mistakes in the census, and reports whether
// what is not flushed must be read again.
func (w *worker) learn(ctx context.Context) (again bool, err error) {
	if w.opt.Undone == nil {
		return false, nil
	}
	n, err := w.opt.Undone.CountCorrections(ctx)
	if err != nil || w.learnt && n == w.counted {
		return false, err
	}
	all, err := w.opt.Undone.Corrections(ctx)
	if err != nil {
		return false, err
	}
	news, first := all.Lacking(w.known), !w.learnt
	w.learnt = true
	if len(news) == 0 {
		w.counted = n
		return false, nil
	}
	if !first {
		if _, err := w.opt.Undone.AddCorrections(ctx, news...); err != nil {
			return false, err
		}
	}
	w.known, w.counted = all, n
	return w.fold.Learn(all), nil
}

// persist does something with the store until that succeeds or ctx ends.
func (w *worker) persist(ctx context.Context, do func(context.Context) error) error {
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		err := do(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		w.opt.Metrics.failed()
		w.opt.Log.Error("flush failed; reading is paused until the store takes it", "error", err, "again in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
