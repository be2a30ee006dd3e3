package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/api/access"
	"rollcall/internal/server"
)

type tokenCmd struct {
	New    tokenNewCmd    `cmd:"" help:"Make an API key and print it, once."`
	List   tokenListCmd   `cmd:"" help:"List the API keys; the keys themselves are not kept."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke an API key; a running server takes note at once."`
	Audit  tokenAuditCmd  `cmd:"" help:"Print who did what, and when: the newest first."`
}

// tokens says which file holds the API keys.
type tokens struct {
	Data   string `help:"The data folder; the keys are in its file tokens." default:"rollcall-data" type:"path" placeholder:"DIR"`
	Tokens string `help:"File of the API keys instead." type:"path" placeholder:"FILE"`
}

func (t *tokens) path() string {
	if t.Tokens != "" {
		return t.Tokens
	}
	return server.TokensPath(t.Data)
}

type tokenNewCmd struct {
	Name    string              `required:"" help:"Whose key it is; no two keys have the same name."`
	Role    access.Role         `required:"" enum:"read,ingest,publish,admin" help:"read, ingest, publish or admin."`
	Markets []rollcall.MarketID `help:"The only markets that a key of the role read may see; all where absent." placeholder:"MARKET,..."`

	Segments string        `help:"The only segments that a key of the role read may see, joined by commas, none among them if what has no segment is; all where absent." name:"segment" aliases:"segments" placeholder:"ID,..."`
	Default  eventDefaults `embed:"" prefix:"default-"`
	tokens
}

// eventDefaults are what a key's events are of where they don't say.
type eventDefaults struct {
	Market   rollcall.MarketID  `help:"With the role ingest: the market of events that name none." placeholder:"MARKET"`
	Service  rollcall.ServiceID `help:"The service of events that name none." placeholder:"SERVICE"`
	Location string             `help:"The place of events that name none: home, work or elsewhere." placeholder:"PLACE"`
	Kind     string             `help:"What events are that don't say: login, presence or use." placeholder:"KIND"`
	Segment  rollcall.SegmentID `help:"The segment of accounts' events that name none." placeholder:"SEGMENT"`
	Platform string             `help:"The platform of accounts' events that tell none: computer, phone, tablet, web or other." placeholder:"PLATFORM"`
}

// Run makes a key.
func (c *tokenNewCmd) Run(ctx context.Context, s *streams) error {
	segments, err := rollcall.ParseSegments(c.Segments)
	if err != nil {
		return err
	}
	_, key, err := access.NewToken(c.path(), access.Token{Name: c.Name, Role: c.Role, Markets: c.Markets, Segments: segments, Defaults: rollcall.Defaults(c.Default), By: thisUser()}, time.Now())
	if err != nil {
		return err
	}
	c.warn(ctx, s, segments)
	_, err = fmt.Fprintln(s.out, key)
	return err
}

// warn says which names the data folder's catalogue lacks: the key is made all the
// same, as they may be added later. On a cluster, and before the first start, there
// is no store in the folder to ask.
func (c *tokenNewCmd) warn(ctx context.Context, s *streams, segments []rollcall.SegmentID) {
	markets, services := append(slices.Clone(c.Markets), c.Default.Market), []rollcall.ServiceID{c.Default.Service}
	segments = append(slices.Clone(segments), c.Default.Segment)
	if c.Tokens != "" || !named(markets) && !named(services) && !named(segments) {
		return
	}
	err := within(ctx, &server.Engine{Data: c.Data}, s, func(api *client) error {
		return errors.Join(
			warnOf(ctx, api, s, "market", markets, func(m rollcall.Market) rollcall.MarketID { return m.ID }),
			warnOf(ctx, api, s, "service", services, func(v rollcall.Service) rollcall.ServiceID { return v.ID }),
			warnOf(ctx, api, s, "segment", segments, func(v rollcall.Segment) rollcall.SegmentID { return v.ID }))
	})
	if err != nil {
		fmt.Fprintln(s.err, "rollcall: whether its names are known was not looked up:", err)
	}
}

func named[ID ~string](ids []ID) bool {
	return slices.ContainsFunc(ids, func(id ID) bool { return id != "" })
}

// warnOf is warn for names of one kind.
func warnOf[Row any, ID ~string](ctx context.Context, api *client, s *streams, kind string, ids []ID, of func(Row) ID) error {
	if !named(ids) {
		return nil
	}
	all, err := rows[Row](ctx, api, "/v1/"+kind+"s")
	if err != nil {
		return err
	}
	known := make([]ID, len(all))
	for i, row := range all {
		known[i] = of(row)
	}
	for _, id := range ids {
		if id != "" && !slices.Contains(known, id) {
			unknown := rollcall.Unknown{Kind: kind, Name: string(id), Where: "in the catalogue", Near: rollcall.Nearest(string(id), known), Advice: "add it with `rollcall " + kind + " add`"}
			fmt.Fprintln(s.err, "rollcall: warning:", unknown.Error())
		}
	}
	return nil
}

// thisUser is whose process this is, as the system calls them.
func thisUser() string {
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return fmt.Sprintf("user %d", os.Getuid())
}

type tokenListCmd struct{ tokens }

// Run lists the keys.
func (c *tokenListCmd) Run(_ context.Context, s *streams) error {
	keys, err := access.OpenKeyring(c.path())
	if err != nil {
		return err
	}
	list, err := keys.Tokens()
	if err != nil {
		return err
	}
	last, err := access.LastUsed(c.path())
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tNAME\tROLE\tMARKETS\tSEGMENTS\tMADE\tLAST USED\tDEFAULTS")
	for _, t := range list {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Role, listed(t.Markets), listed(t.Segments), t.Created.Format(time.RFC3339), usedAt(last[t.ID]), defaultsOf(t))
	}
	return out.Flush()
}

