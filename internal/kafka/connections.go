package kafka

import (
	"context"
	"net"
	"sync"
)

// connections are those that dial has made, to close them all at once: a
// reader waits for a connection that may never answer.
type connections struct {
	dial DialFunc

	mu    sync.Mutex // guards the rest
	open  []net.Conn
	ended bool
}

func (c *connections) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.open = append(c.open, conn)
	return conn, nil
}

// cut closes every connection and refuses further ones.
func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, conn := range c.open {
		conn.Close()
	}
}
