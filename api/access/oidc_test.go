package access

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"rollcall"
)

// organisation is a server whose people sign in at an issuer.
type organisation struct {
	*testing.T
	issuer *mockoidc.MockOIDC
	server *httptest.Server
	spoil  func(claims map[string]any) (token string) // the ID token; nil: as the issuer made it
}

func newOrganisation(t *testing.T) *organisation {
	t.Helper()
	o := &organisation{T: t}
	var err error
	if o.issuer, err = mockoidc.NewServer(nil); err != nil {
		t.Fatal(err)
	}
	if err := o.issuer.AddMiddleware(o.spoils); err != nil {
		t.Fatal(err)
	}
	at, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.issuer.Start(at, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.issuer.Shutdown() })
	path := filepath.Join(t.TempDir(), "tokens")
	newKey(t, path, "somebody", RoleRead)
	keys, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	grants, err := ParseGrants([]string{"analysts=read:FR", "partners=read:WORLD", "editors=publish"})
	if err != nil {
		t.Fatal(err)
	}
	o.server = httptest.NewUnstartedServer(nil)
	public := "http://" + o.server.Listener.Addr().String()
	c := controlOf(t, Control{Keys: keys, Public: public, OIDC: &OIDC{
		Issuer: o.issuer.Issuer(), ClientID: o.issuer.ClientID, Secret: o.issuer.ClientSecret, Claim: "groups", Grants: grants,
	}})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/oidc/login", c.LoginOIDC)
	mux.HandleFunc("GET /v1/oidc/callback", c.CallbackOIDC)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(Of(r.Context())) })
	o.server.Config.Handler = c.Handler(mux)
	o.server.Start()
	t.Cleanup(o.server.Close)
	return o
}

