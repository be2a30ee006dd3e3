package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// hello is the first that a client says to ClickHouse, and how.
type hello struct {
	user, password string
	name           string // of the server, as asked for in TLS
	client         string // of the client's certificate
}

// readHello reads a client's first packet: a zero, the client's name, three
// numbers, the database, the user and the password.
func readHello(conn net.Conn) (h hello, err error) {
	if secure, ok := conn.(*tls.Conn); ok {
		if err := secure.Handshake(); err != nil {
			return h, err
		}
		state := secure.ConnectionState()
		h.name = state.ServerName
		if len(state.PeerCertificates) > 0 {
			h.client = state.PeerCertificates[0].Subject.CommonName
		}
	}
	r := bufio.NewReader(conn)
	number := func() uint64 {
		n, failed := binary.ReadUvarint(r)
		err = errors.Join(err, failed)
		return n
	}
	text := func() string {
		b := make([]byte, min(number(), 1000))
		_, failed := io.ReadFull(r, b)
		err = errors.Join(err, failed)
		return string(b)
	}
	number()
	text()
	number()
	number()
	number()
	text()
	h.user, h.password = text(), text()
	return h, err
}

// refusal is ClickHouse's answer to a login: an exception of code 516.
var refusal = []byte("\x02\x04\x02\x00\x00\x0dDB::Exception\x15Authentication failed\x00\x00")

// hear takes one connection, refuses its login, and gives what it said.
func hear(t *testing.T, config *tls.Config) (addr string, said func() hello) {
	t.Helper()
	port, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = port.Addr().String()
	if config != nil {
		port = tls.NewListener(port, config)
	}
	type greeting struct {
		hello
		err error
	}
	heard := make(chan greeting, 1)
	go func() {
		conn, err := port.Accept()
		if err != nil {
			heard <- greeting{err: err}
			return
		}
		h, err := readHello(conn)
		if err == nil {
			_, err = conn.Write(refusal)
		}
		heard <- greeting{h, errors.Join(err, conn.Close())}
	}()
	t.Cleanup(func() { _ = port.Close() }) // again, if heard was called
	return addr, func() hello {
		t.Helper()
		_ = port.Close() // whoever never came is not waited for
		g := <-heard
		if g.err != nil {
			t.Error(g.err)
		}
		return g.hello
	}
}

const hunter = "hunter2-of-tests"

