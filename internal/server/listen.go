package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rollcall"
	"rollcall/api"
	"rollcall/api/access"
	"rollcall/api/observe"
	"rollcall/dashboards"
)

// Listening says where a process listens, and who may ask it.
type Listening struct {
	Listen        string `help:"Address to listen on. Any but a loopback address needs API keys (see rollcall token)." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Tokens        string `help:"File of the API keys. Where absent, DIR/tokens of the data folder; but on a loopback address no key is looked at without this flag, and all of this machine may do everything." type:"path" placeholder:"FILE"`
	TLSCert       string `help:"PEM file of the server's certificate: speak HTTPS." type:"path" placeholder:"FILE" name:"tls-cert"`
	TLSKey        string `help:"PEM file of its key." type:"path" placeholder:"FILE" name:"tls-key"`
	Clear         bool   `help:"Let API keys and figures go over the network in clear: where a proxy before it speaks HTTPS, or nobody else is on the network." name:"insecure-http"`
	Public        string `help:"The address under which browsers know the server, where it is not the one that it listens on." name:"public-url" placeholder:"https://HOST"`
	SessionSecret string `help:"File of 32 random bytes or more, the same for servers side by side, that browsers' sessions are sealed with; without it they end with the process." type:"path" placeholder:"FILE" name:"session-secret-file"`
	OIDC          openID `embed:"" prefix:"oidc-"`
	Embedding
}

// openID says whose accounts may sign in to the page besides keys.
type openID struct {
	Issuer           string   `help:"OpenID Connect's issuer whose accounts may sign in to the page; needs --tokens and --public-url." placeholder:"URL"`
	ClientID         string   `help:"This server's name at the issuer." placeholder:"ID"`
	ClientSecretFile string   `help:"File of its secret there; without it, PKCE alone." type:"path" placeholder:"FILE"`
	Claim            string   `help:"Claim of the ID token that says what a person may do." default:"groups"`
	Grants           []string `help:"What its values let people do." placeholder:"VALUE=read:MARKET+MARKET,VALUE=publish,..."`
}

// client reads what the flags name; nil: there is no issuer.
func (o openID) client(public string) (*access.OIDC, error) {
	if o.Issuer == "" {
		return nil, nil
	}
	if o.ClientID == "" || len(o.Grants) == 0 || public == "" {
		return nil, UsageError{Err: errors.New("--oidc-issuer needs --oidc-client-id, --oidc-grants and --public-url")}
	}
	grants, err := access.ParseGrants(o.Grants)
	if err != nil {
		return nil, UsageError{Err: fmt.Errorf("--oidc-grants %w", err)}
	}
	secret, err := readPassword(o.ClientSecretFile, "")
	if err != nil {
		return nil, fmt.Errorf("--oidc-client-secret-file: %w", err)
	}
	return &access.OIDC{Issuer: o.Issuer, ClientID: o.ClientID, Secret: secret, Claim: o.Claim, Grants: grants}, nil
}

// Embedding says what pages of other sites may show of this server in a frame.
type Embedding struct {
	EmbedSites   []string            `help:"Sites whose pages may show charts at /embed/ in a frame, to anybody without a key." placeholder:"https://SITE,..."`
	EmbedMarkets []rollcall.MarketID `help:"Markets whose published figures those charts may show." placeholder:"MARKET,..."`
}

// handler serves the charts from open, all else from next.
func (e Embedding) handler(open, next http.Handler) (http.Handler, error) {
	if len(e.EmbedSites) == 0 && len(e.EmbedMarkets) == 0 {
		return next, nil
	}
	if len(e.EmbedSites) == 0 || len(e.EmbedMarkets) == 0 {
		return nil, UsageError{Err: errors.New("--embed-sites and --embed-markets go together: who may show charts, and of which markets")}
	}
	for _, site := range e.EmbedSites {
		if err := api.CheckSite(site); err != nil {
			return nil, UsageError{Err: fmt.Errorf("--embed-sites %w", err)}
		}
	}
	return api.Embed{Page: dashboards.NewPage(e.EmbedSites...), Markets: e.EmbedMarkets}.Handler(open, next), nil
}

func (l *Listening) scheme() string {
	if l.TLSCert != "" {
		return "https"
	}
	return "http"
}

// listen serves until Close; requests under way are let finish.
func (p *Process) listen(name string, l net.Listener, h http.Handler) {
	server := api.Listener(p.requests.Handler(p.traces.Handler(h, observe.Route)))
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	p.onClose(name, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err := server.Shutdown(ctx)
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
}

// stopTime is how long requests under way may take at a stop.
const stopTime = 10 * time.Second

// Open serves the API on a loopback address, without keys.
func (p *Process) Open(address string) (net.Addr, error) {
	return p.openTo(Listening{Listen: address}, p.handler)
}

// openTo listens as l says. Without keys only a loopback address is open, and
// only to programs and pages of its own.
func (p *Process) openTo(l Listening, h http.Handler) (net.Addr, error) {
	control := p.Access
	if control == nil {
		var err error
		if control, err = l.control(p.engine, p.Log); err != nil {
			return nil, err
		}
	}
	p.onClose("use of API keys", control.Close)
	open := h
	if control.Keys == nil {
		open = api.Admit(control, h)
	}
	h, err := l.handler(open, api.Admit(control, h))
	if err != nil {
		return nil, err
	}
	listener, err := l.socket()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--listen %q: another process listens there", l.Listen)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("--listen %q: is no address of this machine", l.Listen)
	case err != nil:
		return nil, fmt.Errorf("--listen %q: %w", l.Listen, err)
	}
	p.listen("listener", listener, h)
	return listener.Addr(), nil
}

// control says who may ask. Whatever others than this machine can reach needs
// keys, and keys need TLS.
func (l Listening) control(e *Engine, log *slog.Logger) (*access.Control, error) {
	keys, err := l.keyring(e, log)
	if err != nil {
		return nil, err
	}
	local, err := loopback(l.Listen)
	if err != nil {
		return nil, err
	}
	if err := l.guarded(local, keys != nil); err != nil {
		return nil, err
	}
	c := &access.Control{Keys: keys, Local: local, Log: log}
	if l.Public != "" {
		if err := api.CheckSite(l.Public); err != nil {
			return nil, UsageError{Err: fmt.Errorf("--public-url %w", err)}
		}
		c.Public = l.Public
	}
	if c.OIDC, err = l.OIDC.client(l.Public); err != nil {
		return nil, err
	}
	if c.OIDC != nil && keys == nil {
		return nil, UsageError{Err: errors.New("--oidc-issuer needs --tokens: keys for what is no browser")}
	}
	if l.SessionSecret != "" {
		if c.Secret, err = os.ReadFile(l.SessionSecret); err != nil {
			return nil, fmt.Errorf("--session-secret-file: %w", err)
		}
		c.Secret = bytes.TrimSpace(c.Secret)
	}
	if c, err = c.Start(); err != nil {
		return nil, fmt.Errorf("--session-secret-file: %w", err)
	}
	return c, nil
}

// guarded refuses an address that others than this machine can reach without
// keys, or with keys in clear.
func (l Listening) guarded(local, keys bool) error {
	switch {
	case local:
		return nil
	case !keys:
		return UsageError{Err: fmt.Errorf("--listen %q: is not a loopback address; anything else needs API keys: make one with `rollcall token new` and name their file with --tokens", l.Listen)}
	case l.TLSCert == "" && !l.Clear:
		return UsageError{Err: fmt.Errorf("--listen %q: API keys would go over the network in clear: give --tls-cert and --tls-key, or, where a proxy before it speaks HTTPS, --insecure-http", l.Listen)}
	}
	return nil
}

// keyring opens the file of API keys, nil where there is none. The data folder's
// keys are for others than this machine: on a loopback address that they are not
// looked at is said, for who made one expects it to limit somebody.
func (l Listening) keyring(e *Engine, log *slog.Logger) (*access.Keyring, error) {
	if l.Tokens != "" {
		return access.OpenKeyring(l.Tokens)
	}
	local, err := loopback(l.Listen)
	if err != nil {
		return nil, err
	}
	path := TokensPath(e.Data)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return nil, nil //nolint:nilerr // no file, no keys
	}
	if local {
		log.Warn("API keys are not looked at on a loopback address: name their file with --tokens to ask for them", "listen", l.Listen, "file", path)
		return nil, nil
	}
	return access.OpenKeyring(path)
}

// TokensPath is where a data folder has the file of its API keys.
func TokensPath(dir string) string { return filepath.Join(dir, "tokens") }

// CheckLocal refuses an address that is not one of this machine's own.
func CheckLocal(address string) error {
	local, err := loopback(address)
	if err == nil && !local {
		err = UsageError{Err: fmt.Errorf("--listen %q: is not a loopback address, such as 127.0.0.1:8080", address)}
	}
	return err
}

func loopback(address string) (bool, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false, UsageError{Err: fmt.Errorf("--listen %q: is not HOST:PORT", address)}
	}
	if _, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", port); err != nil {
		return false, UsageError{Err: fmt.Errorf("--listen %q: its port is none of 0 to 65535", address)}
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

func (l Listening) socket() (net.Listener, error) {
	plain, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.Listen)
	if err != nil || l.TLSCert == "" {
		return plain, err
	}
	own, err := tls.LoadX509KeyPair(l.TLSCert, l.TLSKey)
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}
