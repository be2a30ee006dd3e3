package main

// How one process is wired. A cluster's roles are parts of the same picture:
// `collect http` is the left third, `aggregate` the middle, `serve` the right.
//
//	HTTP collector ─► Desk ─► Writer ─► broker ─► Source ─► aggregate.Run ─► store
//	 POST /v1/events  keys   (spool)      │ rejected                           │
//	                                      ▼                                    ▼
//	                              rollcall.rejected              Office: close, report
//	                                                                           │
//	     commands ─► DIR/rollcall.sock ─► api.Server ◄─────────────────────────┘
//	     browsers ─► --listen, guarded ─►
//
// Stages start from the right, and stop from the left: collectors, writers,
// consumers, broker, store, lock.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall"
	"rollcall/aggregate/report"
	"rollcall/api"
	"rollcall/ingest"
	"rollcall/ingest/collect/web"
	"rollcall/internal/kafka"
	"rollcall/internal/kafka/embedded"
)

// deployment is the stages of one process.
type deployment struct {
	engine   *engine
	flush    flush // zero: the aggregate stage's own
	log      *slog.Logger
	metrics  *prometheus.Registry
	keys     *ingest.Keys // nil: of a process that only reads
	registry *registry
	store    *watchedStore
	broker   *embedded.Broker // nil: on a cluster
	cluster  *kafka.Cluster   // nil: without a log
	source   *kafka.Source    // nil: no aggregator
	office   *report.Office
	handler  http.Handler
	fail     chan error // owned by the aggregator's goroutine: why it ended, if not by a stop

	replaying sync.Mutex // held by the one replay that may be under way
	closers   []closer   // in order of start
}

// parts says which stages a process runs.
type parts struct {
	folds   bool // an aggregator
	answers bool // the whole API
	patient bool // waits for engines that are away, instead of failing
}

type closer struct {
	name  string
	close func() error
}

func (d *deployment) onClose(name string, f func() error) {
	d.closers = append(d.closers, closer{name, f})
}

// Close stops every stage, the last started first, and reports what failed.
func (d *deployment) Close() error {
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		if err := d.closers[i].close(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", d.closers[i].name, err))
		}
	}
	d.closers = nil
	return errors.Join(errs...)
}

// maxBody bounds one body of events, as sent and after decompression.
const maxBody = 64 << 20

func newDeployment(e *engine, log *slog.Logger) *deployment {
	d := &deployment{engine: e, log: log, metrics: prometheus.NewRegistry(), fail: make(chan error, 1)}
	d.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return d
}

