package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Connection is a command's way to the stages: REST over a folder's socket.
type Connection struct {
	HTTP  *http.Client
	Close func() error // stops what this process runs, if anything
}

// Connect reaches the folder's holder, or becomes it until the connection is
// closed. On a cluster it runs the stages but the aggregator, behind a socket of
// its own.
func Connect(ctx context.Context, e *Engine, o Options) (*Connection, error) {
	if e.Clickhouse != "" {
		return connectSelf(ctx, e, o)
	}
	p, err := Start(ctx, e, o)
	var held *errHeld
	if errors.As(err, &held) {
		c := &Connection{HTTP: SocketClient(e.Data), Close: func() error { return nil }}
		if err := c.awake(ctx); err != nil {
			return nil, fmt.Errorf("%w, which does not answer on its socket: %w", held, err)
		}
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return &Connection{HTTP: SocketClient(e.Data), Close: p.Close}, nil
}

// connectSelf runs a cluster's API for one command, in a private folder.
func connectSelf(ctx context.Context, e *Engine, o Options) (*Connection, error) {
	dir, err := os.MkdirTemp("", "rollcall-")
	if err != nil {
		return nil, err
	}
	p := newProcess(e, o)
	p.onClose("folder", func() error { return os.RemoveAll(dir) })
	err = p.start(ctx, parts{answers: true})
	if err == nil {
		err = p.openSocket(dir)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &Connection{HTTP: SocketClient(dir), Close: p.Close}, nil
}

// awake waits for a holder that is still starting, for wakeTime at most.
func (c *Connection) awake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	for {
		err := c.live(ctx)
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

func (c *Connection) live(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode == http.StatusOK {
		return err
	}
	return fmt.Errorf("/healthz answered %s", answer.Status)
}

const (
	wakeTime = 15 * time.Second
	wakePoll = 50 * time.Millisecond
)
