package api

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// newKey makes a key in the file.
func newKey(t *testing.T, path string, role Role) (Token, string) {
	t.Helper()
	token, key, err := NewToken(path, "somebody", role, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return token, key
}

// TestAuthorize: each role may do its own and no more; the probes need no key.
func TestAuthorize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "tokens")
	keys := map[Role]string{"": "", "stranger": "rc_nobody"}
	for _, role := range Roles() {
		_, keys[role] = newKey(t, path, role)
	}
	ring, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	h := Authorize(ring, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		method, path string
		may          string // the roles that may, by their first letters
	}{
		{"GET", "/v1/reports/ranking", "rpa"},
		{"GET", "/metrics", "rpa"},
		{"POST", "/v1/events", "ia"},
		{"GET", "/v1/rejected", "a"},
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
	for _, probe := range []string{"/healthz", "/readyz", "/", "/accounts", "/assets/index.js", "/docs", "/docs/swagger-ui.css", "/openapi.json"} {
		if got := ask(h, "GET", probe, ""); got != http.StatusOK {
			t.Errorf("%s without a key: %d", probe, got)
		}
	}
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

// TestRevoke: a running server refuses a revoked key, and takes a new one.
func TestNameOfAKeyIsALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if _, _, err := NewToken(path, "me\x1b[2J", RoleRead, time.Now()); !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("%v is no refusal of the name", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of keys: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	token, key := newKey(t, path, RoleRead)
	ring, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	h := Authorize(ring, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_, second := newKey(t, path, RoleRead)
	if ask(h, "GET", "/v1/markets", key) != http.StatusOK || ask(h, "GET", "/v1/markets", second) != http.StatusOK {
		t.Fatal("a key that was made is refused")
	}
	if err := RevokeToken(path, token.ID); err != nil {
		t.Fatal(err)
	}
	if got := ask(h, "GET", "/v1/markets", key); got != http.StatusUnauthorized {
		t.Errorf("a revoked key: %d", got)
	}
	if got := ask(h, "GET", "/v1/markets", second); got != http.StatusOK {
		t.Errorf("the other key: %d", got)
	}
	if err := RevokeToken(path, token.ID); err == nil {
		t.Error("a key was revoked twice")
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), second) {
		t.Errorf("the file holds the key itself, or is not there: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := ask(h, "GET", "/v1/markets", second); got != http.StatusUnauthorized {
		t.Errorf("without the file: %d", got)
	}
}

func malformedTokens() map[string]string {
	hash := strings.Repeat("ab", 32)
	return map[string]string{
		"no JSON":      "key",
		"no hash":      `{"role":"read"}`,
		"short hash":   `{"role":"read","sha256":"` + hash[2:] + `"}`,
		"long hash":    `{"role":"read","sha256":"` + hash + `00"}`,
		"no role":      `{"sha256":"` + hash + `"}`,
		"unknown role": `{"role":"root","sha256":"` + hash + `"}`,
		"second line":  `{"role":"read","sha256":"` + hash + "\"}\n{",
		"a long line":  strings.Repeat(" ", 70_000) + "{",
	}
}

func TestMalformedTokens(t *testing.T) {
	for name, text := range malformedTokens() {
		if _, err := parseTokens([]byte(text)); err == nil || strings.Contains(err.Error(), "abab") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, text := range malformedTokens() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := parseTokens(text)
		for _, token := range tokens {
			if err == nil && len(token.Hash) != 64 {
				t.Errorf("took the hash %q", token.Hash)
			}
		}
	})
}
