package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall"
	"rollcall/api"
	"rollcall/api/delivery"
	"rollcall/api/observe"
)

// A role's process listens at once, so that its probes are answered, and starts
// its stages as soon as the engines let it. /healthz says that it lives;
// /readyz, whether it can do its work now.

// Flush says when what was folded goes to the store.
type Flush struct {
	Every  time.Duration `help:"Between flushes when caught up, for each member of the group." default:"2s"`
	Behind time.Duration `help:"Between flushes when behind." default:"30s"`
	Bytes  int           `help:"Flush at so many bytes in memory." default:"268435456"`
}

// Run is every stage in one process, until ctx ends. Where engines are others'
// it waits for them, as a role does.
func Run(ctx context.Context, e *Engine, l Listening, r Retention, d delivery.Options, o Options) error {
	plan, err := d.Plan()
	if err != nil {
		return UsageError{Err: err}
	}
	LimitMemory(RunMemory)
	if o.Access, err = l.control(e, o.Log); err != nil {
		return err
	}
	if e.onCluster() {
		p := newProcess(e, o)
		return p.role(ctx, l, func(ctx context.Context) (http.Handler, error) {
			if err := p.start(ctx, parts{folds: len(e.Brokers) > 0, answers: true, patient: true}); err != nil {
				return nil, err
			}
			p.retain(r)
			closeByClock(p, plan)
			if e.Clickhouse == "" {
				return p.handler, p.openSocket(e.Data)
			}
			return p.handler, nil
		})
	}
	p, err := Start(ctx, e, o)
	if err != nil {
		return err
	}
	p.retain(r)
	closeByClock(p, plan)
	address, err := p.openTo(l, p.handler)
	if err == nil {
		err = p.sayListening(l, address)
	}
	if err != nil {
		return errors.Join(err, p.Close())
	}
	return p.Wait(ctx)
}

// scheduleOf is the process's schedule of a plan.
func scheduleOf(p *Process, plan *delivery.Plan) *delivery.Schedule {
	s := delivery.Schedule{
		Store: p.store, Deliveries: p.store, Catalogue: p.catalogue.Catalogue, Close: auditedClose(p), Publications: p.months.Publications, Report: p.reports.Report,
		Now: time.Now, Alone: p.engine.Clickhouse == "", Software: p.Software, Log: p.Log, Metrics: delivery.NewMetrics(p.metrics),
	}
	if p.cluster != nil {
		s.Settle = eventLog{p}.Settle
	}
	return s.By(plan)
}

// auditedClose closes a month, and takes note that nobody's hand did.
func auditedClose(p *Process) func(context.Context, rollcall.ClosePlan) (rollcall.Publication, error) {
	return func(ctx context.Context, plan rollcall.ClosePlan) (rollcall.Publication, error) {
		made, err := p.months.Close(ctx, plan)
		if err == nil && !made.Unchanged {
			e := rollcall.AuditEntry{Time: time.Now().UTC(), Name: "schedule", Action: "publish", Market: made.Market, Object: made.Words()}
			if failed := p.store.AddAudit(context.WithoutCancel(ctx), e); failed != nil {
				p.Log.Error("the audit log lacks an entry", "error", failed, "entry", e)
			}
		}
		return made, err
	}
}

// closeByClock closes months and tells of them, from now until Close.
func closeByClock(p *Process, plan *delivery.Plan) {
	if plan != nil {
		p.background("scheduled close", scheduleOf(p, plan).Run)
	}
}

// Aggregate folds the log into the store, until ctx ends.
func Aggregate(ctx context.Context, e *Engine, l Listening, r Retention, f Flush, o Options) error {
	if len(e.Brokers) == 0 {
		return UsageError{Err: errors.New("aggregate needs --brokers; on one machine `rollcall run` does everything")}
	}
	p := newProcess(e, o)
	p.flush = f
	LimitMemory(IdleMemory + 2*int64(f.Bytes))
	return p.role(ctx, l, func(ctx context.Context) (http.Handler, error) {
		which := parts{folds: true, patient: true, answers: e.Clickhouse == ""}
		if err := p.start(ctx, which); err != nil {
			return nil, err
		}
		p.retain(r)
		if which.answers { // the store is in the folder, and only this process can reach it
			return observe.Patterns(p.probes(p.ready)), p.openSocket(e.Data)
		}
		return observe.Patterns(p.probes(p.ready)), nil
	})
}

// Serve answers the API, until ctx ends.
func Serve(ctx context.Context, e *Engine, l Listening, d delivery.Options, o Options) error {
	plan, err := d.Plan()
	if err != nil {
		return UsageError{Err: err}
	}
	if e.Clickhouse == "" {
		return UsageError{Err: errors.New("serve needs --clickhouse; on one machine `rollcall run` does everything")}
	}
	if o.Access, err = l.control(e, o.Log); err != nil {
		return err
	}
	p := newProcess(e, o)
	LimitMemory(ServeMemory)
	return p.role(ctx, l, func(ctx context.Context) (http.Handler, error) {
		if err := p.start(ctx, parts{answers: true, patient: true}); err != nil {
			return nil, err
		}
		closeByClock(p, plan)
		return p.handler, nil
	})
}

// role listens, starts the stages, and stops them in the order of the picture:
// first no request comes in, then the stages end.
func (p *Process) role(ctx context.Context, l Listening, start func(context.Context) (http.Handler, error)) error {
	if err := openTraces(ctx, p); err != nil {
		return err
	}
	front := newProcess(p.engine, p.Options)
	front.requests, front.traces = p.requests, p.traces // /metrics is p's
	var gate api.Gate
	address, err := front.openTo(l, &gate)
	if err == nil {
		err = p.sayListening(l, address)
	}
	if err != nil {
		return errors.Join(err, front.Close())
	}
	handler, err := start(ctx)
	if err == nil {
		gate.Open(handler)
		p.Log.Info("ready to work")
		select {
		case <-ctx.Done():
		case err = <-p.fail:
		}
	}
	if ctx.Err() != nil { // told to stop, perhaps while it waited for an engine
		p.Log.Info("stopping")
		err = nil
	}
	return errors.Join(err, front.Close(), p.Close())
}

func (o Options) sayListening(l Listening, address fmt.Stringer) error {
	_, err := fmt.Fprintf(o.Out, "Rollcall listens on %s://%s\n", l.scheme(), address)
	return err
}

// Show serves a command's own metrics, beside /healthz and /readyz, until the
// process that it gives is closed. Add registers them.
func Show(e *Engine, l Listening, o Options, add func(prometheus.Registerer)) (*Process, error) {
	p := newProcess(e, o)
	add(p.metrics)
	address, err := p.openTo(l, p.probes(func(context.Context) error { return nil }))
	if err == nil {
		err = p.sayListening(l, address)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// probes serves what a role without an API answers.
func (p *Process) probes(ready func(context.Context) error) *http.ServeMux {
	mux := http.NewServeMux()
	health := api.Health{Ready: ready, Degraded: p.degraded, Log: p.Log}
	mux.HandleFunc("GET /healthz", health.Live)
	mux.HandleFunc("GET /readyz", health.CanWork)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics, promhttp.HandlerOpts{}))
	return mux
}
