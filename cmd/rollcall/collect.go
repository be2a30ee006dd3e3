package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/logs"
	"rollcall/ingest/collect/meter"
	"rollcall/ingest/collect/meter/signs"
	"rollcall/ingest/collect/poll"
	"rollcall/ingest/packed"
	"rollcall/ingest/profile"
	"rollcall/internal/server"
)

type collectCmd struct {
	HTTP     httpCmd     `cmd:"" name:"http" help:"A cluster's role: take events over HTTP."`
	Pcap     pcapCmd     `cmd:"" help:"Read a capture, or an interface, as a panelist's meter or a lab tap sees it."`
	Logs     logsCmd     `cmd:"" help:"Read a server's log, whole or as it is written."`
	Poll     pollCmd     `cmd:"" help:"Ask a server again and again who is there."`
	Simulate simulateCmd `cmd:"" help:"Make and load the demonstration: a simulated panel calibrated to published figures, and a simulated census."`
}

type pcapCmd struct {
	File      string   `arg:"" optional:"" help:"A pcap or pcapng file, plain, .gz or .zst; - is the standard input."`
	Interface string   `help:"Read this network interface instead." placeholder:"IF"`
	Market    string   `required:"" help:"The meter's market."`
	Location  string   `required:"" help:"Where the meter is installed: home, work or elsewhere."`
	Panel     string   `help:"The panel, with --panelist: the accounts seen are dropped."`
	Panelist  string   `help:"Whose machine it is."`
	Address   []string `help:"The panelist's own addresses, where they are known: what others open towards them is not the panelist's." placeholder:"IP[/BITS]"`
	Signs     string   `name:"signatures" help:"Further signs of services: a file as schemas/signatures/signatures.csv." placeholder:"FILE"`
	DryRun    bool     `help:"Print the sightings as NDJSON; send nothing."`
	Listen    string   `help:"Address of /healthz, /readyz and /metrics, which tell what was not read while it goes on." placeholder:"HOST:PORT"`
	Tokens    string   `help:"With --listen: file of the API keys; needed for any but a loopback address." type:"path" placeholder:"FILE"`
	Clear     bool     `help:"With --listen: let API keys go over the network in clear." name:"insecure-http"`
	server.Engine
	stats     meter.Stats
	sightings int
}

// Validate refuses a capture that is not there, and keys for nobody.
func (c *pcapCmd) Validate() error {
	if c.Listen == "" && (c.Tokens != "" || c.Clear) {
		return errors.New("--tokens and --insecure-http are for --listen")
	}
	if (c.Panel == "") != (c.Panelist == "") {
		return errors.New("--panel and --panelist stand together; give both or neither")
	}
	if c.File == logs.Stdin {
		return exist(c.Signs)
	}
	return errors.Join(exist(c.File), exist(c.Signs))
}

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
	switch c.File {
	case "":
		return c.Interface
	case logs.Stdin:
		return "the standard input"
	}
	return c.File
}

// Run reads the capture into the log, or with --dry-run onto stdout, and says
// on stderr what it could not read.
func (c *pcapCmd) Run(ctx context.Context, s *streams) error {
	install, err := c.install()
	if err != nil {
		return err
	}
	shown, err := c.show(s, &install)
	if err != nil {
		return err
	}
	return errors.Join(c.meter(ctx, s, install), shown())
}

// show opens the metrics, where they are asked for, and has the counts told as
// they come; the end of it closes them.
func (c *pcapCmd) show(s *streams, install *meter.Install) (end func() error, err error) {
	if c.Interface != "" {
		install.Watch = c.watch(s)
	}
	if c.Listen == "" {
		return func() error { return nil }, nil
	}
	o := s.commandOptions(&c.Engine, slog.LevelInfo)
	if c.DryRun {
		o.Out = s.err // stdout is for sightings
	}
	shown, err := server.Show(&c.Engine, server.Listening{Listen: c.Listen, Tokens: c.Tokens, Clear: c.Clear}, o, func(r prometheus.Registerer) {
		install.Watch = both(meter.NewMetrics(r).Watch, install.Watch)
	})
	if err != nil {
		return nil, err
	}
	return shown.Close, nil
}

// both tells two of the counts; the second may be nil.
func both(a, b func(meter.Stats)) func(meter.Stats) {
	if b == nil {
		return a
	}
	return func(stats meter.Stats) {
		a(stats)
		b(stats)
	}
}

// meterMemory is what the garbage collector lets a meter hold: twice what
// thousands of sessions take, and no more than a small machine has.
const meterMemory = 72 << 20

