package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"rollcall/aggregate/census/active"
	"rollcall/api/delivery"
	"rollcall/api/disclosure"
	"rollcall/internal/server"
)

// censusLimit is what readers are not told of a census, and what /metrics tells.
type censusLimit struct {
	CensusMin   int `help:"Accounts under which a census's figure is withheld; only the operator and an administrator's key may ask for less." default:"50"`
	CensusRound int `help:"Readers' figures of a census are rounded to multiples of so many accounts; 0 for not at all." default:"10"`

	Gauges        []active.Service `help:"Services whose active accounts /metrics tells: of 1, 7, 28 and 30 days and of the month, up to the newest day, by platform." placeholder:"MARKET/SERVICE,..."`
	GaugeSegments int              `help:"Segments of each that it tells too, those of the most accounts; 0 for none." default:"0"`
}

// mostGaugeSegments is the most segments of a service that are metrics.
const mostGaugeSegments = 1000

// Validate refuses limits that are none.
func (c *censusLimit) Validate() error {
	switch {
	case c.CensusMin < 0:
		return fmt.Errorf("--census-min %d: is under 0", c.CensusMin)
	case c.CensusRound < 0:
		return fmt.Errorf("--census-round %d: is under 0", c.CensusRound)
	case c.GaugeSegments < 0 || c.GaugeSegments > mostGaugeSegments:
		return fmt.Errorf("--gauge-segments %d: is not 0 to %d", c.GaugeSegments, mostGaugeSegments)
	case c.GaugeSegments > 0 && len(c.Gauges) == 0:
		return fmt.Errorf("--gauge-segments %d: needs --gauges, which says of which services", c.GaugeSegments)
	}
	return nil
}

// of adds the limits to a process's options.
func (c censusLimit) of(o server.Options) server.Options {
	o.Gauges = active.GaugeOptions{Of: c.Gauges, Segments: c.GaugeSegments}
	o.Readers = disclosure.Rule{Least: c.CensusMin, Round: c.CensusRound}
	return o
}

// tracing says where a process sends its traces.
type tracing struct {
	OTLP string `help:"Send OpenTelemetry traces, by OTLP over HTTP, to this collector; nowhere where absent." name:"otlp-endpoint" placeholder:"URL"`
}

// in adds it to a process's options.
func (t tracing) in(o server.Options) server.Options {
	o.OTLP = t.OTLP
	return o
}

// assistants says whether a process answers them.
type assistants struct {
	MCP bool `help:"Answer analysts' assistants at /mcp, by the Model Context Protocol, with keys of the role read." name:"mcp"`
}

// to adds it to a process's options.
func (a assistants) to(o server.Options) server.Options {
	o.MCP = a.MCP
	return o
}

type runCmd struct {
	server.Listening
	censusLimit
	assistants
	tracing
	server.Retention
	delivery.Options
	server.Engine
}

// Run serves until it is told to stop.
func (c *runCmd) Run(ctx context.Context, s *streams) error {
	return server.Run(ctx, &c.Engine, c.Listening, c.Retention, c.Options, c.to(c.in(c.of(s.options(c.Debug)))))
}

type aggregateCmd struct {
	Listen string       `help:"Address of /healthz, /readyz and /metrics." default:"127.0.0.1:8081" placeholder:"HOST:PORT"`
	Tokens string       `help:"File of the API keys; needed for any but a loopback address." type:"path" placeholder:"FILE"`
	Clear  bool         `help:"Let API keys go over the network in clear." name:"insecure-http"`
	Flush  server.Flush `embed:"" prefix:"flush-"`
	tracing
	server.Retention
	server.Engine
}

// Run folds the log into the store until it is told to stop.
func (c *aggregateCmd) Run(ctx context.Context, s *streams) error {
	listening := server.Listening{Listen: c.Listen, Tokens: c.Tokens, Clear: c.Clear}
	return server.Aggregate(ctx, &c.Engine, listening, c.Retention, c.Flush, c.in(s.options(c.Debug)))
}

type serveCmd struct {
	server.Listening
	censusLimit
	assistants
	tracing
	delivery.Options
	server.Engine
}

// Run serves the API until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s *streams) error {
	return server.Serve(ctx, &c.Engine, c.Listening, c.Options, c.to(c.in(c.of(s.options(c.Debug)))))
}

// probeCmd is for images that have no other program in them.
type probeCmd struct {
	URL     string        `arg:"" help:"Such as http://127.0.0.1:8080/readyz."`
	Timeout time.Duration `help:"How long it may take." default:"4s"`
}

// Run asks once.
func (c *probeCmd) Run(ctx context.Context, _ *streams) error {
	if at, err := url.Parse(c.URL); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return server.UsageError{Err: fmt.Errorf("URL %q: is not an address such as http://127.0.0.1:8080/readyz", c.URL)}
	}
	if c.Timeout <= 0 {
		return server.UsageError{Err: fmt.Errorf("--timeout %s: is not over 0", c.Timeout)}
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return server.UsageError{Err: err}
	}
	answer, err := http.DefaultClient.Do(request)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s", c.URL, c.Timeout)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: nobody listens there", c.URL)
	}
	if at := (*url.Error)(nil); errors.As(err, &at) {
		return fmt.Errorf("%s: %w", c.URL, at.Err)
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", c.URL, answer.Status)
	}
	return nil
}
