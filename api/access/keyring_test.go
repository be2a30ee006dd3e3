package access

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// newKey makes a key in the file.
func newKey(t *testing.T, path, name string, role Role, markets ...rollcall.MarketID) (Token, string) {
	t.Helper()
	token, key, err := NewToken(path, Token{Name: name, Role: role, Markets: markets, By: "me"}, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return token, key
}

// TestRefusedTokens: what a key can't be is said before anything is made.
func TestRefusedTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	for _, bad := range []Token{
		{Name: "me\x1b[2J", Role: RoleRead}, {Name: "", Role: RoleRead}, {Name: " me", Role: RoleRead}, {Name: strings.Repeat("m", 101), Role: RoleRead},
		{Name: "me", Role: "root"}, {Name: "me", Role: RolePublish, Markets: []rollcall.MarketID{"FR"}}, {Name: "me", Role: RoleRead, Markets: []rollcall.MarketID{"F R"}},
		{Name: "me", Role: RoleRead, Markets: []rollcall.MarketID{""}},
	} {
		if _, _, err := NewToken(path, bad, time.Now()); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%v is no refusal of %+v", err, bad)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of keys: %v", err)
	}
}

// TestNamesAreUnique: of two keys in force no two have one name; a revoked key's
// name is free.
func TestNamesAreUnique(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	first, _ := newKey(t, path, "grafana", RoleRead)
	if _, _, err := NewToken(path, Token{Name: "grafana", Role: RoleAdmin}, time.Now()); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("a second key of the name: %v", err)
	}
	if err := RevokeToken(path, first.ID, "me", time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	second, _ := newKey(t, path, "grafana", RoleRead, "WORLD", "FR", "FR")
	ring, err := OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ring.All()
	if err != nil || len(all) != 2 || all[0].Hash != "" || all[0].Revoked.IsZero() || all[0].RevokedBy != "me" {
		t.Errorf("the file has %+v, %v", all, err)
	}
	if got := second.Markets; !slices.Equal(got, []rollcall.MarketID{"FR", "WORLD"}) {
		t.Errorf("markets %v", got)
	}
}

// TestRevoke: a running server refuses a revoked key, and takes a new one.
func TestRevoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	token, key := newKey(t, path, "first", RoleRead)
	h := guarded(t, path)
	_, second := newKey(t, path, "second", RoleRead)
	if ask(h, "GET", "/v1/markets", key) != http.StatusOK || ask(h, "GET", "/v1/markets", second) != http.StatusOK {
		t.Fatal("a key that was made is refused")
	}
	if err := RevokeToken(path, token.ID, "me", time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := ask(h, "GET", "/v1/markets", key); got != http.StatusUnauthorized {
		t.Errorf("a revoked key: %d", got)
	}
	if got := ask(h, "GET", "/v1/markets", second); got != http.StatusOK {
		t.Errorf("the other key: %d", got)
	}
	if err := RevokeToken(path, token.ID, "me", time.Now()); err == nil {
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
		"no JSON":                      "key",
		"no hash":                      `{"role":"read"}`,
		"short hash":                   `{"role":"read","sha256":"` + hash[2:] + `"}`,
		"long hash":                    `{"role":"read","sha256":"` + hash + `00"}`,
		"no hash but of a revoked key": `{"role":"read","revoked":"0001-01-01T00:00:00Z"}`,
		"a publisher's markets":        `{"role":"publish","sha256":"` + hash + `","markets":["FR"]}`,
		"no role":                      `{"sha256":"` + hash + `"}`,
		"unknown role":                 `{"role":"root","sha256":"` + hash + `"}`,
		"second line":                  `{"role":"read","sha256":"` + hash + "\"}\n{",
		"a long line":                  strings.Repeat(" ", 70_000) + "{",
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
			if err == nil && token.Revoked.IsZero() && len(token.Hash) != 64 {
				t.Errorf("took the hash %q", token.Hash)
			}
		}
	})
}
