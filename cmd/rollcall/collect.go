package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter"
	"rollcall/ingest/collect/meter/signs"
	"rollcall/internal/server"
)

type collectCmd struct {
	HTTP     httpCmd     `cmd:"" name:"http" help:"A cluster's role: take events over HTTP."`
	Pcap     pcapCmd     `cmd:"" help:"Read a capture, or an interface, as a panelist's meter or a lab tap sees it."`
	Simulate simulateCmd `cmd:"" help:"Make and load the demonstration: a simulated panel calibrated to published figures, and a simulated census."`
}

type pcapCmd struct {
	File      string   `arg:"" optional:"" help:"A pcap or pcapng file."`
	Interface string   `help:"Read this network interface instead." placeholder:"IF"`
	Market    string   `required:"" help:"The meter's market."`
	Location  string   `required:"" help:"Where the meter is installed: home, work or elsewhere."`
	Panel     string   `help:"The panel, with --panelist: the accounts seen are dropped."`
	Panelist  string   `help:"Whose machine it is."`
	Address   []string `help:"The panelist's own addresses, where they are known: what others open towards them is not the panelist's." placeholder:"IP[/BITS]"`
	Signs     string   `name:"signatures" help:"Further signs of services: a file as schemas/signatures/signatures.csv." placeholder:"FILE"`
	DryRun    bool     `help:"Print the sightings as NDJSON; send nothing."`
	server.Engine
	stats meter.Stats
}

// Validate refuses a capture that is not there.
func (c *pcapCmd) Validate() error { return errors.Join(exist(c.File), exist(c.Signs)) }

func (c *pcapCmd) install() (meter.Install, error) {
	place, err := rollcall.ParseLocation(c.Location)
	if err != nil {
		return meter.Install{}, server.UsageError{Err: err}
	}
	if (c.File == "") == (c.Interface == "") {
		return meter.Install{}, server.UsageError{Err: errors.New("give a FILE or --interface, one of them")}
	}
	install := meter.Install{
		Market: rollcall.MarketID(c.Market), Location: place,
		Panel: rollcall.PanelID(c.Panel), Panelist: c.Panelist,
	}
	if err := errors.Join(c.addresses(&install), c.signs(&install), install.Validate()); err != nil {
		return install, server.UsageError{Err: err}
	}
	return install, nil
}

// addresses reads --address: addresses, or prefixes of them.
func (c *pcapCmd) addresses(to *meter.Install) error {
	for _, text := range c.Address {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return fmt.Errorf("--address %q is no IP address or prefix", text)
			}
			prefix = netip.PrefixFrom(a, a.BitLen())
		}
		to.Hosts = append(to.Hosts, prefix.Masked())
	}
	return nil
}

// signs reads --signatures.
func (c *pcapCmd) signs(to *meter.Install) error {
	if c.Signs == "" {
		return nil
	}
	f, err := os.Open(c.Signs)
	if err != nil {
		return err
	}
	defer f.Close()
	if to.Signs, err = signs.Parse(f); err != nil {
		return fmt.Errorf("%s: %w", c.Signs, err)
	}
	return nil
}

func (c *pcapCmd) source() string {
	if c.File != "" {
		return c.File
	}
	return c.Interface
}

// Run reads the capture into the log, or with --dry-run onto stdout, and says
// on stderr what it could not read.
func (c *pcapCmd) Run(ctx context.Context, s *streams) error {
	install, err := c.install()
	if err != nil {
		return err
	}
	if c.Interface != "" {
		install.Watch = c.watch(s)
	}
	defer func() { c.tell(s) }()
	if c.DryRun {
		out := bufio.NewWriter(s.out)
		err := c.read(ctx, install, func(seen ingest.Sighting) error {
			_, err := out.Write(append(seen.AppendJSON(nil), '\n'))
			return err
		})
		return errors.Join(err, out.Flush())
	}
	return with(ctx, &c.Engine, s, func(api *client) error { return c.send(ctx, s, api, install) })
}

func (c *pcapCmd) read(ctx context.Context, install meter.Install, yield func(ingest.Sighting) error) error {
	var err error
	if c.Interface != "" {
		c.stats, err = meter.Listen(ctx, c.Interface, install, yield)
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	if c.stats, err = meter.Read(ctx, bufio.NewReaderSize(f, 1<<20), install, yield); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return nil
}

// tellEvery is how often, in packet time, an interface's counts are said.
const tellEvery = 10 * time.Minute

// watch says an interface's counts from time to time.
func (c *pcapCmd) watch(s *streams) func(meter.Stats) {
	var last time.Time
	return func(stats meter.Stats) {
		if stats.Last.Sub(last) < tellEvery {
			return
		}
		last, c.stats = stats.Last, stats
		c.tell(s)
	}
}

// tell says what was not read: a line for each count that is not zero.
func (c *pcapCmd) tell(s *streams) {
	log := newLogger(s.err, slog.LevelInfo)
	for _, n := range c.stats.Unread() {
		log.Warn("not read", "source", c.source(), "what", n.Name, "count", n.N, "says", n.Says)
	}
}

// postSize is when a body of sightings is sent.
const postSize = 1 << 20

// send carries the sightings to the log. A capture file's events may have any
// age; an interface's are of now.
func (c *pcapCmd) send(ctx context.Context, s *streams, api *client, install meter.Install) error {
	to := newSender(api, c.source(), c.File != "")
	var body []byte
	lines, base := 0, 0
	flush := func() error {
		if len(body) == 0 {
			return nil
		}
		err := to.post(ctx, "application/x-ndjson", body, base)
		body, base = body[:0], lines
		return err
	}
	err := c.read(ctx, install, func(seen ingest.Sighting) error {
		if seen.Account == "" && seen.Panelist == "" {
			return nil // nobody to count: the reading counts it as unnamed
		}
		body = append(seen.AppendJSON(body), '\n')
		lines++
		if len(body) < postSize && c.File != "" {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush(), to.settle(ctx), printCounts(s.out, s.err, c.source(), &to.Counts), allRefused(c.source(), &to.Counts))
}

type httpCmd struct {
	server.Listening
	tracing
	server.Spool
	server.Engine
}

// Run takes events until it is told to stop.
func (c *httpCmd) Run(ctx context.Context, s *streams) error {
	return server.Collect(ctx, &c.Engine, c.Listening, c.Spool, c.in(s.options(c.Debug)))
}
