package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/observe"
	"rollcall/ingest"
	"rollcall/ingest/collect/web"
	"rollcall/ingest/profile"
	"rollcall/ingest/spool"
	"rollcall/internal/jsondepth"
	"rollcall/internal/kafka"
)

// Spool says how a collector puts up with an absent log.
type Spool struct {
	Dir    string `name:"spool" help:"Folder where events wait while Kafka is away." default:"rollcall-spool" type:"path" placeholder:"DIR"`
	MiB    int64  `name:"spool-mib" help:"The most that the spool may hold." default:"1024" placeholder:"MIB"`
	Bodies int64  `name:"bodies-mib" help:"The most memory that the bodies under way may take; more are told to come back later." default:"512" placeholder:"MIB"`
}

// Collect takes events over HTTP, until ctx ends.
func Collect(ctx context.Context, e *Engine, l Listening, s Spool, o Options) error {
	if len(e.Brokers) == 0 || e.Clickhouse == "" {
		return UsageError{Err: errors.New("collect http needs --brokers, and --clickhouse for the catalogue; on one machine `rollcall run` takes events too")}
	}
	p := newProcess(e, o)
	LimitMemory(IdleMemory + s.Bodies<<20)
	return p.role(ctx, l, (&collector{Process: p, Spool: s}).start)
}

// collector is a process that takes events and nothing else.
type collector struct {
	*Process
	Spool
}

// start starts the collector. It waits neither for Kafka nor, once it has a
// copy of the catalogue, for ClickHouse.
func (c *collector) start(ctx context.Context) (_ http.Handler, err error) {
	if err := c.engine.check(); err != nil {
		return nil, err
	}
	if c.masters, err = newMasters(c.engine, c.Options, false); err != nil {
		return nil, err
	}
	held, err := waiter{log: c.Log}.hold(ctx, c.Dir)
	if err != nil {
		return nil, err
	}
	c.onClose("lock", held.release)
	if err := c.until(ctx, true, "catalogue", c.copyCatalogue); err != nil {
		return nil, err
	}
	if err := startKeys(ctx, c.Process); err != nil {
		return nil, err
	}
	if err := c.dialCluster(); err != nil {
		return nil, err
	}
	c.background("topics", func(ctx context.Context) { _ = c.until(ctx, true, "log", c.ensureTopics) }) // nil, or a stop
	waiting, err := c.openSpool()
	if err != nil {
		return nil, err
	}
	mux := c.probes(func(ctx context.Context) error { return c.canTake(ctx, waiting) })
	taken := c.takeEvents(waiting.Log, c.Bodies<<20)
	for _, path := range access.EventPaths() {
		if strings.HasSuffix(path, "/") {
			path += "{$}" // and nothing under it
		}
		mux.Handle("POST "+path, taken)
	}
	return observe.Patterns(mux), nil
}

