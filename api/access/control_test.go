package access

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/problem"
)

// guarded stands before a handler that answers 200.
func guarded(t *testing.T, tokens string) http.Handler {
	t.Helper()
	ring, err := OpenKeyring(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return controlOf(t, Control{Keys: ring}).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func controlOf(t *testing.T, c Control) *Control {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	started, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	return started
}

func ask(h http.Handler, method, path, key string) int {
	r := httptest.NewRequest(method, path, nil)
	if key != "" {
		r.Header.Set("Authorization", "bearer "+key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestRoles: each role may do its own and no more; the probes need no key.
func TestRoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "tokens")
	keys := map[Role]string{}
	for _, role := range Roles() {
		_, keys[role] = newKey(t, path, "a "+string(role), role)
	}
	_, ofOne := newKey(t, path, "a reader of one", RoleRead, "FR")
	for _, c := range []struct {
		method, path string
		may          string // the roles that may, by their first letters
	}{
		{"GET", "/v1/reports/ranking", "rpa"},
		{"GET", "/metrics", "rpa"},
		{"POST", "/v1/events", "ia"}, {"POST", "/v1/batch", "ia"}, {"POST", "/v1/import", "ia"},
		{"GET", "/v1/rejected", "a"},
		{"GET", "/v1/master-keys", "a"}, {"POST", "/v1/master-keys/rotate", "a"},
		{"PUT", "/v1/panels/nn/months/2002-10", "pa"},
		{"POST", "/v1/panels/nn/limits", "a"},
		{"POST", "/v1/publications", "pa"},
		{"POST", "/v1/exclusions", "pa"},
		{"POST", "/v1/erasures", "a"},
		{"POST", "/v1/markets", "a"},
		{"POST", "/v1/log/replay", "a"},
		{"POST", "/v1/backup", "a"},
		{"POST", "/v1/whatever-comes-next", "a"},
	} {
		h := guarded(t, path)
		for _, role := range Roles() {
			want := http.StatusForbidden
			if strings.Contains(c.may, string(role[0])) {
				want = http.StatusOK
			}
			if got := ask(h, c.method, c.path, keys[role]); got != want {
				t.Errorf("%s %s as %s: %d, want %d", c.method, c.path, role, got, want)
			}
		}
		for _, nobody := range []string{"", "rc_nobody", keys[RoleAdmin] + "x", keys[RoleAdmin][:20]} {
			if got := ask(h, c.method, c.path, nobody); got != http.StatusUnauthorized {
				t.Errorf("%s %s with the key %q: %d", c.method, c.path, nobody, got)
			}
		}
	}
	h := guarded(t, path)
	if got := ask(h, "GET", "/metrics", ofOne); got != http.StatusForbidden {
		t.Errorf("the metrics, which are of all markets: %d", got)
	}
	for _, probe := range []string{"/healthz", "/readyz", "/", "/accounts", "/assets/index.js", "/docs", "/docs/swagger-ui.css", "/openapi.json"} {
		if got := ask(h, "GET", probe, ""); got != http.StatusOK {
			t.Errorf("%s without a key: %d", probe, got)
		}
	}
}

// TestBasic: a tracker's key is its user's name, where events are taken.
func TestBasic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	_, key := newKey(t, path, "an app", RoleIngest)
	_, admin := newKey(t, path, "an administrator", RoleAdmin)
	for _, c := range []struct {
		path, name, password string
		want                 int
	}{
		{"/v1/batch", key, "", 200}, {"/v1/events", key, "", 200}, {"/v1/track", key, "x", 200},
		{"/v1/batch", "", key, 401}, {"/v1/batch", key[1:], "", 401},
		{"/v1/markets", admin, "", 401},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, nil)
		r.SetBasicAuth(c.name, c.password)
		w := httptest.NewRecorder()
		if guarded(t, path).ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s as %.8q: %d, want %d", c.path, c.name, w.Code, c.want)
		}
	}
}

// TestAttempts: an address that sends keys that are not known is soon refused
// whatever it sends, but for the keys that it has sent before.
func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		_, known := newKey(t, path, "known", RoleRead)
		_, other := newKey(t, path, "other", RoleRead)
		h := guarded(t, path)
		if got := ask(h, "GET", "/v1/markets", known); got != http.StatusOK {
			t.Fatal(got)
		}
		for i := range mostAttempts {
			if got := ask(h, "GET", "/v1/markets", "rc_wrong"+strings.Repeat("x", i)); got != http.StatusUnauthorized {
				t.Fatalf("attempt %d: %d", i+1, got)
			}
		}
		for key, want := range map[string]int{"rc_wrong": 429, other: 429, known: 200} {
			if got := ask(h, "GET", "/v1/markets", key); got != want {
				t.Errorf("after %d attempts %d, want %d", mostAttempts, got, want)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/v1/markets", nil)
		r.RemoteAddr = "192.0.2.77:1234"
		r.Header.Set("Authorization", "Bearer "+other)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("from another address: %d", w.Code)
		}
		time.Sleep(attemptTime)
		if got := ask(h, "GET", "/v1/markets", other); got != http.StatusOK {
			t.Errorf("a minute later: %d", got)
		}
	})
}

