package embedded

import (
	"context"
	"net"
	"sync"
)

// memoryListener is where the embedded broker listens: its connections are
// pipes in this process, so that no port is open.
type memoryListener struct {
	conns chan net.Conn // owned by dial
	done  chan struct{} // closed by Close
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for the next dial.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close refuses all further dials.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is what the broker tells its clients to dial.
func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

// dial connects to the listener, whatever the address.
func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memoryAddr is the address of a broker that has no port.
type memoryAddr struct{}

// Network names no network.
func (memoryAddr) Network() string { return "memory" }

// String has the form that Kafka's metadata needs.
func (memoryAddr) String() string { return "embedded:9092" }
