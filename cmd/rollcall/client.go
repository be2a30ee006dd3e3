package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"text/tabwriter"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/file"
	"rollcall/ingest/profile"
	"rollcall/internal/problem"
	"rollcall/internal/server"
)

// client is how every command speaks to the stages: REST over the folder's
// socket, whether another process holds the folder or this one does.
type client struct{ http *http.Client }

// with runs a command's own part against the stages.
func with(ctx context.Context, e *server.Engine, s *streams, f func(*client) error) error {
	to, err := server.Connect(ctx, e, s.commandOptions(e, slog.LevelInfo))
	return talk(to, err, f)
}

// within is with for what only makes sense where something is: it makes no
// folder, and logs nothing but what is wrong.
func within(ctx context.Context, e *server.Engine, s *streams, f func(*client) error) error {
	to, err := server.ConnectThere(ctx, e, s.commandOptions(e, slog.LevelWarn))
	return talk(to, err, f)
}

func (s *streams) commandOptions(e *server.Engine, least slog.Level) server.Options {
	if e.Debug {
		least = slog.LevelDebug
	}
	o := s.optionsAt(least)
	o.Log = o.Log.With("command", "rollcall")
	return o
}

// talk runs f, unless there was nobody to talk to.
func talk(to *server.Connection, err error, f func(*client) error) error {
	if err != nil {
		return err
	}
	return errors.Join(f(&client{http: to.HTTP}), to.Close())
}

// do sends in as JSON and reads the answer into out; nil is nothing.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	answer, err := c.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return readError(json.NewDecoder(answer.Body).Decode(out))
}

// set sends what is to be added or changed, reads what it is now, and says which of both
// was done.
func (c *client) set(ctx context.Context, path string, in, out any) (done string, err error) {
	text, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	answer, err := c.send(ctx, http.MethodPost, path, "application/json", bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	done = "set"
	if answer.StatusCode == http.StatusCreated {
		done = "added"
	}
	return done, readError(json.NewDecoder(answer.Body).Decode(out))
}

// readError says of an answer that was cut that the server has gone.
func readError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("%w (%w)", errLost, err)
	}
	return err
}

// get reads a path with parameters.
func (c *client) get(ctx context.Context, path string, parameters url.Values) (*http.Response, error) {
	return c.send(ctx, http.MethodGet, path+"?"+parameters.Encode(), "", nil)
}

// send gives the answer, or the problem as an error. The caller closes it.
func (c *client) send(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := c.ask(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, readProblem(method, answer)
	}
	return answer, nil
}

// errLost says that the server has gone while a command spoke to it.
var errLost = errors.New("the connection to the server was lost; whether it did what was under way is not known")

// ask sends one request. The address of the folder's socket is nobody's
// business, so the error does not have it.
func (c *client) ask(request *http.Request) (*http.Response, error) {
	answer, err := c.http.Do(request)
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil && request.Context().Err() == nil {
		err = fmt.Errorf("%w (%w)", errLost, err)
	}
	return answer, err
}

// readProblem makes the answer's problem a plain error. A question that can't
// be asked is bad usage; one that the facts don't answer, and input that can't be
// taken, are failures.
func readProblem(method string, answer *http.Response) error {
	var p problem.Details
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&p); err != nil {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	err := errors.New(p.Detail)
	switch {
	case answer.StatusCode == http.StatusUnprocessableEntity && method == http.MethodGet && p.Mistaken():
		return server.UsageError{Err: err}
	case answer.StatusCode == http.StatusUnprocessableEntity:
		return unusable{err}
	case answer.StatusCode == http.StatusNotFound:
		return notFound{err}
	case answer.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", err, rollcall.ErrFull)
	}
	return err
}

// unusable is what was sent, and can't be taken.
type unusable struct{ error }

// notFound is a rollcall.ErrNotFound that the server tells in its own words.
type notFound struct{ error }

// Is reports that it is one.
func (notFound) Is(target error) bool { return target == rollcall.ErrNotFound }

