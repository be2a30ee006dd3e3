package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/file"
	"rollcall/ingest/profile"
	"rollcall/internal/server"
)

type eventsCmd struct {
	Load eventsLoadCmd `cmd:"" help:"Load files of events through the log; returns when the store has them."`
}

type eventsLoadCmd struct {
	Backfill bool     `help:"Take events of any age."`
	Files    []string `arg:"" name:"file" help:"NDJSON, Parquet or Arrow; .gz and .zst too. With --source or --map, tables as the profile has them."`
	profileFlags
	server.Engine
}

// Validate refuses files that are not there.
func (c *eventsLoadCmd) Validate() error {
	if slices.Contains(c.Files, "") {
		return errors.New("a file's name is empty")
	}
	return errors.Join(exist(c.Files...), c.profileFlags.check())
}

// exist refuses paths where no file is, by the names that the user typed.
func exist(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return fmt.Errorf("%s: is a folder; give a file", path)
		case errors.Is(err, fs.ErrNotExist) && strings.Contains(path, "://"):
			return fmt.Errorf("%s: is no file of this machine; fetch it first", path)
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s: there is no such file", path)
		case err != nil:
			return err
		}
	}
	return nil
}

// Run loads each file. A file with a fault gives what stands before it, and
// the command fails at the end; a refused line is counted and kept, and is no
// failure, but one that was not looked at is. Where the server has gone, or the user wants no more, nothing else
// is tried.
func (c *eventsLoadCmd) Run(ctx context.Context, s *streams) error {
	if c.given() {
		return c.tables(ctx, s)
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		return settled(ctx, api, eachFile(ctx, c.Files, func(path string) error { return c.load(ctx, s, api, path) }))
	})
}

// eachFile loads each, and gives the faults of all.
func eachFile(ctx context.Context, paths []string, load func(path string) error) error {
	var faults []error
	for _, path := range paths {
		err := load(path)
		faults = append(faults, err)
		if over(ctx, err) {
			break
		}
	}
	return errors.Join(faults...)
}

// settled waits until the store has what was sent, whatever failed of it.
func settled(ctx context.Context, api *client, err error) error {
	if over(ctx, err) {
		return err
	}
	return errors.Join(err, newSender(api, "", false).settle(ctx))
}

// over says that nothing more is to be tried.
func over(ctx context.Context, err error) bool { return ctx.Err() != nil || errors.Is(err, errLost) }

func (c *eventsLoadCmd) load(ctx context.Context, s *streams, api *client, path string) error {
	to := newSender(api, path, c.Backfill)
	bar := progress(s.err, path)
	err := to.file(ctx, path, bar)
	if errors.Is(err, file.ErrEnding) {
		err = fmt.Errorf("%w; a table of another server is read with --source, which has profiles for %s, or with --map and a profile of your own", err, strings.Join(profile.Names(profile.OfTables), ", "))
	}
	return errors.Join(err, bar.Finish(), printCounts(s.out, s.err, path, &to.Counts), untaken(path, &to.Counts))
}

// file sends a file's parts, several at once: while the log has one on its disk
// the server reads another, and the next is cut from the file. What is under way
// when one fails is waited for: the server may have taken it, and counts it.
func (s *sender) file(ctx context.Context, path string, bar *progressbar.ProgressBar) error {
	var (
		under  []chan sent // in their order, each owned by its post
		failed error       // of the first that failed
	)
	take := func() {
		first := <-under[0]
		under = under[1:]
		s.Add(first.counts, 0)
		if first.err != nil && failed == nil {
			failed = fmt.Errorf("%s: after line %d: %w", path, first.base, first.err)
		}
	}
	var unread error
	for part, err := range file.Parts(ctx, path, barOf(bar)) {
		if len(under) == atOnce {
			take()
		}
		if unread = err; err != nil || failed != nil {
			break
		}
		under = append(under, s.send(ctx, part))
	}
	for len(under) > 0 {
		take()
	}
	if failed == nil && errors.Is(unread, file.ErrDamaged) {
		return fmt.Errorf("%w; %s", unread, s.again())
	}
	return cmp.Or(failed, unread)
}

// again says what became of a file that was cut, or changed on its way, and what to do.
func (s *sender) again() string {
	if s.Read == 0 {
		return "nothing of it was sent: fetch or copy the file again"
	}
	return "what stands before was sent: fetch or copy the file again, and load all of it, which counts nothing twice"
}

// atOnce is how many posts of a file are under way at once: the log waits for the disk
// while others are read. Four are no faster.
const atOnce = 3

