package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"rollcall"
	"rollcall/internal/problem"
)

// Where a browser is sent to the organisation's issuer, and comes back from it.
const (
	OIDCLoginPath    = "/v1/oidc/login"
	OIDCCallbackPath = "/v1/oidc/callback"
)

// OIDC says whose accounts may sign in besides keys, and as what: OpenID Connect's
// authorization code with PKCE. Its issuer is asked for what it says of itself when
// somebody first signs in.
type OIDC struct {
	Issuer, ClientID, Secret string
	Claim                    string           // of the ID token, that says what a person may do: a text or a list of texts
	Grants                   map[string]Grant // by the claim's values

	mu       sync.Mutex // guards provider
	provider *oidc.Provider
}

// Grant is what a value of the claim lets its bearers do.
type Grant struct {
	Role    Role
	Markets []rollcall.MarketID
}

// ParseGrants reads VALUE=ROLE and VALUE=read:MARKET+MARKET.
func ParseGrants(texts []string) (map[string]Grant, error) {
	grants := map[string]Grant{}
	for _, text := range texts {
		value, what, ok := strings.Cut(text, "=")
		role, markets, limited := strings.Cut(what, ":")
		g := Grant{Role: Role(role)}
		for m := range strings.SplitSeq(markets, "+") {
			if limited {
				g.Markets = append(g.Markets, rollcall.MarketID(m))
			}
		}
		slices.Sort(g.Markets)
		if !ok || value == "" || g.Role == RoleIngest {
			return nil, fmt.Errorf("%q: want VALUE=read, VALUE=read:MARKET+MARKET, VALUE=publish or VALUE=admin", text)
		}
		if err := (Token{Name: "x", Role: g.Role, Markets: g.Markets}).Validate(); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		grants[value] = g
	}
	return grants, nil
}

// grant gives the most that a person's values let them do; of two readers of some
// markets, one of both.
func (o *OIDC) grant(values []string) (best Grant, ok bool) {
	rank := []Role{RoleRead, RolePublish, RoleAdmin}
	for _, v := range values {
		g, known := o.Grants[v]
		switch {
		case !known:
		case !ok || slices.Index(rank, g.Role) > slices.Index(rank, best.Role):
			best, ok = g, true
		case g.Role == RoleRead && best.Role == RoleRead && (len(g.Markets) == 0 || len(best.Markets) == 0):
			best.Markets = nil
		case g.Role == RoleRead && best.Role == RoleRead:
			all := slices.Concat(best.Markets, g.Markets)
			slices.Sort(all)
			best.Markets = slices.Compact(all)
		}
	}
	return best, ok
}

// signIn is what a browser carries to the issuer and back, sealed.
type signIn struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // PKCE's
	To       string    `json:"to"`
	Ends     time.Time `json:"ends"`
}

const (
	signInTime   = 10 * time.Minute
	signInCookie = "rollcall-oidc"
)

// askIssuer finds out what the issuer says of itself.
func (o *OIDC) askIssuer(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	p, err := oidc.NewProvider(ctx, o.Issuer)
	if err == nil {
		o.provider = p
	}
	return p, err
}

func (c *Control) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.OIDC.ClientID, ClientSecret: c.OIDC.Secret, Endpoint: p.Endpoint(), RedirectURL: c.Public + OIDCCallbackPath,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "groups"},
	}
}

// LoginOIDC sends the browser to the issuer.
func (c *Control) LoginOIDC(w http.ResponseWriter, r *http.Request) {
	p, ok := c.issuer(w, r)
	if !ok {
		return
	}
	e := signIn{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: ownPath(r.URL.Query().Get("to")), Ends: c.sessions.now().Add(signInTime)}
	sealed, err := c.sessions.seal.close("oidc", e)
	if err != nil {
		c.failed(w, err)
		return
	}
	http.SetCookie(w, c.signInCookie(r, sealed, int(signInTime.Seconds())))
	http.Redirect(w, r, c.oauth(p).AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier)), http.StatusSeeOther) //nolint:gosec // the address is the issuer's own
}