// meter reads the capture, and says what it could not read.
func (c *pcapCmd) meter(ctx context.Context, s *streams, install meter.Install) error {
	defer func() { c.tell(s) }()
	if c.DryRun {
		server.LimitMemory(meterMemory)
		out := bufio.NewWriter(s.out)
		err := c.read(ctx, s, install, func(seen ingest.Sighting) error {
			_, err := out.Write(append(seen.AppendJSON(nil), '\n'))
			return err
		})
		return errors.Join(err, out.Flush())
	}
	server.LimitMemory(meterMemory + server.IdleMemory)
	return with(ctx, &c.Engine, s, func(api *client) error {
		if _, err := calendarOf(ctx, api, c.Market); err != nil {
			return err // before hours of packets, each of whose sightings would be refused
		}
		return c.send(ctx, s, api, install)
	})
}

// read reads the capture, and says how much there was: silence would not tell one
// in which nobody was seen from one that was not read.
func (c *pcapCmd) read(ctx context.Context, s *streams, install meter.Install, yield func(ingest.Sighting) error) error {
	err := c.packets(ctx, s, install, func(seen ingest.Sighting) error {
		c.sightings++
		return yield(seen)
	})
	if err == nil || c.stats.Packets > 0 {
		fmt.Fprintln(s.err, c.counts())
	}
	return err
}

// counts says how much was read so far.
func (c *pcapCmd) counts() string {
	return fmt.Sprintf("%s: packets %d, sightings %d", c.source(), c.stats.Packets, c.sightings)
}

