package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/ingest/profile/columns"
	"rollcall/schemas"
)

// The bounds of a profile's text and parts.
const (
	maxProfile = 64 << 10
	maxParts   = 64 // tables, rules, events, columns of one list
)

// Profile says how the rows of a server's tables become sightings.
type Profile struct {
	About    string   `yaml:"about"`
	Format   []string `yaml:"format"`    // csv, pg-copy, json, regexp: those that a file may have
	Log      bool     `yaml:"log"`       // the lines of a log, in the order of their times
	Snapshot bool     `yaml:"snapshot"`  // what a server says of its sessions, each time it is asked
	Rows     string   `yaml:"rows"`      // where the list of a snapshot stands in its JSON; empty: it is the list
	Token    string   `yaml:"token"`     // bare: without "Bearer" before it
	Service  string   `yaml:"service"`   // where --service says none
	Joins    []Join   `yaml:"joins"`     // further files, read by key
	Agents   []Agent  `yaml:"agents"`    // looked at before the built-in ones
	Tables   []Table  `yaml:"tables"`    // the first that fits a row reads it
	Comma    string   `yaml:"separator"` // of csv; a comma where empty
	Head     string   `yaml:"head"`      // of each table's pattern: what all lines begin with
	Silent   bool     `yaml:"silent"`    // a log that tells no resumption: a connection that was lost comes back under its name
	head     *regexp.Regexp
	comma    byte
	agents   []agentPattern // of Agents
	fallback bool           // a table counts only where others have nothing
	own      bool           // is the user's own
}

// Join is a second file whose row of the same key is at hand under the name.
type Join struct {
	Names    []string `yaml:"names"`    // as --join and expressions know it: the first is the usual
	Relation string   `yaml:"relation"` // its table in a dump
	Columns  []string `yaml:"columns"`  // of bare COPY text
	Without  []string `yaml:"without"`  // columns that the second file may do without
	Key      string   `yaml:"key"`      // the column in the second file
	On       Value    `yaml:"on"`       // the key in the row itself
	reads    map[string]bool
}

// Table is one kind of row.
type Table struct {
	Name       string   `yaml:"name"`
	Relation   string   `yaml:"relation"` // the table's name in a dump; empty: any
	Header     []string `yaml:"header"`   // columns that tell the table from others; empty: account's and time's
	Columns    []string `yaml:"columns"`  // of bare COPY text, which has no header
	Without    []string `yaml:"without"`  // columns that a file may do without, as those of older versions
	Pattern    string   `yaml:"pattern"`  // of a line, for regexp: its named groups are the columns
	When       Value    `yaml:"when"`     // rows of the table; empty: all
	Account    Value    `yaml:"account"`
	Market     Value    `yaml:"market"`
	Service    Value    `yaml:"service"`
	Location   Value    `yaml:"location"`
	Segment    Value    `yaml:"segment"`
	Platform   Value    `yaml:"platform"`   // a platform's name
	Agent      Value    `yaml:"agent"`      // or a user agent that tells it
	Device     Value    `yaml:"device"`     // whose other rows tell the platform where this one's agent can't
	First      Value    `yaml:"first"`      // of rows with the same value the first counts
	Connection Value    `yaml:"connection"` // of a log's line
	Session    Value    `yaml:"session"`    // that another connection may go on with
	Fallback   bool     `yaml:"fallback"`   // counts for accounts' days that no other table has
	Drop       []Rule   `yaml:"drop"`
	Set        []Rule   `yaml:"set"`
	Events     []Event  `yaml:"events"`
	pattern    *regexp.Regexp
	literal    []byte          // that each line of the pattern has
	needs      columns.Needs   // the columns that a header must have
	reads      map[string]bool // the columns that are read; no other leaves the file
}

// Rule drops a row, or sets a part of what it makes, where an expression holds.
type Rule struct {
	Name     string `yaml:"name"`
	When     Value  `yaml:"when"`
	Optional bool   `yaml:"optional"` // only where asked for by name
	Segment  Value  `yaml:"segment"`
	Platform Value  `yaml:"platform"`
	Location Value  `yaml:"location"`
	Service  Value  `yaml:"service"`
}

// Event is a sighting that a row makes, or the step of a connection that it tells.
type Event struct {
	Kind     Value         `yaml:"kind"`
	Step     Value         `yaml:"step"` // in place of kind
	When     Value         `yaml:"when"`
	Time     Instant       `yaml:"time"`
	Until    Instant       `yaml:"until"`
	Duration Value         `yaml:"duration"` // seconds, in place of until
	Ends     bool          `yaml:"ends"`     // the time is the end, and the duration before it
	Grace    time.Duration `yaml:"grace"`    // how long after the last sign of life until stands
	Once     Value         `yaml:"once"`     // of rows with the same value the first makes it
	Stay     Value         `yaml:"stay"`     // intervals of the same value that touch are one
	Gap      time.Duration `yaml:"gap"`      // and so are those no further apart
}