// sent is what became of a part, and the lines before it.
type sent struct {
	counts ingest.Counts
	base   int
	err    error
}

// send begins to post a part.
func (s *sender) send(ctx context.Context, part file.Part) chan sent {
	done := make(chan sent, 1)
	go func() {
		counts, err := s.deliver(ctx, part.Type, part.Body, s.address(onFrom(part.Base)))
		done <- sent{counts, part.Base, err}
	}()
	return done
}

// barOf has a bar follow a file's reading.
func barOf(bar *progressbar.ProgressBar) func(read, total int64) {
	return func(read, total int64) {
		bar.ChangeMax64(max(total, read, 1)) // a bar of an empty file would refuse to finish
		_ = bar.Set64(read)                  // a bar that can't be drawn is no reason to stop
	}
}

// progress draws on a terminal, and nowhere else. The length is told with the
// first bytes: a bar of unknown length would draw from a goroutine of its own.
func progress(w io.Writer, name string) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.DefaultBytesSilent(1)
	}
	return progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(name), progressbar.OptionClearOnFinish())
}

// sender posts bodies of events and adds up what became of them. A full log
// makes it wait: nothing is dropped.
type sender struct {
	ingest.Counts
	api      *client
	source   string
	backfill bool
}

func newSender(api *client, source string, backfill bool) *sender {
	return &sender{api: api, source: source, backfill: backfill}
}

// address is where a body goes whose lines have these numbers in the source.
func (s *sender) address(lines string) string {
	query := url.Values{"source": {s.source}}
	if s.backfill {
		query.Set("backfill", "true")
	}
	address := "http://localhost/v1/events?" + query.Encode()
	if lines != "" {
		address += "&lines=" + lines // whose commas stay as they are, since there may be thousands
	}
	return address
}

// onFrom are the numbers of lines after so many that were in bodies before.
func onFrom(base int) string {
	if base == 0 {
		return ""
	}
	return fmt.Sprintf("%d-", base+1)
}

// post sends one body of lines, with the numbers that they have in the source.
func (s *sender) post(ctx context.Context, body []byte, lines string) error {
	counts, err := s.deliver(ctx, file.NDJSON, body, s.address(lines))
	if err == nil {
		s.Add(counts, 0)
	}
	return err
}

