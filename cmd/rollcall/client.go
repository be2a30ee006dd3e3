package main

import (
	"bytes"
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
// be asked is bad usage; input that can't be taken is a failure.
func readProblem(method string, answer *http.Response) error {
	var p problem.Details
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&p); err != nil {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	err := errors.New(p.Detail)
	switch {
	case answer.StatusCode == http.StatusUnprocessableEntity && method == http.MethodGet:
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
