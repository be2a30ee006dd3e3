package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/profile/columns"
)

// Options are what a profile's file doesn't say.
type Options struct {
	Market   rollcall.MarketID
	Service  rollcall.ServiceID // in place of the profile's own
	Location rollcall.Location
	Segment  rollcall.SegmentID // where the profile gives none
	Calendar *rollcall.Calendar // of the market: where its days begin
	Zone     *time.Location     // of times without an offset; nil: UTC
	Joins    map[string]string  // files by name
	Drop     []string           // accounts that are nobody
	Optional map[string]bool    // rules of the profile that are asked for
}

// Reader makes sightings of the rows of files. It is one goroutine's.
type Reader struct {
	*Profile
	options Options
	machine *vm.VM
	agents  *agents
	joins   []*joined
	names   map[string]bool
	matched map[string]bool // of names: those that rows had
	survey  *survey
	first   recent
	once    recent
	stays   stays
	clock   *clock // of a log; nil: the rows are a table's, in any order
	counts  *Counts
	columns []*columns.Table // that the tables read
	yield   func(Seen) error
}

// NewReader reads the joined files.
func (p *Profile) NewReader(ctx context.Context, o Options) (*Reader, error) {
	r := &Reader{Profile: p, options: o, machine: new(vm.VM), names: map[string]bool{}, matched: map[string]bool{}, survey: newSurvey()}
	if o.Zone == nil {
		r.options.Zone = time.UTC
	}
	service := rollcall.ServiceID(p.Service)
	if o.Service != "" {
		service = o.Service
	}
	r.options.Service = service
	for _, name := range o.Drop {
		r.names[ingest.Normalise(service, name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(o.Optional)) {
		if err := p.askable(name); err != nil {
			return nil, err
		}
	}
	r.columns = p.reads(o.Optional)
	r.counts = newCounts(r.columns)
	for _, name := range slices.Sorted(maps.Keys(o.Joins)) {
		j, err := p.join(ctx, name, o.Joins[name], o.Optional)
		if err != nil {
			return nil, err
		}
		r.joins = append(r.joins, j)
	}
	if err := p.checkAsked(r.joins, o.Optional); err != nil {
		return nil, err
	}
	if err := columns.CheckGroups(r.columns); err != nil {
		return nil, err
	}
	var err error
	r.agents, err = p.newAgents()
	return r, err
}

// Unmatched names the account of --drop that no row had so far, and how many more there
// are; "": all were there.
func (r *Reader) Unmatched() string {
	var missed []string
	for _, name := range r.options.Drop {
		if !r.matched[ingest.Normalise(r.options.Service, name)] {
			missed = append(missed, name)
		}
	}
	if len(missed) == 0 {
		return ""
	}
	plain := func(name string) string { return strings.ReplaceAll(strconv.Quote(name), `\\`, `\`) }
	said := "--drop: no row has the account " + plain(missed[0])
	var raw string
	if json.Unmarshal([]byte(`"`+missed[0]+`"`), &raw) == nil && raw != missed[0] {
		said += ", which may be as JSON writes it: the account itself is " + plain(raw)
	}
	if more := len(missed) - 1; more > 0 {
		said += fmt.Sprintf(", nor %d more", more)
	}
	return said
}

// Missing says of each join that no file was given for it, and of the second files
// what they don't have.
func (r *Reader) Missing() []string {
	var missing []string
	for i := range r.Joins {
		if j := &r.Joins[i]; given(r.joins, j) == nil {
			missing = append(missing, fmt.Sprintf("no --join %s=FILE: the profile's rules that read it drop nobody", j.Names[0]))
		}
	}
	for _, j := range r.joins {
		missing = append(missing, j.lacks.Warnings()...)
	}
	return missing
}

func (r *Reader) source() *source {
	s := &source{comma: r.comma, formats: r.Format, tables: r.Tables, reads: map[string]bool{}, agents: map[string]bool{}}
	s.hasJSON, s.hasExpr = slices.Contains(r.Format, "json"), slices.Contains(r.Format, "regexp")
	for i := range r.Tables {
		t := &r.Tables[i]
		maps.Copy(s.reads, t.reads)
		if t.Agent.name != "" {
			s.agents[t.Agent.name] = true
		}
	}
	return s
}

// known is tableOf, and looks which columns the row has. The error may be of a header
// without a column by which a rule drops that was asked for.
func (r *Reader) known(row *row) (*Table, error) {
	r.counts.columns.Look(&row.Row)
	at, err := r.tableOf(row)
	if err != nil || at < 0 {
		return nil, err
	}
	return &r.Tables[at], r.counts.columns.Note(r.columns[at], &row.Row)
}

// tableOf gives the table that a row is of by its number, with the joined rows beside
// its own columns; -1: none is.
func (r *Reader) tableOf(row *row) (int, error) {
	if row.fault != "" {
		return -1, errors.New(row.fault)
	}
	for _, j := range r.joins {
		if err := j.of(row.Values, r.machine); err != nil {
			return -1, err
		}
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		if !t.fits(row) {
			continue
		}
		holds, err := r.holds(&t.When, row.Values)
		if err != nil {
			return -1, t.unread("when", err)
		}
		if holds {
			return i, nil
		}
	}
	return -1, nil
}

// unread says of a row which of the table's keys can't be read.
func (t *Table) unread(key string, err error) error {
	return fmt.Errorf("table %s: %s: %w", t.Name, key, err)
}

func (t *Table) fits(row *row) bool {
	if t.Pattern != "" || row.Table == noTable {
		return row.Table == t.Pattern // which tables may share: the first whose condition holds reads the line
	}
	if row.Table != "" && t.Relation != "" && row.Table != t.Relation {
		return false
	}
	if row.Header != nil {
		return t.needs.In(row.Header)
	}
	return !slices.ContainsFunc(t.Header, func(name string) bool { // an object has what it has
		_, ok := row.Values[name]
		return !ok
	})
}

// Read gives the sightings of one file, and what became of its rows. A row that
// can't be read is counted with its line and reason, and the rest goes on; the
// error is the file's, or yield's.
func (r *Reader) Read(ctx context.Context, path string, yield func(Seen) error) (*Counts, error) {
	r.counts, r.yield = newCounts(r.columns), yield
	for _, j := range r.joins {
		j.lost = 0
	}
	err := r.source().each(ctx, path, r.row)
	var stopped failed
	if !errors.As(err, &stopped) && ctx.Err() == nil { // what stands before a fault counts
		err = errors.Join(err, r.letGo())
	}
	for _, j := range r.joins {
		r.counts.Lost[j.Names[0]] += j.lost
	}
	r.counts.Forgot = r.survey.full
	return r.counts, err
}

// failed is an error of the one that the sightings go to.
type failed struct{ error }

// Unwrap gives the error as it was.
func (f failed) Unwrap() error { return f.error }

func (r *Reader) row(row *row) error {
	r.counts.Rows++
	err := r.sightings(row)
	if err == nil {
		return nil
	}
	var (
		theirs failed
		not    columns.Undroppable
	)
	switch {
	case errors.As(err, &theirs):
		return theirs
	case errors.As(err, &not):
		return not
	}
	r.counts.reject(Fault{row.line, row.element, err.Error()})
	return nil
}

func (r *Reader) sightings(row *row) error {
	t, err := r.known(row)
	if err != nil {
		return err
	}
	if t == nil {
		r.counts.Other++
		return nil
	}
	base, err := r.base(t, row.Values)
	if err != nil {
		return err
	}
	rule, err := r.dropped(t, base, row.Values)
	if err != nil {
		return err
	}
	if rule != "" {
		r.counts.Dropped[rule]++
		return nil
	}
	if doubled, err := r.doubled(t, row.Values); err != nil || doubled {
		return err
	}
	if err := r.set(t, &base, row.Values); err != nil {
		return err
	}
	made := make([]Seen, len(t.Events)) // all, or none of a row that can't be read
	for i := range t.Events {
		if made[i], err = r.event(t, &t.Events[i], Seen{Sighting: base, Line: row.line}, row.Values); err != nil {
			return err
		}
	}
	if r.clock != nil && !made[0].Time.IsZero() {
		r.clock.pass(made[0].Time)
	}
	for i := range t.Events {
		if err := r.take(t, &t.Events[i], made[i], row.Values); err != nil {
			return err
		}
	}
	return nil
}

// base is what all sightings of a row have in common.
func (r *Reader) base(t *Table, row map[string]any) (s ingest.Sighting, err error) {
	s = ingest.Sighting{Market: r.options.Market, Service: r.options.Service, Location: r.options.Location, Segment: r.options.Segment}
	account, err := t.Account.of(row, r.machine)
	if err != nil {
		return s, fmt.Errorf("%saccount: %w", t.Account.said(), err)
	}
	s.Account = text(account)
	if !utf8.ValidString(s.Account) {
		return s, errors.New(t.Account.said() + "the account is not UTF-8")
	}
	if s.Platform, err = r.platformOf(t, row); err != nil {
		return s, err
	}
	if !t.Device.empty() && s.Platform == rollcall.OtherPlatform {
		device, err := t.Device.of(row, r.machine)
		if err != nil {
			return s, t.unread("device", err)
		}
		if known, ok := r.survey.devices[r.survey.hash(t.Name, text(device))]; ok {
			s.Platform = known
		}
	}
	return s, r.fill(&s, row, parts{&t.Market, &t.Service, &t.Location, &t.Segment})
}

// doubled reports whether an earlier row said the same.
func (r *Reader) doubled(t *Table, row map[string]any) (bool, error) {
	if t.First.empty() {
		return false, nil
	}
	v, err := t.First.of(row, r.machine)
	if err != nil {
		return false, t.unread("first", err)
	}
	again := r.first.again(r.survey.hash(t.Name, text(v)))
	if again {
		r.counts.Doubled++
	}
	return again, nil
}

// event makes one sighting of a row; its time is zero where the row has none.
func (r *Reader) event(t *Table, e *Event, seen Seen, row map[string]any) (Seen, error) {
	holds, err := r.holds(&e.When, row)
	if err != nil {
		return Seen{}, t.unread("when", err)
	}
	if !holds {
		return Seen{}, nil
	}
	if seen.Time, seen.Until, err = r.times(e, row); err != nil {
		return seen, err
	}
	if seen.Time.IsZero() {
		return seen, errors.New(e.Time.Value.said() + "the time is missing")
	}
	if !e.Step.empty() {
		return seen, e.step(t, &seen, row, r.machine)
	}
	kind, err := e.Kind.of(row, r.machine)
	if err != nil {
		return seen, fmt.Errorf("%skind: %w", e.Kind.said(), err)
	}
	if seen.Kind, err = rollcall.ParseKind(text(kind)); err != nil {
		return seen, errors.New(e.Kind.said() + "the kind is not login, presence, use, logout or login_failed")
	}
	if r.clock != nil {
		seen.Evidence = t.Name
	}
	if e.Time.Day {
		seen.Precision = rollcall.ToDay
	}
	return seen, nil
}

// take sends a sighting on, holds it as a stay that later rows may go on with,
// or passes over what others have told.
func (r *Reader) take(t *Table, e *Event, seen Seen, row map[string]any) error {
	if seen.Time.IsZero() {
		return nil
	}
	if seen.Step != 0 {
		r.counts.Steps++
		return r.give(seen)
	}
	if t.Fallback && r.survey.days[r.survey.hash(seen.Account, r.options.Calendar.Day(seen.Time).String())] {
		r.counts.Told++
		return nil
	}
	once, err := e.Once.of(row, r.machine)
	if err != nil {
		return t.unread("once", err)
	}
	if !e.Once.empty() && r.once.again(r.survey.hash(t.Name, seen.Kind.String(), text(once))) {
		return nil
	}
	if e.Stay.empty() || seen.Until.IsZero() {
		return r.send(stay{seen, e.Grace})
	}
	key, err := e.Stay.of(row, r.machine)
	if err != nil {
		return t.unread("stay", err)
	}
	if r.stays.add(text(key), e.Gap, stay{seen, e.Grace}) {
		r.counts.Joined++
	}
	if r.stays.n > maxStays {
		return r.letGo()
	}
	return nil
}

func (r *Reader) letGo() error { return r.sendAll(r.stays.flush()) }

func (r *Reader) sendAll(stays []stay) error {
	for _, s := range stays {
		if err := r.send(s); err != nil {
			return err
		}
	}
	return nil
}

// send gives a sighting away, in pieces where it is too long for an event.
func (r *Reader) send(s stay) error {
	if !s.Until.IsZero() {
		s.Until = latest(s.Time, s.Until.Add(-s.grace))
	}
	pieces := Cut(s.Seen)
	r.counts.Cut += len(pieces) - 1
	for _, piece := range pieces {
		r.counts.Sightings++
		if piece.Account == "" {
			r.counts.Unnamed++
		}
		if err := r.give(piece); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) give(seen Seen) error {
	if err := r.yield(seen); err != nil {
		return failed{err}
	}
	return nil
}
