package main

import (
	"context"
	"io"
	"net"
	"time"
)

// The library listens on inner, and the program itself on outer, port by port,
// for the library can't bear a client that goes without a word: a connection
// that is reset, as a client's is that closes it with an answer unread, raises
// what a whole ClickHouse catches and the library ends its process with
// ("Terminate called for uncaught exception").
const (
	outer = "127.0.0.1"
	inner = "127.0.0.2"
)

const (
	askEvery = 10 * time.Millisecond // whether the library listens yet
	dialTime = 10 * time.Second
)

// front accepts on the outer side of each port once the library does on the inner,
// as a server that starts refuses until it serves, and then until it fails. The ports
// open in their order: what asks the last whether the server is there may go on to
// the others.
func front(ctx context.Context, ports ...string) error {
	failed := make(chan error, len(ports))
	for _, port := range ports {
		for !served(ctx, port) {
			time.Sleep(askEvery)
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(outer, port))
		if err != nil {
			return err
		}
		go func() { failed <- accept(ctx, listener, port) }()
	}
	return <-failed
}

// served reports whether the library listens on the port.
func served(ctx context.Context, port string) bool {
	conn, err := dialInner(ctx, port)
	return err == nil && conn.Close() == nil
}

func accept(ctx context.Context, listener net.Listener, port string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go relay(ctx, client.(*net.TCPConn), port)
	}
}

func dialInner(ctx context.Context, port string) (*net.TCPConn, error) {
	conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "tcp", net.JoinHostPort(inner, port))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// relay carries one client's bytes both ways. However the client went, the
// library reads an orderly end, and what it still says is read and let go.
func relay(ctx context.Context, client *net.TCPConn, port string) {
	defer client.Close()
	server, err := dialInner(ctx, port)
	if err != nil {
		return
	}
	defer server.Close()
	said := make(chan struct{})
	go func() {
		defer close(said)
		_, _ = io.Copy(server, client)
		_ = server.CloseWrite()
	}()
	if _, err := io.Copy(client, server); err != nil {
		_, _ = io.Copy(io.Discard, server)
	}
	_ = client.Close() // ends the copy above, if the server ended first
	<-said
}