// TestLocal: a listener on this machine's own addresses is asked by its own name
// alone, and without keys changed by no page of another site.
func TestLocal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	newKey(t, path, "somebody", RoleRead)
	ring, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	const public = "https://stats.example.org"
	for name, c := range map[string]Control{"without keys": {Local: true, Public: public}, "with keys": {Local: true, Public: public, Keys: ring}} {
		h := controlOf(t, c).Handler(nothing)
		for host, want := range map[string]int{
			"localhost": 200, "localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "[::1]": 200, "stats.example.org": 200,
			"example.org": 403, "stats.example.org:8080": 403, "localhost.example.org": 403, "127.0.0.1.example.org": 403, "": 403,
		} {
			r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
			r.Host = host
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != want {
				t.Errorf("%s, Host %q: %d, want %d", name, host, w.Code, want)
			}
		}
	}
	for _, c := range []struct {
		origin, content string
		tls             bool
		want            int
	}{
		{"", "application/json", false, 200},
		{"http://localhost", "application/json", false, 200},
		{"https://localhost", "application/json", true, 200},
		{public, "application/json", false, 200},
		{"", "", false, 403},
		{"", "text/plain", false, 403},
		{"", "application/x-www-form-urlencoded", false, 403},
		{"", "multipart/form-data; boundary=x", false, 403},
		{"", "application/x-www-form-urlencoded; coded", false, 200},
		{"http://localhost:81", "application/json", false, 403},
		{"http://localhost", "application/json", true, 403},
		{"https://example.org", "application/json", false, 403},
		{"null", "application/json", false, 403},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/markets", nil)
		r.Host = "localhost"
		r.Header.Set("Origin", c.origin)
		content, coded := strings.CutSuffix(c.content, "; coded")
		r.Header.Set("Content-Type", content)
		if coded { // as no form can be
			r.Header.Set("Content-Encoding", "gzip")
		}
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		controlOf(t, Control{Local: true, Public: public}).Handler(nothing).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}

// TestLastUsed: when a key was used last is known to the minute, and at the end
// exactly; a key that is gone is forgotten.
func TestLastUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		first, key := newKey(t, path, "first", RoleRead)
		second, _ := newKey(t, path, "second", RoleRead)
		ring, err := OpenKeyring(path)
		if err != nil {
			t.Fatal(err)
		}
		c := controlOf(t, Control{Keys: ring})
		h := c.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		last := func() time.Time {
			t.Helper()
			all, err := LastUsed(path)
			if err != nil || !all[second.ID].IsZero() {
				t.Fatalf("%v, %v", all, err)
			}
			return all[first.ID]
		}
		if !last().IsZero() {
			t.Error("used before it was")
		}
		began := time.Now()
		ask(h, "GET", "/v1/markets", key)
		time.Sleep(30 * time.Second)
		ask(h, "GET", "/v1/markets", key)
		if got := last(); !got.Equal(began) {
			t.Errorf("used at %v, want %v", got, began)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got := last(); !got.Equal(began.Add(30 * time.Second)) {
			t.Errorf("after the end: used at %v", got)
		}
		time.Sleep(writeEvery)
		if err := RevokeToken(path, first.ID, "me", time.Now()); err != nil {
			t.Fatal(err)
		}
		_, third := newKey(t, path, "third", RoleRead)
		ask(h, "GET", "/v1/markets", third)
		if got := last(); !got.IsZero() {
			t.Errorf("a key that is gone was used at %v", got)
		}
	})
}

// TestClaim: a key that comes in a body is looked at as one in a header is, and
// where such a key is awaited nothing else is let through.
func TestClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	_, key := newKey(t, path, "an app", RoleIngest)
	_, reader := newKey(t, path, "a reader", RoleRead)
	ring, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	var claimed string
	h := controlOf(t, Control{Keys: ring}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Of(r.Context()).Operates() {
			t.Error("a request without a key is the operator's")
		}
		caller, err := Claim(r, claimed)
		var refused *problem.Details
		if errors.As(err, &refused) {
			refused.Write(w)
		} else if caller.Name != "an app" {
			t.Errorf("is %+v", caller)
		}
	}))
	for _, c := range []struct {
		path, header, body string
		want               int
	}{
		{"/batch/", "", key, 200}, {"/capture", "", key, 200}, {"/batch", key, "", 200},
		{"/batch/", "", "", 401}, {"/batch/", "", "phc_x", 401}, {"/batch/", "", reader, 403},
		{"/batch/", "rc_wrong", key, 401}, {"/v1/batch", "", key, 401}, {"/v1/events", "", key, 401}, {"/batch/x", "", key, 401},
	} {
		claimed = c.body
		if got := ask(h, "POST", c.path, c.header); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	for range mostAttempts {
		claimed = "phc_x"
		ask(h, "POST", "/batch/", "")
	}
	if got := ask(h, "POST", "/batch/", ""); got != http.StatusTooManyRequests {
		t.Errorf("after many wrong keys: %d", got)
	}
}
