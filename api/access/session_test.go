package access

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// signing is a server with one key, as a browser meets it.
type signing struct {
	*Control
	*testing.T
	tokens, key string
	token       Token
}

func signed(t *testing.T, c Control) *signing {
	t.Helper()
	s := &signing{T: t, tokens: filepath.Join(t.TempDir(), "tokens")}
	s.token, s.key = newKey(t, s.tokens, "an analyst", RoleRead, "FR")
	var err error
	if c.Keys, err = OpenKeyring(s.tokens); err != nil {
		t.Fatal(err)
	}
	s.Control = controlOf(t, c)
	return s
}

// handler has the session's routes, and says whose any other request is.
func (s *signing) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/session", s.GetSession)
	mux.HandleFunc("POST /v1/session", s.PostSession)
	mux.HandleFunc("DELETE /v1/session", s.DeleteSession)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(Of(r.Context()))
	})
	return s.Handler(mux)
}

// ask sends a request; headers are pairs.
func (s *signing) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "stats.example.org"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if strings.HasPrefix(r.Header.Get("Origin"), "https://") {
		r.TLS = &tls.ConnectionState{}
	}
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	return w
}

const asJSON = "application/json"

// signIn gives the session's cookie.
func (s *signing) signIn(headers ...string) *http.Cookie {
	s.Helper()
	w := s.ask("POST", "/v1/session", `{"key":"`+s.key+`"}`, append(headers, "Content-Type", asJSON)...)
	if w.Code != http.StatusCreated || len(w.Result().Cookies()) != 1 {
		s.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Result().Cookies()[0]
}

// TestSession: a browser that has signed in is whose key it gave, until it signs
// out, the key is revoked or the session's time is over.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signed(t, Control{})
		cookie := s.signIn()
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.MaxAge != int(SessionTime.Seconds()) || strings.Contains(cookie.Value, s.key) {
			t.Errorf("the cookie is %s", cookie)
		}
		as := func(c *http.Cookie) int { return s.ask("GET", "/v1/markets", "", "Cookie", c.Name+"="+c.Value).Code }
		who := s.ask("GET", "/v1/markets", "", "Cookie", cookie.Name+"="+cookie.Value)
		var caller Caller
		if err := json.Unmarshal(who.Body.Bytes(), &caller); err != nil || caller.ID != s.token.ID || caller.Role != RoleRead || len(caller.Markets) != 1 {
			t.Errorf("the session is of %+v, %v", caller, err)
		}
		var says Session
		if err := json.Unmarshal(s.ask("GET", "/v1/session", "", "Cookie", cookie.Name+"="+cookie.Value).Body.Bytes(), &says); err != nil || !says.SignedIn || says.Name != "an analyst" || !says.Ends.Equal(time.Now().Add(SessionTime)) {
			t.Errorf("the session says of itself %+v, %v", says, err)
		}
		for name, bad := range map[string]string{"cut": cookie.Value[:20], "longer": cookie.Value + "A", "none": "", "the key": s.key, "huge": strings.Repeat("A", 5000)} {
			if got := as(&http.Cookie{Name: cookie.Name, Value: bad}); got != http.StatusUnauthorized {
				t.Errorf("a cookie that is %s: %d", name, got)
			}
		}
		if got := s.ask("GET", "/v1/markets", "", "Cookie", cookie.Name+"="+cookie.Value, "Authorization", "Bearer rc_wrong").Code; got != http.StatusUnauthorized {
			t.Errorf("a wrong key beside a session: %d", got)
		}
		other := s.signIn()
		if w := s.ask("DELETE", "/v1/session", "", "Cookie", other.Name+"="+other.Value, "Content-Type", asJSON); w.Code != http.StatusNoContent || w.Result().Cookies()[0].MaxAge >= 0 {
			t.Errorf("signing out: %d, %v", w.Code, w.Result().Cookies())
		}
		if as(other) != http.StatusUnauthorized || as(cookie) != http.StatusOK {
			t.Error("signing out ends the session that signs out, and no other")
		}
		time.Sleep(SessionTime)
		if got := as(cookie); got != http.StatusUnauthorized {
			t.Errorf("after its time: %d", got)
		}
		last := s.signIn()
		if err := RevokeToken(s.tokens, s.token.ID, "me", time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := as(last); got != http.StatusUnauthorized {
			t.Errorf("after the key was revoked: %d", got)
		}
	})
}

// TestSessionsOfServers: with one secret a session is good at servers side by side
// and after a restart; without, it ends with its process.
func TestSessionsOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		first, second []byte
		want          int
	}{
		"one secret":  {bytes.Repeat([]byte("a"), 32), bytes.Repeat([]byte("a"), 32), 200},
		"two secrets": {bytes.Repeat([]byte("a"), 32), bytes.Repeat([]byte("b"), 32), 401},
		"none":        {nil, nil, 401},
	} {
		first := signed(t, Control{Secret: c.first})
		cookie := first.signIn()
		second := *first
		second.Control = controlOf(t, Control{Secret: c.second, Keys: first.Keys})
		if got := second.ask("GET", "/v1/markets", "", "Cookie", cookie.Name+"="+cookie.Value).Code; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if _, err := (&Control{Secret: []byte("short")}).Start(); err == nil {
		t.Error("a short secret is taken")
	}
}