// signInCookie comes back with the issuer's answer, which is another site's.
func (c *Control) signInCookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{Name: signInCookie, Value: value, Path: OIDCCallbackPath, MaxAge: age, HttpOnly: true, Secure: c.secure(r), SameSite: http.SameSiteLaxMode} //nolint:gosec // Secure wherever the browser speaks HTTPS
}

func (c *Control) issuer(w http.ResponseWriter, r *http.Request) (*oidc.Provider, bool) {
	if c.OIDC == nil {
		problem.Write(w, http.StatusNotFound, "accounts of no issuer are taken here; sign in with a key")
		return nil, false
	}
	p, err := c.OIDC.askIssuer(r.Context())
	if err != nil {
		c.Log.Error("the issuer can't be asked", "error", err)
		problem.Write(w, http.StatusServiceUnavailable, "the issuer of the accounts does not answer; sign in with a key, or try again later")
		return nil, false
	}
	return p, true
}

// ownPath gives a path of this server, whatever it was given.
func ownPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}

// CallbackOIDC begins a session with what the issuer answers.
func (c *Control) CallbackOIDC(w http.ResponseWriter, r *http.Request) {
	p, ok := c.issuer(w, r)
	if !ok {
		return
	}
	http.SetCookie(w, c.signInCookie(r, "", -1))
	e, err := c.returned(r)
	if err != nil {
		problem.Write(w, http.StatusBadRequest, err.Error()+"; sign in again")
		return
	}
	token, err := c.redeem(r, p, e)
	if err != nil {
		c.Log.Warn("somebody's sign-in was refused", "error", err)
		problem.Write(w, http.StatusUnauthorized, "the issuer's answer is refused; the server's log says why")
		return
	}
	s, err := c.sessionOf(token)
	if err != nil {
		problem.Write(w, http.StatusForbidden, err.Error())
		return
	}
	if err := c.begin(w, r, s); err != nil {
		c.failed(w, err)
		return
	}
	http.Redirect(w, r, e.To, http.StatusSeeOther)
}

// returned gives the sign-in that the browser comes back from, once.
func (c *Control) returned(r *http.Request) (e signIn, err error) {
	cookie, err := r.Cookie(signInCookie)
	if err != nil || c.sessions.seal.open("oidc", cookie.Value, &e) != nil || !c.sessions.now().Before(e.Ends) {
		return e, errors.New("this browser has not begun to sign in here, or too long ago")
	}
	state := r.URL.Query().Get("state")
	if subtle.ConstantTimeCompare([]byte(state), []byte(e.State)) != 1 || !c.sessions.end(e.State, e.Ends) {
		return e, errors.New("the answer is not to what this browser has begun")
	}
	return e, nil
}

// redeem takes the code to the issuer, for an ID token that it vouches for: signed
// by it, for this client, in time, and for this very sign-in.
func (c *Control) redeem(r *http.Request, p *oidc.Provider, e signIn) (*oidc.IDToken, error) {
	if refused := r.URL.Query().Get("error"); refused != "" {
		return nil, fmt.Errorf("the issuer refuses: %.100q", refused)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	given, err := c.oauth(p).Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(e.Verifier))
	if err != nil {
		return nil, fmt.Errorf("redeem the code: %w", err)
	}
	raw, _ := given.Extra("id_token").(string)
	token, err := p.Verifier(&oidc.Config{ClientID: c.OIDC.ClientID, Now: c.sessions.now}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(e.Nonce)) != 1 {
		return nil, errors.New("the nonce of the ID token is another")
	}
	return token, nil
}

// sessionOf says as what a person signs in.
func (c *Control) sessionOf(token *oidc.IDToken) (s session, err error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return s, err
	}
	g, ok := c.OIDC.grant(texts(claims[c.OIDC.Claim]))
	if !ok {
		return s, errors.New("this account is known, and may do nothing here: its claim " + c.OIDC.Claim + " names nothing that the operator has granted")
	}
	name := cmp.Or(strings.Join(texts(claims["email"]), ""), strings.Join(texts(claims["name"]), ""), token.Subject)
	return session{Subject: token.Subject, Name: rollcall.OneLine(name), Role: g.Role, Markets: g.Markets}, nil
}

// texts gives a claim's text, or texts.
func texts(claim any) (out []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			if text, ok := one.(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}