// start runs every stage, and opens the API to commands on the folder's socket.
func start(ctx context.Context, e *engine, log *slog.Logger) (*deployment, error) {
	d := newDeployment(e, log)
	err := d.start(ctx, parts{folds: true, answers: true})
	if err == nil && e.Clickhouse == "" {
		err = d.openSocket(e.Data)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// start runs the parts. After an error the caller closes what was started.
func (d *deployment) start(ctx context.Context, p parts) (err error) {
	if err := d.engine.check(); err != nil {
		return err
	}
	if err := d.takeFolder(); err != nil {
		return err
	}
	if d.keys, err = d.engine.keys(); err != nil {
		return err
	}
	if err := d.until(ctx, p.patient, "store", d.openStore); err != nil {
		return err
	}
	if err := d.openLog(ctx, p); err != nil {
		return err
	}
	if p.folds {
		if err := d.aggregate(ctx, d.metrics); err != nil {
			return err
		}
	}
	if p.answers {
		d.serve()
	}
	return nil
}

// takeFolder takes the data folder, where the log or the store is in it.
func (d *deployment) takeFolder() error {
	if d.engine.Clickhouse != "" {
		return nil
	}
	held, err := hold(d.engine.Data)
	if err != nil {
		return err
	}
	d.onClose("lock", held.release)
	return nil
}

// until does f, and does it again while an engine is away if it is to be
// patient. What no waiting can mend is an error at once.
func (d *deployment) until(ctx context.Context, patient bool, name string, f func(context.Context) error) error {
	for pause := time.Second; ; pause = min(2*pause, maxWait) {
		err := f(ctx)
		if err == nil || !patient || ctx.Err() != nil || errors.Is(err, rollcall.ErrInvalid) || errors.Is(err, rollcall.ErrConflict) {
			return err
		}
		d.log.Warn("waiting for the "+name, "error", err, "again in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// maxWait is the longest pause before something that was away is tried again.
const maxWait = 5 * time.Second

func (d *deployment) openStore(ctx context.Context) error {
	opened, err := d.engine.openStore(ctx, d.log)
	if err != nil {
		return err
	}
	if d.registry, err = openRegistry(ctx, opened, d.log); err != nil {
		return errors.Join(err, opened.Close())
	}
	d.store = &watchedStore{Store: opened, now: time.Now}
	d.onClose("store", opened.Close)
	if d.engine.onCluster() {
		d.background("catalogue", d.registry.follow)
	}
	d.office = &report.Office{
		Store: opened, Catalogue: d.registry.Catalogue, Targets: d.savedTarget,
		Now: time.Now, Software: software(), Log: d.log,
	}
	if d.keys != nil {
		d.office.Pseudonym = d.keys.Panelist
	}
	return nil
}

// background runs f until Close.
func (d *deployment) background(name string, f func(context.Context)) {
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(running)
	}()
	d.onClose(name, func() error {
		stop()
		<-done
		return nil
	})
}

// serve makes the API's handler.
func (d *deployment) serve() {
	server := &api.Server{
		Reports: d.office, Census: d.census, Panels: d.office, Publications: d.office,
		Catalogue: d.registry, Targets: targets{d.store}, Backup: d.backup, Log: eventLog{d}, Rejected: rejected{d},
		Metrics: promhttp.HandlerFor(d.metrics, promhttp.HandlerOpts{}), Ready: d.ready,
		Version: software(), Logger: d.log,
	}
	if d.cluster != nil {
		server.Collector = d.collector(d.writers(), web.DefaultMemory)
	}
	d.handler = server.Handler()
}

// collector takes events over HTTP into the log, with so much memory for bodies.
func (d *deployment) collector(log func(backfill bool) ingest.Log, memory int64) *web.Collector {
	c := &web.Collector{Converter: d.converter(), MaxBody: maxBody, Log: log, Memory: memory}
	d.metrics.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "rollcall_bodies_bytes", Help: "Memory that the bodies under way are reckoned to take."},
		func() float64 { return float64(c.Taken()) }))
	return c
}

// writers gives the log for ordinary events and for backfill.
func (d *deployment) writers() func(backfill bool) ingest.Log {
	ordinary := kafka.NewWriter(d.cluster, kafka.WriterOptions{Options: d.kafkaOptions()})
	backfill := kafka.NewWriter(d.cluster, kafka.WriterOptions{Options: d.kafkaOptions(), Backfill: true})
	d.onClose("writers", func() error { return errors.Join(ordinary.Close(), backfill.Close()) })
	return func(lift bool) ingest.Log {
		if lift {
			return backfill
		}
		return ordinary
	}
}

func (d *deployment) converter() *ingest.Converter {
	return &ingest.Converter{Keys: d.keys, Catalogue: d.registry.Catalogue, Now: time.Now}
}

// ready says what the process can't do now; nil: nothing.
func (d *deployment) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	var errs []error
	if _, err := d.store.Markets(ctx); err != nil {
		errs = append(errs, err)
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Reachable(ctx))
	}
	if d.source != nil {
		errs = append(errs, d.source.Joined(), d.store.flushing())
	}
	return errors.Join(errs...)
}

// readyTime is how long the engines have to answer.
const readyTime = 3 * time.Second

// openSocket serves the API to commands on the folder's socket.
func (d *deployment) openSocket(dir string) error {
	socket, err := listenSocket(dir)
	if err != nil {
		return err
	}
	d.onClose("socket file", func() error { return os.Remove(socketPath(dir)) })
	d.listen("socket", socket, d.handler)
	return nil
}