// TestClickhouseLogin: user, password and TLS reach ClickHouse from the address,
// from flags, from the environment and from files, the nearer before the
// farther; no word of the password is printed.
func TestClickhouseLogin(t *testing.T) {
	authority := engines.NewAuthority(t)
	server := serverSide(t, authority)
	certificate, key := authority.Sign("a reader")
	passwords := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passwords, []byte(hunter+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	me := hello{user: "me", password: hunter}
	for name, c := range map[string]login{
		"the address":          {address: "me:" + hunter + "@HERE/x", want: me},
		"nobody named":         {address: "HERE/x", want: hello{user: "default"}},
		"flags":                {address: "HERE/x", flags: []string{"--clickhouse-user", "me", "--clickhouse-password", hunter}, want: me},
		"a file":               {address: "me@HERE/x", flags: []string{"--clickhouse-password-file", passwords}, want: me},
		"the environment":      {env: map[string]string{"": "clickhouse://HERE/x", "_USER": "me", "_PASSWORD": hunter}, want: me},
		"a file, environment":  {env: map[string]string{"": "clickhouse://me@HERE/x", "_PASSWORD_FILE": passwords}, want: me},
		"the configuration":    {file: `{"clickhouse": "clickhouse://HERE/x", "clickhouse_user": "me", "clickhouse_password": "` + hunter + `"}`, want: me},
		"beside it, not in it": {address: "you:yours@HERE/x", env: map[string]string{"_USER": "me", "_PASSWORD": hunter}, want: me},
		"the file first":       {address: "me@HERE/x", flags: []string{"--clickhouse-password-file", passwords}, env: map[string]string{"_PASSWORD": "another"}, want: me},
		"TLS by flags": {
			config: server, address: "me@HERE/x", flags: []string{"--clickhouse-tls", "--clickhouse-ca", authority.File()},
			env: map[string]string{"_PASSWORD": hunter}, want: me,
		},
		"TLS by the address": {
			config: server, address: "me:" + hunter + "@HERE/x?secure=true", env: map[string]string{"_CA": authority.File()}, want: me,
		},
		"TLS by the environment": {
			config: server, address: "me:" + hunter + "@HERE/x",
			env:  map[string]string{"_TLS": "true", "_CA": authority.File(), "_CERT": certificate, "_KEY": key, "_SERVER_NAME": "clickhouse"},
			want: hello{"me", hunter, "clickhouse", "a reader"},
		},
		"TLS by files": {
			config: server, address: "me:" + hunter + "@HERE/x",
			flags: []string{"--clickhouse-ca", authority.File(), "--clickhouse-cert", certificate, "--clickhouse-key", key},
			want:  hello{"me", hunter, "", "a reader"},
		},
	} {
		t.Run(name, c.try)
	}
}

// login is a way to say who logs in.
type login struct {
	config  *tls.Config       // nil: the server speaks no TLS
	address string            // in the flag; HERE is where the server listens
	flags   []string          // more
	env     map[string]string // without ROLLCALL_CLICKHOUSE
	file    string            // rollcall.json
	want    hello
}

func (l login) try(t *testing.T) {
	addr, said := hear(t, l.config)
	here := func(text string) string { return strings.ReplaceAll(text, "HERE", addr) }
	t.Chdir(t.TempDir())
	if l.file != "" {
		write(t, ".", "rollcall.json", []string{here(l.file)})
	}
	for variable, value := range l.env {
		t.Setenv("ROLLCALL_CLICKHOUSE"+variable, here(value))
	}
	args := append([]string{"market", "list", "--debug"}, l.flags...)
	if l.address != "" {
		args = append(args, "--clickhouse", "clickhouse://"+here(l.address))
	}
	requireRefusedLogin(t, args)
	if got := said(); got != l.want {
		t.Errorf("ClickHouse heard %+v, want %+v", got, l.want)
	}
}

// serverSide is of a server named clickhouse, which asks for a certificate.
func serverSide(t *testing.T, authority *engines.Authority) *tls.Config {
	t.Helper()
	own, err := tls.LoadX509KeyPair(authority.Sign("clickhouse"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(authority.File())
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	return &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: trusted, MinVersion: tls.VersionTLS12}
}

// requireRefusedLogin runs a command that ClickHouse refuses, and looks at all
// that it prints.
func requireRefusedLogin(t *testing.T, args []string) {
	t.Helper()
	var out, logs bytes.Buffer
	err := run(t.Context(), args, nil, &out, &logs)
	if err == nil || !strings.Contains(err.Error(), "ClickHouse refuses the login") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is %v; want one line of a refused login", err)
	}
	if printed := fmt.Sprint(err) + out.String() + logs.String(); strings.Contains(printed, hunter) {
		t.Errorf("the password is printed: %s", printed)
	}
}

// TestClickhouseBehindTLS uses a whole store through TLS with certificates of
// both sides: a relay ends it, since the tests' ClickHouse of today has none.
func TestClickhouseBehindTLS(t *testing.T) {
	store := engines.ClickHouse(t)
	authority := engines.NewAuthority(t)
	certificate, key := authority.Sign("a reader")
	config := serverSide(t, authority)
	config.ClientAuth = tls.RequireAndVerifyClientCert
	dsn := "clickhouse://" + relay(t, config, store.Addr()) + "/behind"
	flags := []string{"--clickhouse", dsn, "--clickhouse-ca", authority.File(), "--clickhouse-cert", certificate, "--clickhouse-key", key}
	rollcallRun(t, append([]string{"market", "add", "FR", "--zone", "Europe/Paris"}, flags...)...)
	if got := store.Query("SELECT market, zone FROM behind.markets"); got != "FR\tEurope/Paris" {
		t.Errorf("the store has %q", got)
	}
}

// relay ends TLS before a server, until the test's end.
func relay(t *testing.T, config *tls.Config, to string) (addr string) {
	t.Helper()
	port, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.NewListener(port, config)
	go func() {
		for {
			conn, err := secure.Accept()
			if err != nil {
				return // closed below
			}
			go pass(t, conn, to)
		}
	}()
	t.Cleanup(func() { _ = secure.Close() }) // nothing is left on it
	return port.Addr().String()
}

// pass copies both ways until either side ends.
func pass(t *testing.T, conn net.Conn, to string) {
	defer conn.Close()
	server, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
	if err != nil {
		return // the client hears of it
	}
	defer server.Close()
	go func() { _, _ = io.Copy(server, conn); _ = server.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(conn, server)
}
