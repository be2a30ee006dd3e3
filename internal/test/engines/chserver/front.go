package main

import (
	"fmt"
	"io"
	"net"
	"os"
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

// front accepts on the outer side of a port once the library does on the inner,
// as a server that starts refuses until it serves, and then for ever.
func front(port string) {
	for {
		conn, err := dialInner(port)
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(askEvery)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(outer, port))
	for err == nil {
		var client net.Conn
		if client, err = listener.Accept(); err == nil {
			go relay(client.(*net.TCPConn), port)
		}
	}
	fmt.Fprintln(os.Stderr, "chserver:", err)
	os.Exit(1)
}

func dialInner(port string) (*net.TCPConn, error) {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(inner, port), dialTime)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// relay carries one client's bytes both ways. However the client went, the
// library reads an orderly end, and what it still says is read and let go.
func relay(client *net.TCPConn, port string) {
	defer client.Close()
	server, err := dialInner(port)
	if err != nil {
		return
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		_, _ = io.Copy(server, client)
		_ = server.CloseWrite()
	}()
	if _, err := io.Copy(client, server); err != nil {
		_, _ = io.Copy(io.Discard, server)
	}
	client.Close() // ends the copy above, if the server ended first
	<-said
	server.Close()
}
