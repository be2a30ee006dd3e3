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
	"rollcall/internal/traces"
	"rollcall/internal/transfer"
)

// engineStore is all that an engine's store does.
type engineStore interface {
	rollcall.Store
	rollcall.AuditLog
	rollcall.DeliveryLog
}

// openStore opens the engine's store; on a cluster it is made, unless it must
// exist.
func (e *Engine) openStore(ctx context.Context, existing bool, log *slog.Logger) (engineStore, error) {
	if e.Clickhouse != "" {
		opt, err := e.clickhouseOptions()
		if err != nil {
			return nil, err
		}
		opt.Log, opt.Existing = log, existing
		return clickhouse.Open(ctx, e.Clickhouse, opt)
	}
	return sqlite.Open(ctx, storePath(e.Data), sqlite.Options{K: hll.DefaultK, Log: log})
}

// watchedStore notes how its last flush went, and gives none for ever: a store
// that takes the connection and never answers would hold the aggregator.
type watchedStore struct {
	engineStore
	now    func() time.Time
	traces *traces.Traces

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
	ctx, end := w.traces.Begin(ctx, "flush")
	err := w.engineStore.Merge(ctx, deltas)
	end(err)
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

// answers is nil while the store answers.
func (w *watchedStore) answers(ctx context.Context) error {
	if remote, ok := w.engineStore.(*clickhouse.Store); ok {
		if err := remote.Answers(); err != nil {
			return err
		}
	}
	_, err := w.Markets(ctx)
	return err
}

func (p *Process) openStore(ctx context.Context) error {
	opened, err := p.engine.openStore(ctx, p.existing, p.Log)
	if err != nil {
		return err
	}
	if p.catalogue, err = openCatalogue(ctx, opened, p.Log); err != nil {
		return errors.Join(err, opened.Close())
	}
	p.store = &watchedStore{engineStore: opened, now: time.Now, traces: p.traces}
	p.onClose("store", opened.Close)
	if remote, ok := opened.(*clickhouse.Store); ok {
		p.background("store's pulse", remote.Watch)
	}
	if p.engine.onCluster() {
		p.background("catalogue", p.catalogue.follow)
	}
	p.months = &publish.Publisher{
		Versions: &publish.Versions{Store: opened}, Catalogue: p.catalogue.Catalogue, Check: coherence.Check, Now: time.Now, Log: p.Log,
	}
	p.reports = &report.Reporter{Months: p.months, Targets: targets{opened}.expression, Software: p.Software}
	return nil
}

// Copying says which folder's store is copied, and to where.
type Copying struct {
	Data       string     `help:"Folder of the store to copy; nothing else may run on it." default:"rollcall-data" type:"path" placeholder:"DIR"`
	To         string     `help:"The database to copy to: a new one, or one that an unfinished copy is in." required:"" placeholder:"clickhouse://USER@HOST:PORT/DATABASE"`
	Cluster    string     `help:"Spread the tables over this cluster of ClickHouse's remote_servers." name:"clickhouse-cluster" placeholder:"NAME"`
	Replicated bool       `help:"The cluster has a Keeper: replicate the tables." name:"clickhouse-replicated"`
	KeyFile    string     `help:"File of the pseudonyms' master key, where it is not in the folder." type:"path" placeholder:"FILE"`
	Login      loginFlags `embed:"" prefix:"clickhouse-"`
}

// CopyStore copies a folder's store to ClickHouse, once all that the folder's
// log holds is in it, and compares both.
func CopyStore(ctx context.Context, c *Copying, o Options, progress func(done, all int)) (lines []transfer.Line, err error) {
	if err := checkAddress("--to", c.To); err != nil {
		return nil, err
	}
	to := &Engine{Clickhouse: c.To, Cluster: c.Cluster, Replicated: c.Replicated, Login: c.Login}
	opt, err := to.clickhouseOptions()
	if err != nil {
		return nil, err
	}
	if err := storeThere(c.Data); err != nil {
		return nil, err
	}
	p := newProcess(&Engine{Data: c.Data, KeyFile: c.KeyFile}, o)
	p.command = true
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.start(ctx, parts{folds: true}); err != nil {
		if held := new(errHeld); errors.As(err, &held) {
			err = fmt.Errorf("%w: stop it first, since what it takes meanwhile would not be in the copy", err)
		}
		return nil, err
	}
	err = p.During(ctx, func(ctx context.Context) error {
		if err := (eventLog{p}).Settle(ctx); err != nil {
			return err
		}
		opt.K, opt.CopyOf, opt.Log = p.store.K(), p.store.ID(), o.Log
		lines, err = copyStore(ctx, p.store.engineStore, c.To, opt, progress)
		return err
	})
	return lines, err
}

func copyStore(ctx context.Context, store rollcall.Store, address string, opt clickhouse.Options, progress func(done, all int)) (lines []transfer.Line, err error) {
	from, ok := store.(*sqlite.Store)
	if !ok {
		return nil, fmt.Errorf("%w: only a folder's store is copied", rollcall.ErrConflict)
	}
	to, err := clickhouse.Open(ctx, address, opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return transfer.Copy(ctx, from, to, progress)
}
