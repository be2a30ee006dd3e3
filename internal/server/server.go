package server

// How one process is wired. A cluster's roles are parts of the same picture:
// `collect http` is the left third, `aggregate` the middle, `serve` the right.
//
//	HTTP collector ─► Converter ─► Writer ─► broker ─► Source ─► aggregate.Run ─► store
//	 POST /v1/events   keys      (spool)       │ rejected                          │
//	                                           ▼                                   ▼
//	                                   rollcall.rejected               report: close, answer
//	                                                                               │
//	     commands ─► DIR/rollcall.sock ─► api.Server ◄─────────────────────────────┘
//	     browsers ─► --listen, guarded ─►
//
// Stages start from the right, and stop from the left: collectors, writers,
// consumers, broker, store, lock.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rollcall/aggregate"
	"rollcall/aggregate/census/active"
	"rollcall/aggregate/publish"
	"rollcall/aggregate/report"
	"rollcall/api/access"
	"rollcall/api/disclosure"
	"rollcall/api/observe"
	"rollcall/ingest"
	"rollcall/ingest/masters"
	"rollcall/internal/kafka"
	"rollcall/internal/kafka/embedded"
	"rollcall/internal/traces"
)

// Options are what a process is given beside its flags. All are required, but
// Out and Access are a role's alone, and Readers, Gauges, MCP and OTLP those of a
// process that answers.
type Options struct {
	Software string // the version that reports and publications carry
	Log      *slog.Logger
	Out      io.Writer       // where it says that it listens
	Access   *access.Control // who may ask; nil: as the listener's flags say, without sessions

	Gauges  active.GaugeOptions // which active accounts are metrics
	Readers disclosure.Rule     // what of a census readers are not told
	MCP     bool                // assistants may ask at /mcp
	OTLP    string              // the collector that traces are sent to; "": nowhere
}

// Process is the stages of one process.
type Process struct {
	Options
	schedule
	errand    // of a command
	engine    *Engine
	command   bool              // it soon ends: others on its folder wait for it
	flush     Flush             // zero: the aggregate stage's own
	waiters   aggregate.Waiters // for the aggregator's flush
	metrics   *prometheus.Registry
	requests  *observe.Requests
	traces    *traces.Traces // nil: nothing is traced
	masters   *masters.Masters
	keys      *ingest.Keys // nil: of a process that only reads
	catalogue *catalogue
	rosters   *rosters // nil: of a process that takes no events
	store     *watchedStore
	broker    *embedded.Broker // nil: on a cluster
	cluster   *kafka.Cluster   // nil: without a log
	source    *kafka.Source    // nil: no aggregator
	months    *publish.Publisher
	reports   *report.Reporter
	handler   http.Handler
	fail      chan error // owned by the aggregator's goroutine: why it ended, if not by a stop

	replaying sync.Mutex // held by the one replay that may be under way
}

// parts says which stages a process runs.
type parts struct {
	folds   bool // an aggregator
	answers bool // the whole API
	patient bool // waits for engines that are away, instead of failing
}

func newProcess(e *Engine, o Options) *Process {
	p := &Process{Options: o, schedule: schedule{log: o.Log}, engine: e, metrics: prometheus.NewRegistry(), fail: make(chan error, 1)}
	p.requests = observe.New(p.metrics, o.Log, time.Now)
	p.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return p
}

// Start runs every stage, and opens the API to commands on the folder's socket.
// The caller closes the process.
func Start(ctx context.Context, e *Engine, o Options) (*Process, error) {
	p := newProcess(e, o)
	if err := openTraces(ctx, p); err != nil {
		return nil, err
	}
	return startAll(ctx, p)
}

// openTraces begins to send traces, if there is somewhere to.
func openTraces(ctx context.Context, p *Process) (err error) {
	if p.traces, err = traces.Open(ctx, traces.Options{Endpoint: p.OTLP, Software: p.Software, Log: p.Log}); err != nil {
		return UsageError{Err: fmt.Errorf("--otlp-endpoint: %w", err)}
	}
	p.onClose("traces", p.traces.Close)
	return nil
}

func startAll(ctx context.Context, p *Process) (*Process, error) {
	e := p.engine
	err := p.start(ctx, parts{folds: !p.keyless, answers: true})
	if err == nil && e.Clickhouse == "" {
		err = p.openSocket(e.Data)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// start runs the parts. After an error the caller closes what was started.
func (p *Process) start(ctx context.Context, which parts) (err error) {
	if err := p.engine.check(); err != nil {
		return err
	}
	if err := p.takeFolder(ctx); err != nil {
		return err
	}
	if p.masters, err = newMasters(p.engine, p.Options, p.keyless); err != nil {
		return err
	}
	if err := p.until(ctx, which.patient, "store", p.openStore); err != nil {
		return err
	}
	if err := openKeys(ctx, p); err != nil {
		return err
	}
	if !p.keyless {
		if err := p.openLog(ctx, which); err != nil {
			return err
		}
	}
	if which.folds {
		if err := p.Fold(ctx, p.metrics); err != nil {
			return err
		}
	}
	if which.answers {
		p.serve()
	}
	return nil
}

// Wait blocks until ctx ends or the aggregator fails, then stops everything.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		p.Log.Info("stopping")
		return p.Close()
	case err := <-p.fail:
		return errors.Join(err, p.Close())
	}
}

// During runs f while the stages run; it ends early where the aggregator fails.
func (p *Process) During(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1) // owned by f's goroutine
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case err := <-p.fail:
		cancel()
		return errors.Join(err, <-done)
	}
}
