package clickhouse

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
	"rollcall/internal/tlsfile"
)

const (
	secureUser     = "rollcall"
	securePassword = "s3cret-of-tests"
)

// TestSecureLogin reaches Debian's ClickHouse 18.16 by user, password and TLS,
// as the commands do, and uses the store's tables there.
func TestSecureLogin(t *testing.T) {
	server := engines.SecureClickHouse(t, secureUser, securePassword, false)
	asking := engines.SecureClickHouse(t, secureUser, securePassword, true)
	own, key := asking.Authority().Sign("a client")
	for name, c := range map[string]struct {
		addr, parameters string
		opt              Options
	}{
		"password in the address": {addr: secureUser + ":" + securePassword + "@" + server.Addr()},
		"password beside it":      {addr: secureUser + "@" + server.Addr(), opt: Options{Password: securePassword}},
		"user beside it": {
			addr: "somebody:else@" + server.Addr(), opt: Options{User: secureUser, Password: securePassword},
		},
		"TLS": {
			addr: secureUser + "@" + server.SecureAddr(), opt: Options{Password: securePassword, TLS: trusting(t, server, tlsfile.Client{})},
		},
		"TLS by the address, and the server's other name": {
			addr: secureUser + "@" + server.SecureAddr(), parameters: "?secure=true&tls_server_name=clickhouse",
			opt: Options{Password: securePassword, TLS: trusting(t, server, tlsfile.Client{})},
		},
		"a certificate of the client": {
			addr: secureUser + "@" + asking.SecureAddr(),
			opt:  Options{Password: securePassword, TLS: trusting(t, asking, tlsfile.Client{Own: own, Key: key, ServerName: "clickhouse"})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			useTables(t, oldStore(t, "clickhouse://"+c.addr+"/default"+c.parameters, c.opt))
		})
	}
}

// trusting reads the files, and the server's authority.
func trusting(t *testing.T, server *engines.SecureClickHouseServer, files tlsfile.Client) *tls.Config {
	t.Helper()
	files.Authorities = server.Authority().File()
	config, err := files.Config()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// oldStore is a store that has connected as Open does, but for the settings,
// and has run its migrations in the form of 18.16.
func oldStore(t *testing.T, dsn string, opt Options) *Store {
	t.Helper()
	o, err := options(dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	o.Settings = nil // of a ClickHouse that 18.16 never heard of
	s := newStore(&database{name: o.Addr[0], log: slog.New(slog.DiscardHandler), form: form{Database: o.Auth.Database, K: 14}})
	if err := s.connect(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	all, err := s.form.migrations()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		for _, statement := range m.statements {
			err := s.db.Exec(t.Context(), old(statement))
			if err != nil && strings.Contains(statement, "ADD COLUMN IF NOT EXISTS") && strings.Contains(err.Error(), "already exists") {
				continue // 18.16 can't say it
			}
			if err != nil {
				t.Fatalf("%s\n%v", statement, failure(t.Context(), err))
			}
		}
	}
	return s
}

// useTables pings, and writes to the tables by batches and reads them again.
func useTables(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	market := rollcall.Market{ID: "FR", Name: "L'\\île 🇫🇷", Zone: "Europe/Paris"}
	body := bytes.Repeat([]byte("of a roster \x00\xff"), 100_000)
	err := errors.Join(s.PutMarket(ctx, market), s.SaveTarget(ctx, "young", "age<25"))
	if err != nil {
		t.Fatal(err)
	}
	hash, err := s.PutObject(ctx, body)
	if err != nil {
		t.Fatal(err)
	}
	markets, err := s.Markets(ctx)
	if err != nil || len(markets) != 1 || markets[0] != market {
		t.Errorf("markets %v, %v", markets, err)
	}
	targets, err := s.Targets(ctx)
	if err != nil || len(targets) != 1 || targets["young"] != "age<25" {
		t.Errorf("targets %v, %v", targets, err)
	}
	if got, err := s.Object(ctx, hash); err != nil || !bytes.Equal(got, body) {
		t.Errorf("an object of %d bytes came back as %d, %v", len(body), len(got), err)
	}
	requireBatch(t, s)
}

// requireBatch writes many rows in one batch.
func requireBatch(t *testing.T, s *Store) {
	t.Helper()
	const many = 20_000
	if err := s.db.Exec(t.Context(), "TRUNCATE TABLE settings"); err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, many)
	for i := range rows {
		rows[i] = []any{fmt.Sprint("name", i), fmt.Sprint(i)}
	}
	if err := insert(t.Context(), s.db, `INSERT INTO settings (name, value)`, rows...); err != nil {
		t.Fatal(err)
	}
	has, err := s.settings(t.Context())
	if err != nil || len(has) != many || has["name19999"] != "19999" {
		t.Errorf("of a batch of %d rows %d came back, the last as %q, %v", many, len(has), has["name19999"], err)
	}
}

// TestSecureRefused: who is not let in, and whom TLS does not trust, is told so
// in a plain line by Open. It has no password in it, and is no trouble that may
// pass.
func TestSecureRefused(t *testing.T) {
	server := engines.SecureClickHouse(t, secureUser, securePassword, false)
	asking := engines.SecureClickHouse(t, secureUser, securePassword, true)
	system, err := tlsfile.Client{}.Config()
	if err != nil {
		t.Fatal(err)
	}
	user := secureUser + "@"
	for name, c := range map[string]struct {
		addr string
		opt  Options
		want string
	}{
		"a wrong password":        {user + server.Addr(), Options{Password: securePassword + "x"}, "ClickHouse refuses the login: code: 193"},
		"no password":             {user + server.Addr(), Options{}, "ClickHouse refuses the login: code: 194"},
		"nobody we know":          {"nobody@" + server.Addr(), Options{Password: securePassword}, "ClickHouse refuses the login: code: 192"},
		"default":                 {server.Addr(), Options{}, "ClickHouse refuses the login: code: 195"},
		"a wrong password in TLS": {user + server.SecureAddr(), Options{Password: securePassword + "x", TLS: trusting(t, server, tlsfile.Client{})}, "ClickHouse refuses the login: code: 193"},
		"the system's authorities": {
			user + server.SecureAddr(), Options{Password: securePassword, TLS: system}, "no TLS with ClickHouse: TLS with " + server.SecureAddr() + ": tls: failed to verify",
		},
		"another authority": {
			user + server.SecureAddr(), Options{Password: securePassword, TLS: trusting(t, asking, tlsfile.Client{})}, "no TLS with ClickHouse",
		},
		"another name": {
			user + server.SecureAddr(), Options{Password: securePassword, TLS: trusting(t, server, tlsfile.Client{ServerName: "other"})}, "not other",
		},
		"no certificate of the client": {
			user + asking.SecureAddr(), Options{Password: securePassword, TLS: trusting(t, asking, tlsfile.Client{})}, "no TLS with ClickHouse",
		},
		"TLS to the plain port": {
			user + server.Addr(), Options{Password: securePassword, TLS: trusting(t, server, tlsfile.Client{})}, "no TLS with ClickHouse",
		},
	} {
		t.Run(name, func(t *testing.T) {
			requireRefused(t, c.addr, c.opt, c.want)
		})
	}
	// A port that hangs up might be one of a server that starts.
	_, err = Open(t.Context(), "clickhouse://"+user+server.SecureAddr()+"/x", Options{Password: securePassword})
	if err == nil || !strings.Contains(err.Error(), "a port that wants TLS does so") || errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("no TLS to the port of TLS: %v", err)
	}
}

