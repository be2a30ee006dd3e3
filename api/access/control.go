package access

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/api/observe"
	"rollcall/internal/problem"
)

// Control lets requests through to a listener's routes whose callers may do what
// they ask. Log is required. It is safe for concurrent use.
type Control struct {
	Keys   *Keyring // nil: everybody is the operator
	Local  bool     // the listener's address is this machine's own alone
	Public string   // the address under which browsers know it, such as https://example.org; "": its own
	Secret []byte   // that sessions are sealed with, of LeastSecret bytes or more; empty: they end with the process
	OIDC   *OIDC    // nil: keys alone
	Log    *slog.Logger

	uses      *uses
	unwritten *sync.Once // is told
	tried     *attempts
	sessions  *sessions
}

// Start makes the control ready.
func (c *Control) Start() (*Control, error) {
	seal, err := newSeal(c.Secret)
	if err != nil {
		return nil, err
	}
	c.tried, c.unwritten = newAttempts(time.Now), new(sync.Once)
	c.sessions = &sessions{seal: seal, now: time.Now, ended: map[string]time.Time{}}
	if c.Keys != nil {
		c.uses = newUses(c.Keys.path, time.Now)
	}
	return c, nil
}

// Close writes down what is not yet.
func (c *Control) Close() error {
	if c.uses == nil {
		return nil
	}
	return c.uses.Close()
}

// verdict is what came of looking for who sends a request.
type verdict int

const (
	unknown   verdict = iota // no key, or one that is not known
	tooMany                  // its address has tried too many keys
	admitted                 // by a key
	inSession                // by a session, which a browser sends of itself
)

// Handler lets what may be through to next, marked with its caller. The probes,
// the page and what describes the API need no key.
func (c *Control) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.checkBrowser(r); err != nil {
			problem.Write(w, http.StatusForbidden, err.Error())
			return
		}
		if c.Keys == nil || needsNone(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Authorization")
		w.Header().Add("Vary", "Cookie")
		caller, verdict := c.caller(r)
		observe.SetKey(r.Context(), caller.ID)
		switch {
		case r.URL.Path == SessionPath:
			next.ServeHTTP(w, r.WithContext(With(r.Context(), caller)))
		case verdict == unknown && keyInBody(r.URL.Path) && r.Header.Get("Authorization") == "":
			ctx := context.WithValue(r.Context(), claimKey{}, claim(func(key string) (Caller, error) { return c.claim(r, key) }))
			next.ServeHTTP(w, r.WithContext(With(ctx, Caller{Role: RoleIngest}))) // who may do no more than that
		case verdict < admitted:
			turnAway(w, r, next, verdict)
		case verdict == inSession && checkOrigin(r, c.Public) != nil:
			problem.Write(w, http.StatusForbidden, errOrigin.Error())
		case !caller.may(r) && nothingAt(r, next):
			problem.NothingAt(w, r)
		case !caller.may(r):
			problem.Write(w, http.StatusForbidden, "the role "+string(caller.Role)+" may not do this")
		default:
			next.ServeHTTP(w, r.WithContext(With(r.Context(), caller)))
		}
	})
}

// nothingAt reports whether the routes have nothing at a path, whoever asks: they
// are asked for its methods, which needs no right.
func nothingAt(r *http.Request, routes http.Handler) bool {
	methods := r.Clone(r.Context())
	methods.Method, methods.Body, methods.ContentLength = http.MethodOptions, http.NoBody, 0
	answer := &statusOnly{header: http.Header{}}
	routes.ServeHTTP(answer, methods)
	return answer.status == http.StatusNotFound
}

// statusOnly is an answer of which the status alone is of interest.
type statusOnly struct {
	header http.Header
	status int
}

// Header gives the headers.
func (a *statusOnly) Header() http.Header { return a.header }

// Write counts as the status 200 where none was written.
func (a *statusOnly) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return len(b), nil
}