// spoils puts another ID token in the issuer's answer.
func (o *organisation) spoils(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.spoil == nil || !strings.HasSuffix(r.URL.Path, "/token") {
			next.ServeHTTP(w, r)
			return
		}
		made := httptest.NewRecorder()
		next.ServeHTTP(made, r)
		var answer map[string]any
		if err := json.Unmarshal(made.Body.Bytes(), &answer); err != nil {
			o.Error(err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(answer["id_token"].(string), ".")[1])
		if err != nil {
			o.Error(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(raw, &claims); err != nil {
			o.Error(err)
		}
		answer["id_token"] = o.spoil(claims)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// browser goes where it is sent, and remembers cookies.
func (o *organisation) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func (o *organisation) get(b *http.Client, address string) (status int, at string, caller Caller) {
	o.Helper()
	a, err := b.Get(address)
	if err != nil {
		o.Fatal(err)
	}
	defer a.Body.Close()
	_ = json.NewDecoder(a.Body).Decode(&caller)
	return a.StatusCode, a.Request.URL.RequestURI(), caller
}

// TestOIDC: whoever the issuer vouches for is what their groups say, in a session
// of their own.
func TestOIDC(t *testing.T) {
	o := newOrganisation(t)
	for _, c := range []struct {
		groups  []string
		status  int
		role    Role
		markets []rollcall.MarketID
	}{
		{[]string{"analysts"}, 200, RoleRead, []rollcall.MarketID{"FR"}},
		{[]string{"partners", "analysts"}, 200, RoleRead, []rollcall.MarketID{"FR", "WORLD"}},
		{[]string{"analysts", "editors", "others"}, 200, RolePublish, nil},
		{[]string{"others"}, 403, "", nil},
		{nil, 403, "", nil},
	} {
		o.issuer.QueueUser(&mockoidc.MockUser{Subject: "7", Email: "ann@example.org", Groups: c.groups})
		b := o.browser()
		status, at, _ := o.get(b, o.server.URL+"/v1/oidc/login?to="+url.QueryEscape("/v1/markets?x=1"))
		if status != c.status || c.status == 200 && at != "/v1/markets?x=1" {
			t.Errorf("%v: %d at %s", c.groups, status, at)
		}
		_, _, caller := o.get(b, o.server.URL+"/v1/markets")
		if c.status == 200 && (caller.Role != c.role || !slices.Equal(caller.Markets, c.markets) || caller.ID != "oidc:7" || caller.Name != "ann@example.org") || c.status != 200 && caller.Role != "" {
			t.Errorf("%v: %+v", c.groups, caller)
		}
	}
}

// TestOIDCRefuses: no ID token but the issuer's own, for this server, in time and
// for this very sign-in begins a session.
func TestOIDCRefuses(t *testing.T) {
	o := newOrganisation(t)
	signed := func(change map[string]any) func(map[string]any) string {
		return func(claims map[string]any) string {
			maps.Copy(claims, change)
			token, err := o.issuer.Keypair.SignJWT(jwt.MapClaims(claims))
			if err != nil {
				t.Error(err)
			}
			return token
		}
	}
	stranger, err := mockoidc.RandomKeypair(2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(map[string]any) string{
		"another nonce":    signed(map[string]any{"nonce": "other"}),
		"no nonce":         signed(map[string]any{"nonce": ""}),
		"another audience": signed(map[string]any{"aud": "other"}),
		"another issuer":   signed(map[string]any{"iss": "https://example.org"}),
		"expired":          signed(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}),
		"signed by nobody": func(claims map[string]any) string {
			body, _ := json.Marshal(claims)
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
		},
		"signed by another": func(claims map[string]any) string {
			token, _ := stranger.SignJWT(jwt.MapClaims(claims))
			return token
		},
		"no token": func(map[string]any) string { return "" },
	} {
		o.spoil = spoil
		o.issuer.QueueUser(&mockoidc.MockUser{Subject: "7", Groups: []string{"editors"}})
		b := o.browser()
		if status, _, _ := o.get(b, o.server.URL+"/v1/oidc/login"); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
		if status, _, _ := o.get(b, o.server.URL+"/v1/markets"); status != http.StatusUnauthorized {
			t.Errorf("%s: then %d", name, status)
		}
	}
	o.spoil = signed(nil) // sealed again, and nothing changed: it is the changes that are refused
	o.issuer.QueueUser(&mockoidc.MockUser{Subject: "7", Groups: []string{"editors"}})
	if status, _, _ := o.get(o.browser(), o.server.URL+"/v1/oidc/login"); status != http.StatusOK {
		t.Errorf("as it was: %d", status)
	}
}

// TestOIDCOnce: an answer of the issuer is good for the browser that began, once.
func TestOIDCOnce(t *testing.T) {
	o := newOrganisation(t)
	o.issuer.QueueUser(&mockoidc.MockUser{Subject: "7", Groups: []string{"editors"}})
	b := o.browser()
	var callback *http.Request
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == OIDCCallbackPath {
			callback = r
			return http.ErrUseLastResponse
		}
		return nil
	}
	o.get(b, o.server.URL+"/v1/oidc/login")
	if callback == nil {
		t.Fatal("the issuer sends nobody back")
	}
	held := b.Jar.Cookies(callback.URL)
	again := func(cookies []*http.Cookie, address string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
		a, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		return a.StatusCode
	}
	if got := again(nil, callback.URL.String()); got != http.StatusBadRequest {
		t.Errorf("in another browser: %d", got)
	}
	if got := again(held, strings.Replace(callback.URL.String(), "state=", "state=x", 1)); got != http.StatusBadRequest {
		t.Errorf("with another state: %d", got)
	}
	for i, want := range []int{http.StatusSeeOther, http.StatusBadRequest} {
		if got := again(held, callback.URL.String()); got != want {
			t.Errorf("the %dth time: %d, want %d", i+1, got, want)
		}
	}
}

// TestOwnPath: after signing in nobody is sent to another site.
func TestOwnPath(t *testing.T) {
	for to, want := range map[string]string{
		"/?market=FR&month=2002-10": "/?market=FR&month=2002-10", "/accounts": "/accounts",
		"": "/", "https://example.org/": "/", "//example.org/": "/", "/\\example.org": "/", "\\\\example.org": "/", "javascript:alert(1)": "/", "x": "/", "/\t/example.org": "/", "///example.org": "/", "/%zz": "/",
	} {
		if got := ownPath(to); got != want {
			t.Errorf("%q: %q, want %q", to, got, want)
		}
	}
	for _, bad := range []string{"", "x", "=read", "x=root", "x=ingest", "x=publish:FR", "x=read:", "x=read:F R"} {
		if _, err := ParseGrants([]string{bad}); err == nil {
			t.Errorf("the grant %q is taken", bad)
		}
	}
}
