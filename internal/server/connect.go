package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	return connect(ctx, e, o, errand{})
}

// errand says what a command is for.
type errand struct {
	existing bool // it reads: a cluster's store is not made
	keyless  bool // it needs no master key, or looks for a lost one: what would need one is not started
}

func connect(ctx context.Context, e *Engine, o Options, to errand) (*Connection, error) {
	if e.Clickhouse != "" {
		return connectSelf(ctx, e, o, to)
	}
	for {
		p := newProcess(e, o)
		p.command, p.errand = true, to
		p, err := startAll(ctx, p)
		if err == nil {
			return &Connection{HTTP: SocketClient(e.Data), Close: p.Close}, nil
		}
		var held *errHeld
		if !errors.As(err, &held) {
			return nil, err
		}
		c := &Connection{HTTP: SocketClient(e.Data), Close: func() error { return nil }}
		stays := func() bool { return readHolder(lockPath(e.Data)).stays() }
		if err = c.awake(ctx, stays); err == nil {
			return c, nil
		}
		if stays() {
			return nil, fmt.Errorf("%w, which does not answer on its socket: %w", held, err)
		} // else it has ended meanwhile
	}
}

// ConnectThere is Connect for what only makes sense where something is: it makes
// nothing, and says so where nothing is.
func ConnectThere(ctx context.Context, e *Engine, o Options) (*Connection, error) {
	return connectThere(ctx, e, o, errand{existing: true})
}

// ConnectKeyless is ConnectThere for what is done where the master key is lost.
func ConnectKeyless(ctx context.Context, e *Engine, o Options) (*Connection, error) {
	return connectThere(ctx, e, o, errand{existing: true, keyless: true})
}

func connectThere(ctx context.Context, e *Engine, o Options, to errand) (*Connection, error) {
	if e.Clickhouse != "" {
		return connectSelf(ctx, e, o, to)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if err := storeThere(e.Data); err != nil {
		return nil, err
	}
	return connect(ctx, e, o, to)
}

// storeThere is nil where a folder has a store.
func storeThere(dir string) error {
	if dir == "" {
		return UsageError{Err: errors.New("--data: is empty")}
	}
	_, err := os.Stat(storePath(dir))
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("data folder %s: permission denied", dir)
	}
	if err != nil {
		return fmt.Errorf("no data folder at %s: name the one that you mean with --data, or make one, as `rollcall demo` and `rollcall market add` do", dir)
	}
	return nil
}

// connectSelf runs a cluster's API for one command, in a private folder.
func connectSelf(ctx context.Context, e *Engine, o Options, to errand) (*Connection, error) {
	dir, err := os.MkdirTemp("", "rollcall-")
	if err != nil {
		return nil, err
	}
	p := newProcess(e, o)
	p.command, p.errand = true, to
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

// awake waits for a holder that is still starting, for wakeTime at most, while
// it stays.
func (c *Connection) awake(ctx context.Context, stays func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	for {
		err := c.live(ctx)
		if err == nil || !stays() {
			return err
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