// openSpool puts the spool before the log, and drains it.
func (c *collector) openSpool() (*spool.Spool, error) {
	waiting, err := spool.Open(c.Dir, c.writers(), spool.Options{Bound: c.MiB << 20, Log: c.Log})
	if err != nil {
		return nil, err
	}
	c.onClose("spool", waiting.Close)
	c.background("spool's draining", waiting.Run)
	c.metrics.MustRegister(
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

// canTake is nil while the log answers, or the spool has space, and the day's
// master key is there.
func (c *collector) canTake(ctx context.Context, waiting *spool.Spool) error {
	if err := c.masters.Lacks(); err != nil {
		return err
	}
	used, bound := waiting.Size()
	if used < bound-bound/20 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if err := c.cluster.Reachable(ctx); err != nil {
		return fmt.Errorf("the spool is full, and %w", err)
	}
	return nil
}

// copyCatalogue follows the store's catalogue, and keeps a copy in the folder
// for a start without the store.
func (c *collector) copyCatalogue(ctx context.Context) (err error) {
	copied := &copiedCatalogue{engine: c.engine, log: c.Log, dir: c.Dir}
	if c.catalogue, err = openCatalogue(ctx, copied, c.Log); err != nil {
		return errors.Join(err, copied.Close())
	}
	c.masters.List, c.masters.Catalogue = copied.Masters, c.catalogue.Catalogue
	c.onClose("store", copied.Close)
	c.rosters = &rosters{list: copied.panels, log: c.Log, followed: true}
	c.background("rosters", c.rosters.follow)
	c.background("catalogue", c.catalogue.follow)
	return nil
}

// copiedCatalogue reads markets and services of the store, or of the last copy.
type copiedCatalogue struct {
	engine *Engine
	log    *slog.Logger
	dir    string

	mu     sync.Mutex     // guards the rest
	opened rollcall.Store // nil: not yet
	away   bool
}

// Markets lists the markets.
func (c *copiedCatalogue) Markets(ctx context.Context) ([]rollcall.Market, error) {
	return storeOrCopy(ctx, c, "markets.json", rollcall.Store.Markets)
}

// Services lists the services.
func (c *copiedCatalogue) Services(ctx context.Context) ([]rollcall.Service, error) {
	return storeOrCopy(ctx, c, "services.json", rollcall.Store.Services)
}

// Segments gives none: an event's segment may be in no catalogue.
func (*copiedCatalogue) Segments(context.Context, rollcall.MarketID) ([]rollcall.Segment, error) {
	return nil, nil
}

// Masters gives the master keys that the store knows.
func (c *copiedCatalogue) Masters(ctx context.Context) ([]rollcall.Master, error) {
	return storeOrCopy(ctx, c, "masters.json", rollcall.Store.Masters)
}

// panels lists what panels have been given.
func (c *copiedCatalogue) panels(ctx context.Context) ([]rollcall.PanelObjects, error) {
	return storeOrCopy(ctx, c, "panels.json", rollcall.Store.ListPanelObjects)
}

// Close closes the store, if it was reached.
func (c *copiedCatalogue) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened == nil {
		return nil
	}
	return c.opened.Close()
}

// storeOrCopy asks the store, and where it is away the copy of its last answer.
func storeOrCopy[T any](ctx context.Context, c *copiedCatalogue, name string, ask func(rollcall.Store, context.Context) ([]T, error)) ([]T, error) {
	path := filepath.Join(c.dir, name)
	opened, err := c.reach(ctx)
	if err == nil {
		var list []T
		if list, err = ask(opened, ctx); err == nil {
			c.noteAway(nil)
			return list, copyTo(path, list)
		}
	}
	c.noteAway(err)
	text, failed := os.ReadFile(path)
	if failed != nil {
		return nil, err
	}
	var list []T
	if failed := jsondepth.Unmarshal(text, &list); failed != nil {
		return nil, errors.Join(err, fmt.Errorf("copy of the catalogue %s: %w", path, failed))
	}
	return list, nil
}

// catalogueTime is how long the store has to give the catalogue.
const catalogueTime = 5 * time.Second

func (c *copiedCatalogue) reach(ctx context.Context) (rollcall.Store, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened != nil {
		return c.opened, nil
	}
	ctx, cancel := context.WithTimeout(ctx, catalogueTime)
	defer cancel()
	opened, err := c.engine.openStore(ctx, false, c.log)
	if err != nil {
		return nil, err
	}
	c.opened = opened
	return opened, nil
}

// noteAway says once that the copy is used.
func (c *copiedCatalogue) noteAway(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !c.away {
		c.log.Warn("the store is away; the last catalogue stands", "error", err)
	}
	c.away = err != nil
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

// maxBody bounds one body of events, as sent and after decompression.
const maxBody = 64 << 20

// takeEvents takes events over HTTP into the log, with so much memory for bodies.
func (p *Process) takeEvents(log func(backfill bool) ingest.Log, memory int64) *web.Collector {
	c := &web.Collector{Converter: p.converter(), MaxBody: maxBody, Log: log, Memory: memory, Sender: sender, Admit: admit}
	if platforms, err := profile.BuiltinPlatforms(); err != nil {
		p.Log.Error("no platform can be told from a user agent", "error", err) // which is built in
	} else {
		c.Platform = platforms
	}
	if p.store != nil {
		p.rosters = &rosters{list: p.store.ListPanelObjects, log: p.Log}
	}
	if p.rosters != nil {
		c.Converter.HasRoster = p.rosters.has
	}
	passedOver := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_calls_passed_over_total", Help: "Calls of trackers that say nothing of an audience, by why."}, []string{"why"})
	c.PassedOver = func(why string, n int) { passedOver.WithLabelValues(why).Add(float64(n)) }
	p.metrics.MustRegister(passedOver, prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "rollcall_bodies_bytes", Help: "Memory that the bodies under way are reckoned to take."},
		func() float64 { return float64(c.Taken()) }))
	return c
}

// sender tells senders apart by their keys, and where none is needed by their
// addresses. The keys themselves are not held.
func sender(r *http.Request) string {
	if id := access.Of(r.Context()).ID; id != "" {
		return id
	}
	if key := r.Header.Get("Authorization"); key != "" {
		sum := sha256.Sum256([]byte(key))
		return string(sum[:8])
	}
	return access.Address(r)
}

// admit gives the defaults of the key that a request came with.
func admit(r *http.Request, key string) (rollcall.Defaults, error) {
	caller, err := access.Claim(r, key)
	return caller.Defaults, err
}

// writers gives the log for ordinary events and for backfill.
func (p *Process) writers() func(backfill bool) ingest.Log {
	ordinary := kafka.NewWriter(p.cluster, kafka.WriterOptions{Options: p.kafkaOptions()})
	backfill := kafka.NewWriter(p.cluster, kafka.WriterOptions{Options: p.kafkaOptions(), Backfill: true})
	p.onClose("writers", func() error { return errors.Join(ordinary.Close(), backfill.Close()) })
	return func(lift bool) ingest.Log {
		if lift {
			return backfill
		}
		return ordinary
	}
}

func (p *Process) converter() *ingest.Converter {
	return &ingest.Converter{Keys: p.keys, Catalogue: p.catalogue.Catalogue, Now: time.Now}
}
