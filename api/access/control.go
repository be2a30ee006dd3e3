package access

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Control lets requests through to a listener's routes whose callers may do what
// they ask. Refuse and Log are required. It is safe for concurrent use.
type Control struct {
	Keys   *Keyring // nil: everybody is the operator
	Local  bool     // the listener's address is this machine's own alone
	Public string   // the address under which browsers know it, such as https://example.org; "": its own
	Refuse func(w http.ResponseWriter, status int, detail string)
	Log    *slog.Logger

	uses      *uses
	unwritten *sync.Once // is told
	tried     *attempts
}

// Start makes the control ready.
func (c *Control) Start() *Control {
	c.tried, c.unwritten = newAttempts(time.Now), new(sync.Once)
	if c.Keys != nil {
		c.uses = newUses(c.Keys.path, time.Now)
	}
	return c
}

// Close writes down what is not yet.
func (c *Control) Close() error {
	if c.uses == nil {
		return nil
	}
	return c.uses.Close()
}

// Handler lets what may be through to next, marked with its caller. The probes,
// the page and what describes the API need no key.
func (c *Control) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.checkBrowser(r); err != nil {
			c.Refuse(w, http.StatusForbidden, err.Error())
			return
		}
		if c.Keys == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Authorization")
		w.Header().Add("Vary", "Cookie")
		if needsNone(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		caller, known, refused := c.caller(r)
		switch {
		case refused:
			w.Header().Set("Retry-After", fmt.Sprint(int(attemptTime.Seconds())))
			c.Refuse(w, http.StatusTooManyRequests, "too many keys that are not known came from this address; try again in a minute")
		case !known:
			w.Header().Set("WWW-Authenticate", `Bearer realm="rollcall"`)
			c.Refuse(w, http.StatusUnauthorized, "an API key is needed: Authorization: Bearer KEY")
		case !caller.may(r):
			c.Refuse(w, http.StatusForbidden, "the role "+string(caller.Role)+" may not do this")
		default:
			next.ServeHTTP(w, r.WithContext(With(r.Context(), caller)))
		}
	})
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

// caller finds who sends a request; refused: its address has tried too many keys.
func (c *Control) caller(r *http.Request) (_ Caller, known, refused bool) {
	key := bearer(r)
	if key == "" {
		return Caller{}, false, false
	}
	address := addressOf(r)
	if !c.tried.allow(address, key) {
		return Caller{}, false, true
	}
	token, ok := c.Keys.find(key)
	c.tried.note(address, key, ok)
	if !ok {
		return Caller{}, false, false
	}
	if err := c.uses.note(token.ID); err != nil {
		c.unwritten.Do(func() { c.Log.Warn("when API keys were used last can't be written down", "error", err) })
	}
	return token.Caller(), true, false
}

// needsNone says whether a path is of the probes, of the API's description or of
// the page, which need no key: where the page has none for its figures, it asks the reader for one.
func needsNone(path string) bool {
	return slices.Contains([]string{"/healthz", "/readyz", "/", "/accounts", "/docs", "/openapi.json", "/openapi.yaml"}, path) ||
		strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/docs/")
}

func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
