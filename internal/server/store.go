package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall"
	"rollcall/aggregate/coherence"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/publish"
	"rollcall/aggregate/report"
	"rollcall/internal/clickhouse"
	"rollcall/internal/sqlite"
)

// openStore opens the engine's store.
func (e *Engine) openStore(ctx context.Context, log *slog.Logger) (rollcall.Store, error) {
	if e.Clickhouse != "" {
		opt, err := e.clickhouseOptions()
		if err != nil {
			return nil, err
		}
		opt.Log = log
		return clickhouse.Open(ctx, e.Clickhouse, opt)
	}
	return sqlite.Open(ctx, storePath(e.Data), sqlite.Options{K: hll.DefaultK, Log: log})
}

// watchedStore notes how its last flush went, and gives none for ever: a store
// that takes the connection and never answers would hold the aggregator.
type watchedStore struct {
	rollcall.Store
	now func() time.Time

	mu     sync.Mutex // guards the rest
	failed error      // of the last flush
	since  time.Time  // of the flush under way; zero: none
}

const (
	flushTime = 2 * time.Minute  // the most that one flush may take
	flushSlow = 30 * time.Second // a flush under way for longer is not ready
)

// Merge is the store's.
func (w *watchedStore) Merge(ctx context.Context, deltas rollcall.Deltas) error {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	w.note(nil, w.now())
	err := w.Store.Merge(ctx, deltas)
	w.note(err, time.Time{})
	return err
}

// note keeps the error, unless a flush only begins: a failure is forgotten when
// one has succeeded.
func (w *watchedStore) note(err error, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = since
	if since.IsZero() {
		w.failed = err
	}
}

// flushing is nil unless the last flush failed, or one hangs.
func (w *watchedStore) flushing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return fmt.Errorf("the last flush: %w", w.failed)
	}
	if took := w.now().Sub(w.since); !w.since.IsZero() && took > flushSlow {
		return fmt.Errorf("a flush is under way for %s", took.Round(time.Second))
	}
	return nil
}

func (p *Process) openStore(ctx context.Context) error {
	opened, err := p.engine.openStore(ctx, p.Log)
	if err != nil {
		return err
	}
	if p.catalogue, err = openCatalogue(ctx, opened, p.Log); err != nil {
		return errors.Join(err, opened.Close())
	}
	p.store = &watchedStore{Store: opened, now: time.Now}
	p.onClose("store", opened.Close)
	if p.engine.onCluster() {
		p.background("catalogue", p.catalogue.follow)
	}
	p.months = &publish.Publisher{
		Versions: &publish.Versions{Store: opened}, Catalogue: p.catalogue.Catalogue, Check: coherence.Check, Now: time.Now, Log: p.Log,
	}
	p.reports = &report.Reporter{Months: p.months, Targets: targets{opened}.expression, Software: p.Software}
	return nil
}
