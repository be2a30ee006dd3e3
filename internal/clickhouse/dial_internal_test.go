package clickhouse

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestPartingReadsAlone closes a connection while somebody reads of it, as the driver
// does that gives a query up in the middle of its answer. Whatever the server says
// from then on is read by the closing alone: had the other one some of it and not
// what was before, it would take any bytes for the length of a text, and as much
// memory.
func TestPartingReadsAlone(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialer(nil, time.Second, nil)(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := io.ReadFull(conn, b[:5]); err != nil || string(b[:n]) != "first" {
		t.Fatalf("%q: %v", b[:n], err)
	}

	type outcome struct {
		n   int
		err error
	}
	reads, read, closed := make(chan struct{}), make(chan outcome, 1), make(chan error, 1)
	go func() {
		close(reads)
		n, err := conn.Read(b)
		read <- outcome{n, err}
	}()
	<-reads
	go func() { closed <- conn.Close() }()
	if _, err := io.ReadAll(server); err != nil { // to the other end's
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("second")); err != nil {
		t.Fatal(err)
	}
	if r := <-read; r.n != 0 || !errors.Is(r.err, net.ErrClosed) {
		t.Errorf("while the connection is closed somebody reads %q: %v", b[:r.n], r.err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