// Agent gives the platform of user agents.
type Agent struct {
	Match    string `yaml:"match"` // a regular expression
	Platform string `yaml:"platform"`
}

// Use is what a profile is for.
type Use string

// The uses, as their folders in schemas/sources are named.
const (
	OfTables   Use = "table"
	OfLog      Use = "log"
	OfSnapshot Use = "poll"
)

// use tells what the profile is for.
func (p *Profile) use() Use {
	switch {
	case p.Snapshot:
		return OfSnapshot
	case p.Log:
		return OfLog
	}
	return OfTables
}

func folder(use Use) string {
	if use == OfSnapshot {
		return "sources/poll/"
	}
	return "sources/"
}

// Names gives the names of the built-in profiles of a use in order.
func Names(use Use) []string {
	entries, err := fs.Glob(schemas.Sources, folder(use)+"*.yaml")
	if err != nil {
		panic("profile: " + err.Error()) // a constant pattern
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		name := strings.TrimSuffix(strings.TrimPrefix(entry, folder(use)), ".yaml")
		if name == agentsName {
			continue
		}
		if p, err := builtin(name, use); err != nil || p.use() == use { // a broken one is said when it is asked for
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Builtin gives a built-in profile of a use. The error names those that there are.
func Builtin(name string, use Use) (*Profile, error) {
	p, err := builtin(name, use)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || err == nil && p.use() != use || name == agentsName {
		return nil, fmt.Errorf("--source %q is not one of %s", name, strings.Join(Names(use), ", "))
	}
	return p, err
}

func builtin(name string, use Use) (*Profile, error) {
	f, err := schemas.Sources.Open(folder(use) + name + ".yaml")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	p.own = false
	return p, nil
}

// Parse reads a profile. A name that the form doesn't know is an error, and so
// is a profile over 64 KiB.
func Parse(r io.Reader) (*Profile, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxProfile {
		return nil, errors.New("a profile is at most 64 KiB long")
	}
	p := &Profile{own: true}
	if err := yaml.Load(text, p, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("is not a profile: %s", inWords(err))
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	return p, nil
}

// inWords says what the YAML package says in names of Go's types.
func inWords(err error) string {
	text := strings.Replace(strings.TrimPrefix(err.Error(), "yaml: "), "construct errors: ", "", 1)
	text = regexp.MustCompile(`field (\S+) not found in type \S+`).ReplaceAllString(text, `"$1" is no name that the form has there`)
	return regexp.MustCompile(`cannot construct !!\w+ (.*) into \S+`).ReplaceAllString(text, `$1 is not of the kind that belongs there`)
}

func (p *Profile) compile() error {
	switch {
	case len(p.Tables) == 0:
		return errors.New("tables: there is none")
	case len(p.Tables) > maxParts || len(p.Joins) > maxParts || len(p.Agents) > maxParts:
		return fmt.Errorf("more than %d tables, joins or agents", maxParts)
	case len(p.Format) == 0:
		return errors.New("format: is missing; csv, pg-copy, json or regexp")
	case len(p.Comma) > 1:
		return errors.New("separator: is one character")
	}
	if err := p.checkUse(); err != nil {
		return err
	}
	for _, format := range p.Format {
		if !slices.Contains([]string{"csv", "pg-copy", "json", "regexp"}, format) {
			return fmt.Errorf("format: %q is not csv, pg-copy, json or regexp", format)
		}
	}
	p.comma = ','
	if p.Comma != "" {
		p.comma = p.Comma[0]
	}
	var err error
	if p.head, err = regexp.Compile(p.Head); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	if p.agents, err = compileAgents(p.Agents); err != nil {
		return err
	}
	return p.compileTables()
}

// checkUse refuses what a profile of its use can't have.
func (p *Profile) checkUse() error {
	switch {
	case p.Log && p.Snapshot:
		return errors.New("log: stands beside snapshot; give one of them")
	case p.use() == OfTables && (p.Silent || slices.ContainsFunc(p.Tables, Table.steps)):
		return errors.New("step: is a log's; give log: true, or snapshot: true")
	case p.Token != "" && p.Token != "bare":
		return errors.New("token: is bare, or not there")
	}
	return nil
}

func (p *Profile) compileTables() error {
	for i := range p.Joins {
		if j := &p.Joins[i]; len(j.Names) == 0 || j.Key == "" || j.On.empty() {
			return fmt.Errorf("joins[%d]: names, key and on must be given", i)
		}
	}
	for i := range p.Tables {
		t := &p.Tables[i]
		if err := t.compile(slices.Equal(p.Format, []string{"regexp"}), p.Head); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		if err := t.checkGroups(p.Joins); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		p.fallback = p.fallback || t.Fallback
	}
	p.readJoins()
	return nil
}

// readJoins says which columns of the second files the tables read.
func (p *Profile) readJoins() {
	for i := range p.Joins {
		j := &p.Joins[i]
		j.reads = map[string]bool{j.Key: true}
		for t := range p.Tables {
			maps.Copy(p.Tables[t].reads, j.On.reads)
			for name := range p.Tables[t].reads {
				if of, column, ok := strings.Cut(name, "."); ok && slices.Contains(j.Names, of) {
					j.reads[column] = true
				}
			}
		}
	}
}

func (t *Table) compile(patterns bool, head string) (err error) {
	switch {
	case t.Name == "":
		return errors.New("name: is missing")
	case len(t.Events) == 0:
		return errors.New("events: there is none")
	case len(t.Events) > maxParts || len(t.Drop) > maxParts || len(t.Set) > maxParts:
		return fmt.Errorf("more than %d events or rules", maxParts)
	case t.Account.empty() && slices.ContainsFunc(t.Events, func(e Event) bool { return e.Step.empty() }):
		return errors.New("account: is missing")
	case !t.Platform.empty() && !t.Agent.empty():
		return errors.New("platform: stands beside agent; give one of them")
	case patterns && t.Pattern == "":
		return errors.New("pattern: is missing, which the format regexp needs")
	}
	if t.pattern, err = regexp.Compile(head + t.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	t.literal = literal(t.Pattern)
	t.columns()
	for i := range t.Events {
		if err := t.Events[i].check(); err != nil {
			return fmt.Errorf("events[%d]: %w", i, err)
		}
	}
	return checkRules(t.Drop, t.Set)
}

// columns says which columns the table reads, and which a header must have.
func (t *Table) columns() {
	t.reads = map[string]bool{}
	for _, name := range t.Header {
		t.reads[name] = true
	}
	for _, v := range t.values() {
		maps.Copy(t.reads, v.reads)
	}
	t.needs = columns.Needs{Name: t.Name, Columns: t.Header}
	if len(t.Header) > 0 {
		return
	}
	for _, v := range []*Value{&t.Account, &t.Events[0].Time.Value} {
		if v.name != "" {
			t.needs.Columns = append(t.needs.Columns, v.name)
		}
	}
}

// values gives all that the table takes from a row.
func (t *Table) values() []*Value {
	all := []*Value{&t.When, &t.Account, &t.Market, &t.Service, &t.Location, &t.Segment, &t.Platform, &t.Agent, &t.Device, &t.First, &t.Connection, &t.Session}
	for i := range t.Events {
		e := &t.Events[i]
		all = append(all, &e.Kind, &e.Step, &e.When, &e.Time.Value, &e.Until.Value, &e.Duration, &e.Once, &e.Stay)
	}
	for _, rules := range [][]Rule{t.Drop, t.Set} {
		for i := range rules {
			r := &rules[i]
			all = append(all, &r.When, &r.Segment, &r.Platform, &r.Location, &r.Service)
		}
	}
	return all
}

// steps reports whether the table's lines tell of connections.
func (t Table) steps() bool {
	return slices.ContainsFunc(t.Events, func(e Event) bool { return !e.Step.empty() })
}

func (e *Event) lasts() bool { return !e.Until.Value.empty() || !e.Duration.empty() }

func (e *Event) check() error {
	switch {
	case e.Kind.empty() == e.Step.empty():
		return errors.New("kind or step: give one of them")
	case e.Time.Value.empty():
		return errors.New("time: is missing")
	case !e.Step.empty() && (e.lasts() || e.Time.Day || !e.Once.empty()):
		return errors.New("step: has a time alone")
	case e.Grace < 0 || e.Gap < 0 || e.Grace > rollcall.MaxEvent || e.Gap > rollcall.MaxEvent:
		return errors.New("grace and gap: are from 0 to 24 hours")
	}
	return errors.Join(e.checkLasting(), e.Time.check(), e.Until.check())
}

// checkLasting refuses what an event that lasts, or doesn't, can't have.
func (e *Event) checkLasting() error {
	switch {
	case !e.Until.Value.empty() && !e.Duration.empty():
		return errors.New("until: stands beside duration; give one of them")
	case e.Time.Day && (e.lasts() || !e.Stay.empty()):
		return errors.New("time: a day has no until, duration or stay")
	case !e.Stay.empty() && !e.lasts():
		return errors.New("stay: needs until or duration")
	case e.Ends && e.Duration.empty():
		return errors.New("ends: needs a duration")
	}
	return nil
}
