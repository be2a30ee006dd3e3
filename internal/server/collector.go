package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/ingest/spool"
)

type httpCmd struct {
	listening
	Spool    string `help:"Folder where events wait while Kafka is away." default:"rollcall-spool" type:"path" placeholder:"DIR"`
	SpoolMiB int64  `help:"The most that the spool may hold." default:"1024" placeholder:"MIB" name:"spool-mib"`
	Bodies   int64  `help:"The most memory that the bodies under way may take; more are told to come back later." default:"512" placeholder:"MIB" name:"bodies-mib"`
	engine
}

// Run takes events until it is told to stop.
func (c *httpCmd) Run(ctx context.Context, s *streams) error {
	if len(c.Brokers) == 0 || c.Clickhouse == "" {
		return usageError{errors.New("collect http needs --brokers, and --clickhouse for the catalogue; on one machine `rollcall run` takes events too")}
	}
	d := newDeployment(&c.engine, newLogger(s.err, c.Debug))
	limitMemory(idleMemory + c.Bodies<<20)
	return d.role(ctx, s, c.listening, func(ctx context.Context) (http.Handler, error) { return d.collect(ctx, c) })
}

// collect starts the collector. It waits neither for Kafka nor, once it has a
// copy of the catalogue, for ClickHouse.
func (d *deployment) collect(ctx context.Context, c *httpCmd) (_ http.Handler, err error) {
	if err := d.engine.check(); err != nil {
		return nil, err
	}
	if d.keys, err = d.engine.keys(); err != nil {
		return nil, err
	}
	held, err := hold(c.Spool)
	if err != nil {
		return nil, err
	}
	d.onClose("lock", held.release)
	if err := d.until(ctx, true, "catalogue", func(ctx context.Context) error { return d.copyCatalogue(ctx, c.Spool) }); err != nil {
		return nil, err
	}
	if err := d.dialCluster(); err != nil {
		return nil, err
	}
	d.background("topics", func(ctx context.Context) { _ = d.until(ctx, true, "log", d.ensureTopics) }) // nil, or a stop
	waiting, err := d.openSpool(c)
	if err != nil {
		return nil, err
	}
	mux := d.probes()
	ready := http.NewServeMux()
	ready.Handle("/", mux)
	ready.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		d.sayReady(w, r, func(ctx context.Context) error { return d.canTake(ctx, waiting) })
	})
	ready.Handle("POST /v1/events", d.collector(waiting.Log, c.Bodies<<20))
	return ready, nil
}

// openSpool puts the spool before the log, and drains it.
func (d *deployment) openSpool(c *httpCmd) (*spool.Spool, error) {
	waiting, err := spool.Open(c.Spool, d.writers(), spool.Options{Bound: c.SpoolMiB << 20, Log: d.log})
	if err != nil {
		return nil, err
	}
	d.onClose("spool", waiting.Close)
	d.background("spool's draining", waiting.Run)
	d.metrics.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rollcall_spool_bytes", Help: "Bytes that wait on the disk for the log."},
			func() float64 { used, _ := waiting.Size(); return float64(used) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rollcall_spool_bound_bytes", Help: "The most that may wait."},
			func() float64 { _, bound := waiting.Size(); return float64(bound) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rollcall_spool_log_away", Help: "1 while events go to the spool."},
			func() float64 {
				if waiting.Away() != nil {
					return 1
				}
				return 0
			}))
	return waiting, nil
}

// canTake is nil while the log answers, or the spool has room.
func (d *deployment) canTake(ctx context.Context, waiting *spool.Spool) error {
	used, bound := waiting.Size()
	if used < bound-bound/20 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if err := d.cluster.Reachable(ctx); err != nil {
		return fmt.Errorf("the spool is full, and %w", err)
	}
	return nil
}

// copyCatalogue follows the store's catalogue, and keeps a copy in the folder
// for a start without the store.
func (d *deployment) copyCatalogue(ctx context.Context, dir string) (err error) {
	copied := &copiedCatalogue{engine: d.engine, log: d.log, dir: dir}
	if d.registry, err = openRegistry(ctx, copied, d.log); err != nil {
		return errors.Join(err, copied.Close())
	}
	d.onClose("store", copied.Close)
	d.background("catalogue", d.registry.follow)
	return nil
}

// copiedCatalogue reads markets and services of the store, or of the last copy.
type copiedCatalogue struct {
	engine *engine
	log    *slog.Logger
	dir    string

	mu     sync.Mutex     // guards the rest
	opened rollcall.Store // nil: not yet
	away   bool
}

// Markets lists the markets.
func (k *copiedCatalogue) Markets(ctx context.Context) ([]rollcall.Market, error) {
	return kept(ctx, k, "markets.json", rollcall.Store.Markets)
}

// Services lists the services.
func (k *copiedCatalogue) Services(ctx context.Context) ([]rollcall.Service, error) {
	return kept(ctx, k, "services.json", rollcall.Store.Services)
}

// PutMarket is refused: a collector only reads.
func (k *copiedCatalogue) PutMarket(context.Context, rollcall.Market) error {
	return rollcall.ErrConflict
}

// PutService is refused: a collector only reads.
func (k *copiedCatalogue) PutService(context.Context, rollcall.Service) error {
	return rollcall.ErrConflict
}

// Close closes the store, if it was reached.
func (k *copiedCatalogue) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened == nil {
		return nil
	}
	return k.opened.Close()
}

// kept asks the store, and where it is away the copy of its last answer.
func kept[T any](ctx context.Context, k *copiedCatalogue, name string, ask func(rollcall.Store, context.Context) ([]T, error)) ([]T, error) {
	path := filepath.Join(k.dir, name)
	opened, err := k.reach(ctx)
	if err == nil {
		var list []T
		if list, err = ask(opened, ctx); err == nil {
			k.noteAway(nil)
			return list, copyTo(path, list)
		}
	}
	k.noteAway(err)
	text, failed := os.ReadFile(path)
	if failed != nil {
		return nil, err
	}
	var list []T
	if failed := json.Unmarshal(text, &list); failed != nil {
		return nil, errors.Join(err, fmt.Errorf("copy of the catalogue %s: %w", path, failed))
	}
	return list, nil
}

// catalogueTime is how long the store has to give the catalogue.
const catalogueTime = 5 * time.Second

func (k *copiedCatalogue) reach(ctx context.Context) (rollcall.Store, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened != nil {
		return k.opened, nil
	}
	ctx, cancel := context.WithTimeout(ctx, catalogueTime)
	defer cancel()
	opened, err := k.engine.openStore(ctx, k.log)
	if err != nil {
		return nil, err
	}
	k.opened = opened
	return opened, nil
}

// noteAway says once that the copy is used.
func (k *copiedCatalogue) noteAway(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil && !k.away {
		k.log.Warn("the store is away; the last catalogue stands", "error", err)
	}
	k.away = err != nil
}

// copyTo writes the list, if it is another than the file's.
func copyTo[T any](path string, list []T) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("copy of the catalogue: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("copy of the catalogue: %w", err)
	}
	return nil
}
