package main

// How one process is wired. A cluster's roles are parts of the same picture.
//
//	HTTP collector ─► Desk ─► Writer ─► broker ─► Source ─► aggregate.Run ─► store
//	 POST /v1/events  keys                │ rejected                           │
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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/report"
	"rollcall/api"
	"rollcall/ingest"
	"rollcall/ingest/collect/web"
	"rollcall/internal/kafka"
	"rollcall/internal/sqlite"
)

// deployment is every stage, in one process.
type deployment struct {
	log      *slog.Logger
	keys     *ingest.Keys
	registry *registry
	store    *sqlite.Store
	broker   *kafka.Broker
	cluster  *kafka.Cluster
	office   *report.Office
	handler  http.Handler
	fail     chan error // owned by the aggregator's goroutine: why it ended, if not by a stop

	closers []closer // in order of start
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

// start takes the folder and starts every stage on it.
func start(ctx context.Context, e *engine, log *slog.Logger) (_ *deployment, err error) {
	d := &deployment{log: log, fail: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	held, err := hold(e.Data)
	if err != nil {
		return nil, err
	}
	d.onClose("lock", held.release)
	if d.keys, err = masterKey(e.Data); err != nil {
		return nil, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := d.openStore(ctx, e.Data); err != nil {
		return nil, err
	}
	if err := d.openLog(ctx, e.Data, metrics); err != nil {
		return nil, err
	}
	if err := d.aggregate(ctx, metrics); err != nil {
		return nil, err
	}
	return d, d.serve(e.Data, metrics)
}

func (d *deployment) openStore(ctx context.Context, dir string) (err error) {
	d.store, err = sqlite.Open(ctx, filepath.Join(dir, "rollcall.db"), sqlite.Options{K: hll.DefaultK, Log: d.log})
	if err != nil {
		return err
	}
	d.onClose("store", d.store.Close)
	if d.registry, err = openRegistry(ctx, d.store); err != nil {
		return err
	}
	d.office = &report.Office{
		Facts: d.store, Shelf: d.store, Registry: d.store, Catalogue: d.registry.Catalogue,
		Targets: d.savedTarget, Now: time.Now, Software: software(),
	}
	return nil
}

// partitions of the embedded log: two aggregators can share it.
const partitions = 2

func (d *deployment) openLog(ctx context.Context, dir string, metrics *prometheus.Registry) (err error) {
	d.broker, err = kafka.OpenBroker(filepath.Join(dir, "log"), kafka.BrokerOptions{
		Options: kafka.Options{Log: d.log, Registerer: metrics},
	})
	if err != nil {
		return err
	}
	d.onClose("broker", d.broker.Close)
	d.cluster = d.broker.Cluster()
	if err := d.cluster.EnsureTopics(ctx, partitions); err != nil {
		return err
	}
	trimming, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.broker.Run(trimming, d.group())
	}()
	d.onClose("trimming", func() error {
		stop()
		<-done
		return nil
	})
	return nil
}

// group is the aggregators' consumer group: the store's own id is in it, so
// that an empty store reads the log from its start.
func (d *deployment) group() string { return "rollcall-" + d.store.ID() }

func (d *deployment) desk() *ingest.Desk {
	return &ingest.Desk{Keys: d.keys, Catalogue: d.registry.Catalogue, Now: time.Now}
}

// aggregate starts the fold; its stop flushes once more and leaves the group.
func (d *deployment) aggregate(ctx context.Context, metrics *prometheus.Registry) error {
	source, err := kafka.NewSource(d.cluster, d.group(), kafka.SourceOptions{
		Options: kafka.Options{Log: d.log, Registerer: metrics},
		Decode:  decoder(d.desk()), Check: d.registry.check,
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := aggregate.Run(running, source, d.store, aggregate.Options{
			K: d.store.K(), Calendar: d.registry.calendar, Metrics: aggregate.NewMetrics(metrics), Log: d.log,
		})
		if err != nil && running.Err() == nil {
			d.fail <- err
		}
		done <- err
	}()
	d.onClose("aggregator", func() error {
		stop()
		return errors.Join(<-done, source.Close())
	})
	return nil
}

// serve makes the API's handler and opens it to commands on the folder's socket.
func (d *deployment) serve(dir string, metrics *prometheus.Registry) error {
	ordinary := kafka.NewWriter(d.cluster, kafka.WriterOptions{Options: kafka.Options{Log: d.log}})
	backfill := kafka.NewWriter(d.cluster, kafka.WriterOptions{Options: kafka.Options{Log: d.log}, Backfill: true})
	d.onClose("writers", func() error { return errors.Join(ordinary.Close(), backfill.Close()) })
	server := &api.Server{
		Reports: reports{d.office, d.store}, Panels: panels{d}, Publications: publications{d.office},
		Corrections: corrections{d}, Catalogue: d.registry, Keep: keep{d}, Log: eventLog{d},
		Collector: &web.Collector{Desk: d.desk(), MaxBody: maxBody, Log: func(lift bool) ingest.Log {
			if lift {
				return backfill
			}
			return ordinary
		}},
		Metrics: promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}),
		Version: software(), Logger: d.log,
	}
	d.handler = server.Handler()
	socket, err := listenSocket(dir)
	if err != nil {
		return err
	}
	d.onClose("socket file", func() error { return os.Remove(socketPath(dir)) })
	d.listen("socket", socket, d.handler)
	return nil
}

// listen serves until Close; requests under way are let finish.
func (d *deployment) listen(name string, l net.Listener, h http.Handler) {
	server := api.Listener(h)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	d.onClose(name, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err := server.Shutdown(ctx)
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
}

// stopTime is how long requests under way may take at a stop.
const stopTime = 10 * time.Second

// decoder reads single events that other producers put on the topic.
func decoder(desk *ingest.Desk) kafka.Decode {
	return func(value []byte, contentType string, record time.Time, backfill bool) (rollcall.Event, error) {
		parse := ingest.ParseJSON
		if contentType == "application/cloudevents+json" {
			parse = ingest.ParseCloudEvent
		}
		s, err := parse(value)
		if err != nil {
			return rollcall.Event{}, err
		}
		return desk.Event(&s, record, backfill)
	}
}