// TestSessionsOfPages: what a page of another site can have a browser send changes
// nothing, with a session or without; a key in a header is no browser's.
func TestSessionsOfPages(t *testing.T) {
	s := signed(t, Control{})
	const own, foreign = "https://stats.example.org", "https://example.org"
	cookie := s.signIn("Origin", own)
	if cookie.Name != "__Host-rollcall" || !cookie.Secure {
		t.Errorf("over TLS the cookie is %s", cookie)
	}
	plain := s.signIn()
	with := func(c *http.Cookie) []string { return []string{"Cookie", c.Name + "=" + c.Value} }
	for _, c := range []struct {
		name, method, path string
		headers            []string
		want               int
	}{
		{"the page itself", "DELETE", "/v1/session", append(with(plain), "Content-Type", asJSON), 204},
		{"a page of another site", "DELETE", "/v1/session", append(with(cookie), "Content-Type", asJSON, "Origin", foreign), 403},
		{"a form signs in", "POST", "/v1/session", []string{"Content-Type", "text/plain"}, 403},
		{"another site signs in", "POST", "/v1/session", []string{"Content-Type", asJSON, "Origin", foreign}, 403},
		{"a form in a session", "POST", "/v1/targets", append(with(cookie), "Content-Type", "application/x-www-form-urlencoded", "Origin", own), 403},
		{"another site in a session", "POST", "/v1/targets", append(with(cookie), "Content-Type", asJSON, "Origin", foreign), 403},
		{"a reader in a session", "POST", "/v1/targets", append(with(cookie), "Content-Type", asJSON, "Origin", own), 403},
		{"a form with a key", "GET", "/v1/markets", []string{"Authorization", "Bearer " + s.key, "Content-Type", "text/plain", "Origin", foreign}, 200},
		{"over TLS, a cookie that is not the server's own", "GET", "/v1/markets", append(with(plain), "Origin", own), 401},
	} {
		if w := s.ask(c.method, c.path, `{"key":"`+s.key+`"}`, c.headers...); w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.want)
		}
	}
	behind := signed(t, Control{Public: own})
	if c := behind.signIn(); !c.Secure {
		t.Errorf("behind a proxy that speaks HTTPS the cookie is %s", c)
	}
}

// TestSigningIn: what is no key is refused, and soon not looked at.
func TestSigningIn(t *testing.T) {
	s := signed(t, Control{})
	for body, want := range map[string]int{"": 422, "{": 422, "{}": 422, `{"key":7}`: 422, `{"key":"` + strings.Repeat("x", 2000) + `"}`: 422, `{"key":"rc_wrong"}`: 401} {
		if w := s.ask("POST", "/v1/session", body, "Content-Type", asJSON); w.Code != want || len(w.Result().Cookies()) > 0 {
			t.Errorf("%.30q: %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
	for range mostAttempts - 1 {
		s.ask("POST", "/v1/session", `{"key":"rc_wrong"}`, "Content-Type", asJSON)
	}
	if w := s.ask("POST", "/v1/session", `{"key":"`+s.key+`"}`, "Content-Type", asJSON); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after %d attempts: %d", mostAttempts, w.Code)
	}
	open := controlOf(t, Control{})
	w := httptest.NewRecorder()
	open.GetSession(w, httptest.NewRequest(http.MethodGet, "/v1/session", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"keys":false`) {
		t.Errorf("without keys: %d %s", w.Code, w.Body)
	}
}

// TestEndedOnce: of requests that end one id at the same time, one does.
func TestEndedOnce(t *testing.T) {
	s := &sessions{now: time.Now, ended: map[string]time.Time{}}
	var first atomic.Int64
	const ids = 1000
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for id := range ids {
				if s.end(strconv.Itoa(id), time.Now().Add(time.Hour)) {
					first.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := first.Load(); n != ids {
		t.Errorf("%d ids were ended %d times", ids, n)
	}
}

func FuzzSession(f *testing.F) {
	c := &Control{Secret: bytes.Repeat([]byte("a"), 32), Keys: &Keyring{path: filepath.Join(f.TempDir(), "none")}}
	if _, err := c.Start(); err != nil {
		f.Fatal(err)
	}
	sealed, err := c.sessions.seal.close("other", session{Role: RoleAdmin, Ends: time.Now().Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "rollcall="+value)
		if _, caller, ok := c.find(r); ok {
			t.Errorf("%q is a session of %+v", value, caller)
		}
	})
}