// listed joins what a key is limited to.
func listed[T ~string](ids []T) string {
	if len(ids) == 0 {
		return "all"
	}
	var names []string
	for _, id := range ids {
		names = append(names, cmp.Or(string(id), rollcall.None))
	}
	return strings.Join(names, ",")
}

// defaultsOf lists what a key's events are of where they don't say.
func defaultsOf(t access.Token) string {
	d, words := t.Defaults, []string{}
	for _, w := range [][2]string{{"market", string(d.Market)}, {"service", string(d.Service)}, {"location", d.Location}, {"kind", d.Kind}, {"segment", string(d.Segment)}, {"platform", d.Platform}} {
		if w[1] != "" {
			words = append(words, w[0]+"="+w[1])
		}
	}
	return cmp.Or(strings.Join(words, ","), "-")
}

func usedAt(last time.Time) string {
	if last.IsZero() {
		return "never"
	}
	return last.Format(time.RFC3339)
}

type tokenRevokeCmd struct {
	ID string `arg:"" help:"The key's id, as list prints it."`
	tokens
}

// Run revokes the key, and says so.
func (c *tokenRevokeCmd) Run(_ context.Context, s *streams) error {
	if err := access.RevokeToken(c.path(), c.ID, thisUser(), time.Now()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "revoked: the API key %s\n", c.ID)
	return err
}

type tokenAuditCmd struct {
	Tokens string `help:"File of the API keys; DIR/tokens of the data folder where absent." type:"path" placeholder:"FILE"`
	Limit  int    `help:"The most entries, up to 10,000." default:"100"`
	server.Engine
}

// Run prints the audit log, and the changes of the keys that their file remembers.
func (c *tokenAuditCmd) Run(ctx context.Context, s *streams) error {
	var list []rollcall.AuditEntry
	err := within(ctx, &c.Engine, s, func(to *client) (err error) {
		list, err = c.newest(ctx, to)
		return err
	})
	if err != nil {
		return err
	}
	changes, err := c.changes()
	if err != nil {
		return err
	}
	for _, e := range changes {
		if !slices.Contains(list, e) { // a server that asks for keys has told it
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b rollcall.AuditEntry) int { return b.Time.Compare(a.Time) })
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "TIME\tKEY\tNAME\tACTION\tMARKET\tOBJECT")
	for _, e := range list[:min(c.Limit, len(list))] {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Format(time.RFC3339), cmp.Or(e.Key, "-"), e.Name, e.Action, cmp.Or(string(e.Market), "-"), e.Object)
	}
	return out.Flush()
}

// newest reads as many entries as are printed, and not the log's older parts.
func (c *tokenAuditCmd) newest(ctx context.Context, from *client) ([]rollcall.AuditEntry, error) {
	var part struct {
		Rows []rollcall.AuditEntry `json:"rows"`
	}
	err := from.do(ctx, http.MethodGet, fmt.Sprintf("/v1/audit?limit=%d", c.Limit), nil, &part)
	return part.Rows, err
}

func (c *tokenAuditCmd) changes() ([]rollcall.AuditEntry, error) {
	path := cmp.Or(c.Tokens, server.TokensPath(c.Data))
	keys, err := access.OpenKeyring(path)
	if errors.Is(err, fs.ErrNotExist) && c.Tokens == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := keys.All()
	return access.Changes(all), err
}

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List the master keys of the pseudonyms, by their hashes."`
	Rotate keyRotateCmd `cmd:"" help:"Begin a new master key on a day to come."`
}

type keyListCmd struct{ server.Engine }

// Run lists the master keys, whether or not they are here.
func (c *keyListCmd) Run(ctx context.Context, s *streams) error {
	return keyless(ctx, &c.Engine, s, func(api *client) error {
		list, err := rows[rollcall.MasterState](ctx, api, "/v1/master-keys")
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "ID\tFROM\tUNTIL\tMADE\tSTATE")
		for _, m := range list {
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", m.ID, cmp.Or(m.From, "the first day"), cmp.Or(m.Until, "-"), m.Made.UTC().Format(time.RFC3339), m.State)
		}
		return out.Flush()
	})
}

type keyRotateCmd struct {
	From string `required:"" help:"The new master key's first day, YYYY-MM-DD: one to come, in every market." placeholder:"YYYY-MM-DD"`
	Lost bool   `help:"Master keys are lost, and can't be put back: say what can no longer be joined, and go on without."`
	server.Engine
}

// Run rotates, and says what is to be done now. Where keys are lost nothing else
// can run, so nothing else is started.
func (c *keyRotateCmd) Run(ctx context.Context, s *streams) error {
	_, err := rollcall.ParseDay(c.From)
	if why := new(rollcall.Invalid); errors.As(err, &why) {
		return server.UsageError{Err: fmt.Errorf("--from %q: %s", c.From, why.Reason)}
	}
	rotate := func(api *client) error {
		var done rollcall.Rotation
		if err := api.do(ctx, http.MethodPost, "/v1/master-keys/rotate", map[string]any{"from": c.From, "lost": c.Lost}, &done); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "rotated: the master key %s is for the days from %s on\n", done.ID, done.From)
		_, err := fmt.Fprintln(s.out, strings.Join(done.Notes, "\n"))
		return err
	}
	if c.Lost {
		return keyless(ctx, &c.Engine, s, rotate)
	}
	return within(ctx, &c.Engine, s, rotate)
}

// keyless is within for what needs no master key.
func keyless(ctx context.Context, e *server.Engine, s *streams, f func(*client) error) error {
	to, err := server.ConnectKeyless(ctx, e, s.commandOptions(e, slog.LevelWarn))
	return talk(to, err, f)
}