func (c *pcapCmd) packets(ctx context.Context, s *streams, install meter.Install, yield func(ingest.Sighting) error) (err error) {
	if c.Interface != "" {
		c.stats, err = meter.Listen(ctx, c.Interface, install, yield)
		return err
	}
	in := s.in
	if c.File != logs.Stdin {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	if c.stats, err = meter.Read(ctx, bufio.NewReaderSize(in, 1<<20), install, yield); err != nil {
		return fmt.Errorf("%s: %w", c.source(), err)
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
		newLogger(s.err, slog.LevelInfo).Info(c.counts())
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
		err := to.post(ctx, body, onFrom(base))
		body, base = body[:0], lines
		return err
	}
	err := c.read(ctx, s, install, func(seen ingest.Sighting) error {
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
	return errors.Join(err, flush(), to.settle(ctx), printCounts(s.out, s.err, c.source(), &to.Counts), untaken(c.source(), &to.Counts))
}

type logsCmd struct {
	Backfill bool     `help:"Take events of any age."`
	Follow   bool     `help:"Read on as the log is written, over its rotations, until told to stop."`
	State    string   `help:"With --follow: the folder of the checkpoint." placeholder:"DIR"`
	Files    []string `arg:"" name:"file" help:"The log's files, .gz and .zst too, in any order; - is the standard input."`
	profileFlags
	server.Engine
}

// Validate refuses files that are not there.
func (c *logsCmd) Validate() error {
	files := slices.DeleteFunc(slices.Clone(c.Files), func(path string) bool { return path == logs.Stdin })
	if slices.Contains(files, "") {
		return errors.New("a file's name is empty")
	}
	switch {
	case !c.Follow && c.State != "":
		return errors.New("--state is for --follow")
	case c.Follow && len(files) == 0:
		return errors.New("--follow takes a file; the standard input is read to its end without it")
	case c.Follow && len(c.Files) != 1:
		return errors.New("--follow takes one file; it finds those that were rotated away by itself")
	case c.Follow && packed.Named(c.Files[0]):
		return fmt.Errorf("%s: is compressed, so nothing is written to it any more; read it without --follow", c.Files[0])
	case c.Follow && c.State == "" && !c.DryRun:
		return errors.New("--follow needs --state, where it goes on from")
	case c.Follow:
		return c.profileFlags.check()
	}
	return errors.Join(exist(files...), c.profileFlags.check())
}

// Run reads the log into Rollcall's own, or with --dry-run onto stdout, and says
// on stderr what became of its lines.
func (c *logsCmd) Run(ctx context.Context, s *streams) error {
	p, err := c.profile(profile.OfLog)
	if err != nil {
		return server.UsageError{Err: err}
	}
	if c.DryRun {
		return c.print(ctx, s, p)
	}
	if c.Market == "" {
		return giveMarket("collect logs")
	}
	to := ctx // where it goes
	if c.Follow {
		to = context.WithoutCancel(ctx) // outlives the word to stop, for what was read before it
	}
	return with(to, &c.Engine, s, func(api *client) error {
		calendar, err := c.catalogued(to, api)
		if err != nil {
			return err
		}
		r, err := c.reader(to, s, p, calendar)
		if err != nil {
			return err
		}
		return settled(to, api, c.send(ctx, to, s, api, r))
	})
}

// name is the log's in what is said of it.
func (c *logsCmd) name() string { return c.Files[0] }

// read reads the log, and says what became of it. Of a log that is followed,
// commit has what was said so far kept.
func (c *logsCmd) read(ctx context.Context, s *streams, r *profile.Reader, yield func(profile.Seen) error, commit func(context.Context) error) (*logs.Log, error) {
	if c.Follow {
		return c.follow(ctx, s, r, yield, commit)
	}
	paths, changed, err := logs.Order(r, c.Files, time.Now())
	if err != nil {
		return nil, err
	}
	log := logs.New(cmp.Or(c.Source, "log"), r, changed, yield)
	err = log.Read(ctx, paths, s.in)
	err = errors.Join(err, log.End(), commit(ctx))
	c.told(s, log)
	if !over(ctx, err) {
		unmatched(s.err, r)
	}
	return log, err
}

// lookEvery is how often a followed log is looked at.
const lookEvery = time.Second

// follow reads the log until it is told to stop, which is no failure.
func (c *logsCmd) follow(ctx context.Context, s *streams, r *profile.Reader, yield func(profile.Seen) error, commit func(context.Context) error) (*logs.Log, error) {
	log := logs.New(cmp.Or(c.Source, "log"), r, time.Now(), yield)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	said := newLogger(s.err, slog.LevelInfo)
	f := &logs.Follower{
		Log: log, Path: c.name(), State: c.State, Commit: commit,
		Warn:  func(text string) { said.Warn(text) },
		Count: func(text string) { said.Info(text) },
	}
	err := f.Run(ctx, tick.C)
	c.told(s, log)
	unmatched(s.err, r)
	return log, err
}

// told says what became of the log's lines.
func (c *logsCmd) told(s *streams, log *logs.Log) {
	at := c.at(log)
	for _, fault := range log.Faults() {
		fmt.Fprintf(s.err, "%s: %s\n", at(fault.Line), fault.Reason)
	}
	fmt.Fprintf(s.err, "%s: %s\n", c.whole(), log)
	absent(s.err, c.whole(), log.Absent())
}

// at says where a line of the log stands.
func (c *logsCmd) at(log *logs.Log) func(line int) string {
	return func(line int) string {
		path, no := c.name(), line
		if !c.Follow {
			path, no = log.Where(line)
		}
		return fmt.Sprintf("%s: %s %d", path, c.unit(), no)
	}
}

// unit is what the places in the log are counted in.
func (c *logsCmd) unit() string {
	if c.Follow {
		return "byte" // over the files that it stood in
	}
	return "line"
}

// whole names all of the log's files.
func (c *logsCmd) whole() string {
	if len(c.Files) == 1 {
		return c.name()
	}
	return fmt.Sprintf("%s and %d more", c.name(), len(c.Files)-1)
}

func (c *logsCmd) print(ctx context.Context, s *streams, p *profile.Profile) error {
	r, err := c.reader(ctx, s, p, c.calendarThere(ctx, s, &c.Engine))
	if err != nil {
		return err
	}
	dry := newPrinter(s.out)
	log, err := c.read(ctx, s, r, dry.print, func(context.Context) error { return dry.out.Flush() })
	if err == nil && log.Refused() {
		return fmt.Errorf("%s: every line that the profile knows was refused", c.whole())
	}
	return cmp.Or(errors.Join(err, c.strange(log)), dry.end(s.err, c.whole()))
}

// strange is an error where the profile knows no line of a whole log, or nobody in
// them; and where a rule that was asked for dropped nobody for want of what it reads.
func (c *logsCmd) strange(log *logs.Log) error {
	switch {
	case log == nil:
		return nil
	case c.Follow: // what follows may be known
		return undropped(c.whole(), log.Undropped())
	}
	return c.strangers(c.whole(), "line", log)
}

// send carries the log's sightings to Rollcall's own log.
func (c *logsCmd) send(ctx, there context.Context, s *streams, api *client, r *profile.Reader) error {
	to := newRowSender(api, c.name(), c.Backfill)
	log, err := c.read(ctx, s, r, func(seen profile.Seen) error { return to.take(there, seen) }, to.flush)
	if log == nil {
		return err
	}
	to.refused(log.Rejected())
	return errors.Join(err, to.print(s.out, s.err, c.whole(), c.unit()), untaken(c.whole(), &to.Counts), c.strange(log))
}

type pollCmd struct {
	URL       string        `name:"url" help:"What to ask, by GET." placeholder:"URL"`
	Command   string        `help:"Or a command whose output it is, run by sh." placeholder:"COMMAND"`
	Every     time.Duration `help:"How often." default:"60s"`
	TokenFile string        `help:"A file with the token that the server wants, alone or as \"Basic ...\"." placeholder:"FILE"`
	profileFlags
	server.Engine
}

// Validate refuses what can't be meant together.
func (c *pollCmd) Validate() error {
	switch {
	case (c.URL == "") == (c.Command == ""):
		return errors.New("give --url or --command, one of them")
	case !c.given():
		return errors.New("give --source or --map")
	case c.TokenFile != "" && c.URL == "":
		return errors.New("--token-file is for --url")
	case c.URL != "" && !c.asks():
		return fmt.Errorf("--url %q: is not an address such as http://127.0.0.1:9090/sessions", c.URL)
	case c.Every < time.Second:
		return errors.New("--every: is at least 1s")
	}
	return errors.Join(exist(c.TokenFile), c.profileFlags.check())
}

// asks reports whether --url is something that can be asked by GET.
func (c *pollCmd) asks() bool {
	u, err := url.Parse(c.URL)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Run asks until it is told to stop, which is no failure.
func (c *pollCmd) Run(ctx context.Context, s *streams) error {
	p, err := c.profile(profile.OfSnapshot)
	if err != nil {
		return server.UsageError{Err: err}
	}
	if c.DryRun {
		r, err := c.reader(ctx, s, p, c.calendarThere(ctx, s, &c.Engine))
		if err != nil {
			return err
		}
		dry := newPrinter(s.out)
		err = c.poll(ctx, s, r, dry.print, func(context.Context) error { return dry.out.Flush() })
		return cmp.Or(err, dry.end(s.err, "poll"))
	}
	if c.Market == "" {
		return giveMarket("collect poll")
	}
	to := context.WithoutCancel(ctx) // outlives the word to stop, for what was seen before it
	return with(to, &c.Engine, s, func(api *client) error {
		calendar, err := c.catalogued(to, api)
		if err != nil {
			return err
		}
		r, err := c.reader(to, s, p, calendar)
		if err != nil {
			return err
		}
		rows := newRowSender(api, "poll", false)
		err = c.poll(ctx, s, r, func(seen profile.Seen) error { return rows.take(to, seen) },
			func(context.Context) error { return rows.flush(to) })
		return settled(to, api, errors.Join(err, rows.print(s.out, s.err, "poll", "line"), untaken("poll", &rows.Counts)))
	})
}

// poll says what a poller can't see, and polls.
func (c *pollCmd) poll(ctx context.Context, s *streams, r *profile.Reader, yield func(profile.Seen) error, commit func(context.Context) error) error {
	log := newLogger(s.err, slog.LevelInfo)
	log.Warn("stays shorter than the time between two snapshots are missed", "every", c.Every.String())
	from := poll.Source{URL: c.URL, Command: c.Command, TokenFile: c.TokenFile, Bare: r.Token == "bare", Now: time.Now}
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	poller := poll.New(cmp.Or(c.Source, "poll"), r, c.Every, yield)
	poller.Count = func(text string) { log.Info("poll: " + text) }
	poller.Warn = func(text string) { log.Warn("poll: the profile " + text) }
	err := poller.Run(ctx, tick.C, from.Ask, commit, func(err error) { log.Warn("no snapshot", "error", err.Error()) })
	for _, fault := range poller.Counts().Faults {
		fmt.Fprintf(s.err, "poll: row %d: %s\n", fault.Line, fault.Reason)
	}
	fmt.Fprintf(s.err, "poll: %s\n", poller)
	absent(s.err, "poll", poller.Counts().Absent())
	unmatched(s.err, r)
	return errors.Join(err, undropped("poll", poller.Counts().Undropped()))
}

// printer writes sightings as a dry run does, and counts those that a load would
// refuse for their times.
type printer struct {
	out     *bufio.Writer
	line    []byte
	printed int
	refused int
	first   string // of those, its line and why
}

func newPrinter(w io.Writer) *printer { return &printer{out: bufio.NewWriterSize(w, 64<<10)} }

// print writes a sighting.
func (p *printer) print(seen profile.Seen) error {
	p.printed++
	if err := rollcall.CheckInterval(seen.Time, seen.Until); err != nil {
		if p.refused++; p.refused == 1 {
			p.first = fmt.Sprintf("line %d: %s", seen.Line, err)
		}
	}
	p.line = append(seen.AppendJSON(p.line[:0]), '\n')
	_, err := p.out.Write(p.line)
	return err
}

// end ends the text, and warns of what would be refused; where that is all of it, it is
// an error.
func (p *printer) end(w io.Writer, path string) error {
	err := p.out.Flush()
	switch {
	case err != nil || p.refused == 0:
		return err
	case p.refused == p.printed:
		return fmt.Errorf("%s: every sighting would be refused, the first: %s", path, p.first)
	}
	fmt.Fprintf(w, "%s: warning: %s of %d would be refused, the first: %s\n", path, count(p.refused, "sighting"), p.printed, p.first)
	return nil
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