// deliver sends one body until the log has taken it.
func (s *sender) deliver(ctx context.Context, contentType string, body []byte, address string) (ingest.Counts, error) {
	for {
		counts, full, err := s.try(ctx, contentType, body, address)
		if err != nil {
			return ingest.Counts{}, err
		}
		if !full {
			return counts, nil
		}
		select {
		case <-ctx.Done():
			return ingest.Counts{}, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// try sends the body once. A body that the log had no space for is sent again
// whole: what was taken of it already counts once whatever happens.
func (s *sender) try(ctx context.Context, contentType string, body []byte, address string) (counts ingest.Counts, full bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return counts, false, err
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := s.api.ask(request)
	if err != nil {
		return counts, false, err
	}
	defer answer.Body.Close()
	var said struct {
		Detail string `json:"detail"`
		ingest.Counts
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return counts, false, fmt.Errorf("the server answered %s: %w", answer.Status, readError(err))
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusUnprocessableEntity:
		return said.Counts, false, nil
	case http.StatusTooManyRequests:
		return counts, true, nil
	}
	return counts, false, errors.New(said.Detail)
}

// settle waits until the store has what was sent.
func (s *sender) settle(ctx context.Context) error {
	return s.api.do(ctx, http.MethodPost, "/v1/log/settle", nil, nil)
}

// printCounts says what became of an input: one line of counts on out, the
// first refused lines on err.
func printCounts(out, err io.Writer, name string, c *ingest.Counts) error {
	more := c.Refused() - c.Rejected[ingest.CodeRest]
	for _, e := range c.Errors {
		fmt.Fprintf(err, "%s: line %d: %s\n", name, e.Line, strings.TrimPrefix(e.Reason, "line: "))
		if e.Code != ingest.CodeRest {
			more--
		}
	}
	if len(c.Errors) > 0 && more > 0 {
		fmt.Fprintf(err, "%s: and %d more were refused: `rollcall rejected list`\n", name, more)
	}
	line := fmt.Sprintf("%s: read %d, accepted %d, rejected %d", name, c.Read, c.Accepted, c.Refused())
	for _, code := range slices.Sorted(maps.Keys(c.Rejected)) {
		line += fmt.Sprintf(", %s %d", code, c.Rejected[code])
	}
	for _, code := range slices.Sorted(maps.Keys(c.Warnings)) {
		fmt.Fprintf(err, "%s: warning: %s\n", name, warning(code, c.Warnings[code]))
	}
	if c.ToCome.Events > 0 {
		fmt.Fprintf(err, "%s: warning: %s\n", name, toCome(c.ToCome))
	}
	_, failed := fmt.Fprintln(out, line)
	return failed
}

// toCome says in words which events are of days to come.
func toCome(t ingest.ToCome) string {
	are, days := " are", fmt.Sprintf("%s to %s", t.First, t.Last)
	if t.Events == 1 {
		are = " is"
	}
	if t.First == t.Last {
		days = t.First.String()
	}
	return count(t.Events, "event") + are + " of days to come, " + days + "; if a clock or a year is wrong, `rollcall census remove` takes them out"
}

// warning says in words what n events or lines were warned of.
func warning(code string, n int) string {
	switch {
	case code == ingest.WarnNoRoster && n == 1:
		return "1 event is of a panel without a roster, and counts once `rollcall panel load` has given it one"
	case code == ingest.WarnNotKept && n == 1:
		return "1 refused line is not kept: too many were refused"
	case code == ingest.WarnNoRoster:
		return fmt.Sprintf("%d events are of a panel without a roster, and count once `rollcall panel load` has given it one", n)
	case code == ingest.WarnNotKept:
		return fmt.Sprintf("%d refused lines are not kept: too many were refused", n)
	}
	return fmt.Sprintf("%s %d", code, n)
}

// profileFlags are for tables of other servers, read by a profile.
type profileFlags struct {
	Source          string            `help:"Read by this built-in profile" placeholder:"PROFILE"`
	Map             string            `help:"Read by a profile of one's own, in YAML." placeholder:"FILE"`
	Join            map[string]string `help:"A second file whose rows the profile reads by key." placeholder:"NAME=FILE,..." mapsep:","`
	Drop            []string          `help:"Accounts that are nobody: bots, monitoring. @FILE has one a line." placeholder:"NAME,...|@FILE"`
	DropRules       []string          `help:"Rules of the profile that drop nobody unless asked, such as administrator or guest; an unknown one names those that there are." placeholder:"RULE,..."`
	DropDeactivated bool              `help:"Drop the accounts that the profile knows as deactivated: the rule deactivated."`
	Market          string            `help:"The market of the events."`
	Service         string            `help:"Their service, in place of the profile's own."`
	Location        string            `help:"Their place; elsewhere where neither this nor the profile says one."`
	Segment         string            `help:"Their segment, where the profile gives none."`
	Zone            string            `help:"IANA zone of times without an offset; for --dry-run of the days too, where the market is not known."`
	DryRun          bool              `help:"Print the sightings as NDJSON, and what the rules did on stderr; send nothing."`
}

func (f *profileFlags) given() bool { return f.Source != "" || f.Map != "" }

// check refuses flags that can't be meant together.
func (f *profileFlags) check() error {
	switch {
	case f.Source != "" && f.Map != "":
		return errors.New("--map stands beside --source; give one of them")
	case !f.given() && f.DryRun:
		return errors.New("--dry-run prints what a profile reads: give --source or --map too")
	case !f.given() && (len(f.Join) > 0 || len(f.Drop) > 0 || len(f.DropRules) > 0 || f.DropDeactivated ||
		f.Market+f.Service+f.Location+f.Segment+f.Zone != ""):
		return errors.New("--join, --drop, --market and their like are for tables: give --source or --map too")
	}
	return exist(f.Map)
}

// profile gives the profile that was asked for.
func (f *profileFlags) profile(use profile.Use) (*profile.Profile, error) {
	if f.Source != "" {
		return profile.Builtin(f.Source, use)
	}
	text, err := os.Open(f.Map)
	if err != nil {
		return nil, err
	}
	defer text.Close()
	p, err := profile.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--map %s: %w", f.Map, err)
	}
	switch {
	case p.Snapshot && use != profile.OfSnapshot:
		return nil, fmt.Errorf("--map %s: is of a snapshot, which rollcall collect poll takes", f.Map)
	case p.Log && use == profile.OfTables:
		return nil, fmt.Errorf("--map %s: is of a log, which rollcall collect logs reads", f.Map)
	case !p.Snapshot && use == profile.OfSnapshot:
		return nil, fmt.Errorf("--map %s: is not of a snapshot", f.Map)
	}
	return p, nil
}

// options reads the flags; the calendar is the market's, or nil.
func (f *profileFlags) options(calendar *rollcall.Calendar) (o profile.Options, err error) {
	o = profile.Options{
		Market: rollcall.MarketID(f.Market), Service: rollcall.ServiceID(f.Service), Location: rollcall.Elsewhere,
		Joins: f.Join, Optional: map[string]bool{},
	}
	for _, rule := range f.DropRules {
		o.Optional[strings.TrimSpace(rule)] = true
	}
	if f.DropDeactivated {
		o.Optional["deactivated"] = true
	}
	if f.Location != "" {
		if o.Location, err = rollcall.ParseLocation(f.Location); err != nil {
			return o, err
		}
	}
	if o.Segment, err = rollcall.ParseSegment(f.Segment); err != nil {
		return o, err
	}
	zone := cmp.Or(f.Zone, "UTC")
	if calendar == nil {
		if calendar, err = (rollcall.Market{ID: "ZONE", Zone: zone}).Calendar(); err != nil {
			return o, err
		}
	} else {
		zone = cmp.Or(f.Zone, calendar.String())
	}
	if o.Zone, err = profile.Zone(zone); err != nil {
		return o, err
	}
	o.Calendar = calendar
	o.Drop, err = names(f.Drop)
	return o, err
}

// maxNames is how many accounts --drop may name.
const maxNames = 1_000_000

// names gives the names of a list in which @FILE stands for a file's lines.
func names(list []string) (all []string, err error) {
	for _, name := range list {
		path, isFile := strings.CutPrefix(name, "@")
		missing := exist(path)
		if !isFile || (missing != nil && strings.Contains(path, ":")) { // Matrix's names begin so too
			all = append(all, name)
			continue
		}
		if missing != nil {
			return nil, fmt.Errorf("--drop: %w", missing)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
	}
	if len(all) > maxNames {
		return nil, fmt.Errorf("--drop: more than %d names", maxNames)
	}
	return all, nil
}

// tables loads files by a profile, or prints what they would give.
func (c *eventsLoadCmd) tables(ctx context.Context, s *streams) error {
	p, err := c.profile(profile.OfTables)
	if err != nil {
		return server.UsageError{Err: err}
	}
	if c.DryRun {
		calendar := c.calendarThere(ctx, s, &c.Engine)
		return c.read(ctx, s, p, calendar, c.print)
	}
	if c.Market == "" {
		return giveMarket("events load")
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		calendar, err := c.catalogued(ctx, api)
		if err != nil {
			return err
		}
		err = c.read(ctx, s, p, calendar, func(ctx context.Context, s *streams, r *profile.Reader, path string) error {
			return c.sendTable(ctx, s, api, r, path)
		})
		return settled(ctx, api, err)
	})
}

// calendarOf gives a market's calendar; the error names the market.
func calendarOf(ctx context.Context, api *client, market string) (*rollcall.Calendar, error) {
	markets, err := rows[rollcall.Market](ctx, api, "/v1/markets")
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(markets, func(m rollcall.Market) bool { return string(m.ID) == market })
	if at < 0 {
		var known []rollcall.MarketID
		for _, m := range markets {
			known = append(known, m.ID)
		}
		return nil, &rollcall.Unknown{Kind: "market", Name: market, Near: rollcall.Nearest(market, known), Advice: "add it with `rollcall market add`"}
	}
	return markets[at].Calendar()
}

// catalogued gives the calendar of --market, and refuses a --service that is not
// known, before rows are read of which each would be refused.
func (f *profileFlags) catalogued(ctx context.Context, api *client) (*rollcall.Calendar, error) {
	calendar, err := calendarOf(ctx, api, f.Market)
	if err != nil || f.Service == "" {
		return calendar, err
	}
	services, err := rows[rollcall.Service](ctx, api, "/v1/services")
	if err != nil {
		return nil, err
	}
	var known []rollcall.ServiceID
	for _, one := range services {
		known = append(known, one.ID)
	}
	if !slices.Contains(known, rollcall.ServiceID(f.Service)) {
		return nil, &rollcall.Unknown{Kind: "service", Name: f.Service, Near: rollcall.Nearest(f.Service, known), Advice: "add it with `rollcall service add`"}
	}
	return calendar, nil
}

// calendarThere is calendarOf for a dry run, which needs no data folder and no
// market: nil where there is none.
func (f *profileFlags) calendarThere(ctx context.Context, s *streams, engine *server.Engine) (calendar *rollcall.Calendar) {
	if f.Market == "" {
		return nil
	}
	quiet := *s
	quiet.err = io.Discard
	_ = within(ctx, engine, &quiet, func(api *client) (err error) { // none is as good an answer
		calendar, err = calendarOf(ctx, api, f.Market)
		return err
	})
	return calendar
}

// read reads each file with what all of them together say.
func (c *eventsLoadCmd) read(ctx context.Context, s *streams, p *profile.Profile, calendar *rollcall.Calendar,
	each func(context.Context, *streams, *profile.Reader, string) error,
) error {
	r, err := c.reader(ctx, s, p, calendar)
	if err != nil {
		return err
	}
	if err := r.Survey(ctx, c.Files); err != nil {
		return err
	}
	err = eachFile(ctx, c.Files, func(path string) error { return each(ctx, s, r, path) })
	if !over(ctx, err) {
		unmatched(s.err, r)
	}
	return err
}

// unmatched warns of an account of --drop that no row had.
func unmatched(w io.Writer, r *profile.Reader) {
	if text := r.Unmatched(); text != "" {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
}

// reader makes the profile's reader with the flags.
func (f *profileFlags) reader(ctx context.Context, s *streams, p *profile.Profile, calendar *rollcall.Calendar) (*profile.Reader, error) {
	options, err := f.options(calendar)
	if err == nil {
		err = exist(slices.Sorted(maps.Values(f.Join))...)
	}
	if err != nil {
		return nil, server.UsageError{Err: err}
	}
	r, err := p.NewReader(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, text := range r.Missing() {
		fmt.Fprintf(s.err, "warning: %s\n", text)
	}
	return r, nil
}

// print writes a file's sightings as a dry run does.
func (c *eventsLoadCmd) print(ctx context.Context, s *streams, r *profile.Reader, path string) error {
	dry := newPrinter(s.out)
	counts, err := r.Read(ctx, path, dry.print)
	err = errors.Join(err, dry.out.Flush())
	tellRows(s.err, path, counts)
	if err = errors.Join(err, c.strangers(path, "row", counts)); err == nil && counts.Untaken() {
		return fmt.Errorf("%s: %s", path, c.refused(counts))
	}
	return cmp.Or(err, dry.end(s.err, path))
}

// refused says that nothing of a file would be taken.
func (f *profileFlags) refused(counts *profile.Counts) string {
	if counts.Rejected == counts.Rows {
		return "every row was refused"
	}
	return "every row that counts was refused, or has no account"
}

// strangers is an error where a file has rows, and the profile knows none of them,
// none has the account that it names, or none what a rule reads that was asked for.
func (f *profileFlags) strangers(path, row string, of interface {
	AllOther() int
	Nobody() string
	Undropped() string
},
) error {
	name := cmp.Or(f.Source, f.Map)
	if rows := of.AllOther(); rows > 0 {
		return fmt.Errorf("%s: %s knows none of its %s: the file may be another source's", path, name, count(rows, row))
	}
	if text := of.Nobody(); text != "" {
		return fmt.Errorf("%s: %s counts nobody: %s", path, name, text)
	}
	return undropped(path, of.Undropped())
}

// undropped is an error where whom a rule is to drop was counted for want of what the
// rule reads: of objects that is known when all are read.
func undropped(path, text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("%s: %s; whom it would drop was counted", path, text)
}

// absent warns of what a profile names and the rows don't have.
func absent(w io.Writer, path string, parts []string) {
	for _, text := range parts {
		fmt.Fprintf(w, "%s: warning: %s\n", path, text)
	}
}

// sendTable carries a file's sightings to the log.
func (c *eventsLoadCmd) sendTable(ctx context.Context, s *streams, api *client, r *profile.Reader, path string) error {
	to := newRowSender(api, path, c.Backfill)
	counts, err := r.Read(ctx, path, func(seen profile.Seen) error { return to.take(ctx, seen) })
	err = errors.Join(err, to.flush(ctx))
	tellRows(s.err, path, counts)
	to.refused(counts.Rejected)
	return errors.Join(err, to.print(s.out, s.err, path, "line"), untaken(path, &to.Counts), c.strangers(path, "row", counts))
}

// tellRows says what became of a table's rows: the first that were refused, and
// the counts by rule.
func tellRows(w io.Writer, path string, counts *profile.Counts) {
	for _, fault := range counts.Faults {
		fmt.Fprintf(w, "%s: %s: %s\n", path, fault.At(), fault.Reason)
	}
	fmt.Fprintf(w, "%s: %s\n", path, counts)
	absent(w, path, counts.Absent())
	if counts.Forgot {
		fmt.Fprintf(w, "%s: warning: more devices or days than are remembered: some platforms are other, and some days told twice\n", path)
	}
}
