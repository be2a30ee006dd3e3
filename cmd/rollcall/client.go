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
	"os"
	"time"

	"rollcall"
)

// client is how every command speaks to the stages: REST over the folder's
// socket, whether another process holds the folder or this one does.
type client struct {
	http  *http.Client
	close func() error
}

// dial reaches the folder's holder, or becomes it for the length of a command.
// On a cluster it runs the stages but the aggregator, behind a socket of its own.
func (e *engine) dial(ctx context.Context, s *streams) (*client, error) {
	log := newLogger(s.err, e.Debug).With("command", "rollcall")
	if e.Clickhouse != "" {
		return e.dialSelf(ctx, log)
	}
	d, err := start(ctx, e, log)
	var held *errHeld
	if errors.As(err, &held) {
		c := &client{http: socketClient(e.Data), close: func() error { return nil }}
		if err := c.awake(ctx); err != nil {
			return nil, fmt.Errorf("%w, which does not answer on its socket: %w", held, err)
		}
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return &client{http: socketClient(e.Data), close: d.Close}, nil
}

// dialSelf runs a cluster's API for one command, in a private folder.
func (e *engine) dialSelf(ctx context.Context, log *slog.Logger) (*client, error) {
	dir, err := os.MkdirTemp("", "rollcall-")
	if err != nil {
		return nil, err
	}
	d := newDeployment(e, log)
	d.onClose("folder", func() error { return os.RemoveAll(dir) })
	err = d.start(ctx, parts{answers: true})
	if err == nil {
		err = d.openSocket(dir)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &client{http: socketClient(dir), close: d.Close}, nil
}

// awake waits for a holder that is still starting, for wakeTime at most.
func (c *client) awake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	for {
		err := c.do(ctx, http.MethodGet, "/healthz", nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wakePoll):
		}
	}
}

const (
	wakeTime = 15 * time.Second
	wakePoll = 50 * time.Millisecond
)

// with runs a command's own part against the stages.
func (e *engine) with(ctx context.Context, s *streams, f func(*client) error) error {
	c, err := e.dial(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.close())
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
	return json.NewDecoder(answer.Body).Decode(out)
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
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, readProblem(method, answer)
	}
	return answer, nil
}

// problem is what the API said was wrong.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

// readProblem makes the answer's problem a plain error. A question that can't
// be asked is bad usage; input that can't be taken is a failure.
func readProblem(method string, answer *http.Response) error {
	var p problem
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&p); err != nil {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	text := p.Detail
	for _, e := range p.Errors {
		text += "; " + e.Location + ": " + e.Message
	}
	err := errors.New(text)
	switch {
	case answer.StatusCode == http.StatusUnprocessableEntity && method == http.MethodGet:
		return usageError{err}
	case answer.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", err, rollcall.ErrFull)
	}
	return err
}
