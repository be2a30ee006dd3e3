package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// dialer gives the driver's way to connect: with TLS if config isn't nil, and
// with an end that the server can read to. A pulse knows the connections and
// refuses new ones to a silent server; nil: nobody does.
func dialer(config *tls.Config, timeout time.Duration, watched *pulse) func(context.Context, string) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		if watched != nil {
			if err := watched.admits(addr); err != nil {
				return nil, err
			}
		}
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		parting := &partingConn{TCPConn: tcp, watched: watched}
		parting.by, _ = ctx.Deadline()
		if watched != nil {
			watched.add(addr, tcp)
		}
		if config == nil {
			return &plainConn{partingConn: parting}, nil
		}
		return handshake(ctx, parting, config, addr)
	}
}

func handshake(ctx context.Context, conn net.Conn, config *tls.Config, addr string) (net.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", addr, errors.Join(err, conn.Close()))
	}
	return secure, nil
}

// partingConn closes after what the server still says, for a second: a socket
// closed with bytes unread resets the connection, as the driver's way to cancel
// a query does. To a server in a library of its own a reset is the end.
//
// The driver closes a connection of which a goroutine of its own reads still. What
// that one reads from then on would lack what the closing has read, so it reads
// nothing more.
type partingConn struct {
	*net.TCPConn
	watched *pulse    // nil: nobody's
	by      time.Time // when who connects wants to have spoken with the server; zero: it has
	parting atomic.Bool
}

// Read is the connection's, until it is closed.
func (c *partingConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if c.parting.Load() { // and who closes it may have read what was before
		return 0, net.ErrClosed
	}
	return n, err
}

// SetDeadline is the connection's, and no later than who connects waits: the
// driver's own first words have a deadline of their own. It lifts that when
// they have been spoken.
func (c *partingConn) SetDeadline(t time.Time) error {
	switch {
	case t.IsZero():
		c.by = t
	case !c.by.IsZero() && c.by.Before(t):
		t = c.by
	}
	return c.TCPConn.SetDeadline(t)
}

// Close ends the writing, reads to the end, and closes.
func (c *partingConn) Close() error {
	const most = time.Second
	c.parting.Store(true)
	if c.watched != nil {
		c.watched.remove(c.TCPConn)
	}
	if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(most)) == nil {
		_, _ = io.Copy(io.Discard, c.TCPConn) // whatever it says, it was not waited for
	}
	return c.TCPConn.Close()
}

// plainConn knows a port that wants TLS, by the first word of its server: an
// alert, or none at all.
type plainConn struct {
	*partingConn
	heard bool // something was read
}

// tlsAlert begins what a server of TLS says of a stranger's first words. No
// answer of ClickHouse's to them begins with it.
const tlsAlert = 21

// Read is the connection's.
func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.partingConn.Read(b)
	switch {
	case c.heard:
	case n > 0 && b[0] == tlsAlert:
		return 0, fmt.Errorf("%w: the port speaks TLS, and it was not asked for", errTrust)
	case n == 0 && err != nil:
		return 0, fmt.Errorf("%w before the first word: a port that wants TLS does so", err)
	}
	c.heard = c.heard || n > 0
	return n, err
}