// WriteHeader takes the first status.
func (a *statusOnly) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }

// claim finds who sends events, by the key in their body.
func (c *Control) claim(r *http.Request, key string) (Caller, error) {
	token, verdict := c.known(r, key)
	if verdict < admitted {
		return Caller{}, refusal(verdict)
	}
	observe.SetKey(r.Context(), token.ID)
	if !token.Caller().may(r) {
		return Caller{}, problem.New(http.StatusForbidden, "the role "+string(token.Role)+" may not do this")
	}
	return token.Caller(), nil
}

func refusal(v verdict) *problem.Details {
	if v == tooMany {
		return problem.New(http.StatusTooManyRequests, "too many keys that are not known came from this address; try again in a minute")
	}
	return problem.New(http.StatusUnauthorized, "an API key is needed: Authorization: Bearer KEY")
}

// turnAway refuses who isn't admitted. Who opens an address at which nothing is in a
// browser is told that: what routes there are is no secret.
func turnAway(w http.ResponseWriter, r *http.Request, routes http.Handler, v verdict) {
	if problem.Opened(r) && nothingAt(r, routes) {
		problem.NothingAt(w, r)
		return
	}
	refuse(w, v)
}

// refuse says that a request came without a key that is known.
func refuse(w http.ResponseWriter, v verdict) {
	if v == tooMany {
		w.Header().Set("Retry-After", fmt.Sprint(int(attemptTime.Seconds())))
	} else {
		w.Header().Set("WWW-Authenticate", `Bearer realm="rollcall"`)
	}
	refusal(v).Write(w)
}

// checkBrowser refuses what a web page of somebody else may have sent. Whoever
// sends a key in a header is no such page.
func (c *Control) checkBrowser(r *http.Request) error {
	if c.Local {
		if err := checkHost(r, c.Public); err != nil {
			return err
		}
	}
	if c.Keys != nil {
		return nil
	}
	return checkOrigin(r, c.Public)
}

// caller finds who sends a request. A key goes before a session.
func (c *Control) caller(r *http.Request) (Caller, verdict) {
	if key := keyOf(r); key != "" {
		token, v := c.known(r, key)
		return token.Caller(), v
	}
	if _, caller, ok := c.find(r); ok {
		c.used(caller)
		return caller, inSession
	}
	return Caller{}, unknown
}

// known finds a key that came with a request, and counts it if it is none.
func (c *Control) known(r *http.Request, key string) (Token, verdict) {
	address := Address(r)
	if !c.tried.allow(address, key) {
		return Token{}, tooMany
	}
	token, ok := c.Keys.find(key)
	c.tried.note(address, key, ok)
	if !ok {
		return Token{}, unknown
	}
	c.used(token.Caller())
	return token, admitted
}

// used takes note of the use of a caller's key.
func (c *Control) used(caller Caller) {
	if err := c.uses.note(caller.ID); err != nil {
		c.unwritten.Do(func() { c.Log.Warn("when API keys were used last can't be written down", "error", err) })
	}
}

// needsNone says whether a request is of the probes, of the API's description, of
// the page or of signing in, which need no key: where the page has none for its figures, it asks the reader for one.
func needsNone(r *http.Request) bool {
	path := r.URL.Path
	return slices.Contains([]string{"/healthz", "/readyz", "/", "/accounts", "/docs", "/openapi.json", "/openapi.yaml"}, path) ||
		strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/docs/") ||
		path == OIDCLoginPath || path == OIDCCallbackPath || path == SessionPath && r.Method == http.MethodPost
}

// keyOf gives the key that a request brings in a header. Trackers send it as the
// name of a user without a password, where events are taken and nowhere else:
// what else a browser could be made to send of itself.
func keyOf(r *http.Request) string {
	if name, _, ok := r.BasicAuth(); ok && TakesEvents(r.URL.Path) {
		return strings.TrimSpace(name)
	}
	return bearer(r)
}

func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
