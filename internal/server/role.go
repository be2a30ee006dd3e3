package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A role's process listens at once, so that its probes are answered, and starts
// its stages as soon as the engines let it. /healthz says that it lives;
// /readyz, whether it can do its work now.

type aggregateCmd struct {
	Listen string `help:"Address of /healthz, /readyz and /metrics." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	Tokens string `help:"File of the API keys; needed for any but a loopback address." type:"path" placeholder:"FILE"`
	Flush  flush  `embed:"" prefix:"flush-"`
	keeping
	engine
}

// flush says when what was folded goes to the store.
type flush struct {
	Every  time.Duration `help:"Between flushes when caught up, for each member of the group." default:"2s"`
	Behind time.Duration `help:"Between flushes when behind." default:"30s"`
	Bytes  int           `help:"Flush at so many bytes in memory." default:"268435456"`
}

// Run folds the log into the store until it is told to stop.
func (c *aggregateCmd) Run(ctx context.Context, s *streams) error {
	if len(c.Brokers) == 0 {
		return usageError{errors.New("aggregate needs --brokers; on one machine `rollcall run` does everything")}
	}
	d := newDeployment(&c.engine, newLogger(s.err, c.Debug))
	d.flush = c.Flush
	limitMemory(idleMemory + 2*int64(c.Flush.Bytes))
	return d.role(ctx, s, listening{Listen: c.Listen, Tokens: c.Tokens}, func(ctx context.Context) (http.Handler, error) {
		p := parts{folds: true, patient: true, answers: c.Clickhouse == ""}
		if err := d.start(ctx, p); err != nil {
			return nil, err
		}
		d.retain(c.Keep)
		if p.answers { // the store is in the folder, and only this process can reach it
			return d.probes(), d.openSocket(c.Data)
		}
		return d.probes(), nil
	})
}

type serveCmd struct {
	listening
	engine
}

// Run serves the API until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s *streams) error {
	if c.Clickhouse == "" {
		return usageError{errors.New("serve needs --clickhouse; on one machine `rollcall run` does everything")}
	}
	d := newDeployment(&c.engine, newLogger(s.err, c.Debug))
	limitMemory(serveMemoryBytes)
	return d.role(ctx, s, c.listening, func(ctx context.Context) (http.Handler, error) {
		err := d.start(ctx, parts{answers: true, patient: true})
		return d.handler, err
	})
}

// role listens, starts the stages, and stops them in the order of the picture:
// first no request comes in, then the stages end.
func (d *deployment) role(ctx context.Context, s *streams, l listening, start func(context.Context) (http.Handler, error)) error {
	front := newDeployment(d.engine, d.log)
	var now gate
	address, err := front.openTo(l, &now)
	if err != nil {
		return errors.Join(err, front.Close())
	}
	if _, err := fmt.Fprintf(s.out, "Rollcall listens on %s://%s\n", l.scheme(), address); err != nil {
		return errors.Join(err, front.Close())
	}
	handler, err := start(ctx)
	if err == nil {
		now.open(handler)
		d.log.Info("ready to work")
		select {
		case <-ctx.Done():
		case err = <-d.fail:
		}
	}
	if ctx.Err() != nil { // told to stop, perhaps while it waited for an engine
		d.log.Info("stopping")
		err = nil
	}
	return errors.Join(err, front.Close(), d.Close())
}

// gate answers the probes until the stages run.
type gate struct{ handler atomic.Pointer[http.Handler] }

func (g *gate) open(h http.Handler) { g.handler.Store(&h) }

// ServeHTTP passes on, or says that it is starting.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := g.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		say(w, http.StatusOK, "ok")
		return
	}
	w.Header().Set("Retry-After", "1")
	say(w, http.StatusServiceUnavailable, "starting")
}

func say(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": word}) // the asker has gone: nobody is left to tell
}

// probes serves what a role without an API answers.
func (d *deployment) probes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { d.sayReady(w, r, d.ready) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.metrics, promhttp.HandlerOpts{}))
	return mux
}

// sayReady says whether the process can do its work; why not is for its log.
func (d *deployment) sayReady(w http.ResponseWriter, r *http.Request, ready func(context.Context) error) {
	if err := ready(r.Context()); err != nil {
		d.log.Warn("not ready", "error", err)
		say(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	say(w, http.StatusOK, "ready")
}