func requireRefused(t *testing.T, addr string, opt Options, want string) {
	t.Helper()
	s, err := Open(t.Context(), "clickhouse://"+addr+"/rollcall", opt)
	// A server that refuses the client's certificate says so and hangs up; its
	// reset may overtake what it said.
	for again := 0; again < 10 && err != nil && errors.Is(err, syscall.ECONNRESET); again++ {
		s, err = Open(t.Context(), "clickhouse://"+addr+"/rollcall", opt)
	}
	if err == nil {
		t.Fatalf("opened; %v", s.Close())
	}
	said := err.Error()
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(said, want) || strings.ContainsAny(said, "\n") || strings.Contains(said, securePassword) {
		t.Errorf("the error is %v; want a line with %q, an ErrInvalid", err, want)
	}
}

func TestSkipVerifyIsRefused(t *testing.T) {
	_, err := Open(t.Context(), "clickhouse://me:"+securePassword+"@127.0.0.1:1/x?secure=true&skip_verify=true", Options{})
	if !errors.Is(err, rollcall.ErrInvalid) || !strings.Contains(err.Error(), "skip_verify: ") || strings.Contains(err.Error(), securePassword) {
		t.Errorf("a store of any server at all: %v", err)
	}
}

// TestPortThatSpeaksTLS: servers that are politer than 18.16 send an alert.
func TestPortThatSpeaksTLS(t *testing.T) {
	port, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		conn, err := port.Accept()
		if err == nil {
			_, err = conn.Write([]byte{tlsAlert, 3, 1, 0, 2, 2, 70})
			err = errors.Join(err, conn.Close())
		}
		done <- err
	}()
	requireRefused(t, "me@"+port.Addr().String(), Options{Password: securePassword}, "the port speaks TLS")
	if err := errors.Join(<-done, port.Close()); err != nil {
		t.Error(err)
	}
}