// rows reads a list of the API, all its parts.
func rows[T any](ctx context.Context, from *client, path string) (all []T, err error) {
	for path != "" {
		answer, err := from.send(ctx, http.MethodGet, path, "", nil)
		if err != nil {
			return nil, err
		}
		var list struct {
			Rows []T `json:"rows"`
		}
		err = errors.Join(readError(json.NewDecoder(answer.Body).Decode(&list)), answer.Body.Close())
		if err != nil {
			return nil, err
		}
		all, path = append(all, list.Rows...), nextOf(answer.Header.Get("Link"))
	}
	return all, nil
}

// nextOf gives the address of a list's next part; "": there is none.
func nextOf(link string) string {
	at, ok := strings.CutSuffix(link, `>; rel="next"`)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(at, "<")
}

// printRows prints a list of the API, a line of tabbed cells a row.
func printRows[T any](ctx context.Context, e *server.Engine, s *streams, path string, line func(T) string) error {
	return within(ctx, e, s, func(to *client) error {
		list, err := rows[T](ctx, to, path)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, row := range list {
			fmt.Fprintln(out, line(row))
		}
		return out.Flush()
	})
}

// rowSender posts the sightings of rows, those of each file for themselves: what
// the log refuses is told by the file and the line of the row.
type rowSender struct {
	ingest.Counts // of all, but for the refused lines, which are of their files
	api           *client
	name          string // of a file that the sightings don't name
	backfill      bool
	files         []*fileRows // in the order of their first sightings
	held          int         // bytes
}

// fileRows are sightings of one file's rows.
type fileRows struct {
	*sender
	body  []byte
	lines ingest.Numbering
}

func newRowSender(api *client, name string, backfill bool) *rowSender {
	return &rowSender{api: api, name: name, backfill: backfill}
}

// linesSize is how long the numbers of a body's lines may be: an address has no
// more than 64 KiB.
const linesSize = 32 << 10

// take takes the next sighting.
func (s *rowSender) take(ctx context.Context, seen profile.Seen) error {
	if seen.Account == "" {
		return nil // nobody to count: the reading counts it as unnamed
	}
	to := s.of(cmp.Or(seen.File, s.name))
	before := len(to.body)
	to.body = append(seen.AppendJSON(to.body), '\n')
	to.lines.Add(seen.Line)
	s.held += len(to.body) - before
	if s.held < postSize && to.lines.Len() < linesSize {
		return nil
	}
	return s.flush(ctx)
}

// of gives the file's.
func (s *rowSender) of(path string) *fileRows {
	for _, f := range s.files {
		if f.source == path {
			return f
		}
	}
	f := &fileRows{sender: newSender(s.api, path, s.backfill)}
	s.files = append(s.files, f)
	return f
}

// flush posts what was taken.
func (s *rowSender) flush(ctx context.Context) error {
	for _, f := range s.files {
		if len(f.body) == 0 {
			continue
		}
		counts, err := f.deliver(ctx, file.NDJSON, f.body, f.address(f.lines.Take()))
		if err != nil {
			return err
		}
		f.Add(counts, 0)
		counts.Errors = nil
		s.Add(counts, 0)
		f.body = f.body[:0]
	}
	s.held = 0
	return nil
}

// print is printCounts for all files, whose places are counted in units.
func (s *rowSender) print(out, err io.Writer, name, unit string) error {
	for _, f := range s.files {
		for _, e := range f.Errors {
			fmt.Fprintf(err, "%s: %s %d: %s\n", f.source, unit, e.Line, strings.TrimPrefix(e.Reason, "line: "))
		}
	}
	return printCounts(out, err, name, &s.Counts)
}

// refused counts rows that could not be read.
func (s *rowSender) refused(rows int) {
	if rows > 0 {
		s.Add(ingest.Counts{Read: rows, Rejected: map[string]int{"row": rows}}, 0)
	}
}
