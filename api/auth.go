package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rollcall"
	"rollcall/internal/jsondepth"
)

// Role is what an API key may do.
type Role string

// The roles. Each but admin does one thing; admin does all.
const (
	RoleRead    Role = "read"    // reports, census, catalogue, metrics
	RoleIngest  Role = "ingest"  // send events
	RolePublish Role = "publish" // read, load panels, close months, exclude
	RoleAdmin   Role = "admin"
)

// Roles lists them all.
func Roles() []Role { return []Role{RoleRead, RoleIngest, RolePublish, RoleAdmin} }

// Token is one API key as it is kept: the key itself is known to its holder
// alone, and 32 random bytes need no slow hash.
type Token struct {
	ID      string    `json:"id"` // 8 hexadecimal digits
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Hash    string    `json:"sha256"` // of the key's text, in hexadecimal
	Created time.Time `json:"created"`
}

// Keyring is a file of tokens, one JSON object a line, mode 0600. A change of
// the file is seen by the next request. It is safe for concurrent use, and so
// is the changing of the file, by processes too.
type Keyring struct {
	path string

	mu     sync.Mutex // guards the rest
	seen   os.FileInfo
	tokens []Token
}

// OpenKeyring reads the file, which must be there.
func OpenKeyring(path string) (*Keyring, error) {
	k := &Keyring{path: path}
	if _, err := k.Tokens(); err != nil {
		return nil, err
	}
	return k, nil
}

// Tokens lists the keys.
func (k *Keyring) Tokens() ([]Token, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	if k.seen != nil && info.ModTime().Equal(k.seen.ModTime()) && info.Size() == k.seen.Size() && os.SameFile(info, k.seen) {
		return k.tokens, nil
	}
	text, err := os.ReadFile(k.path)
	if err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	if k.tokens, err = parseTokens(text); err != nil {
		return nil, fmt.Errorf("API keys: %s, %w", k.path, err)
	}
	k.seen = info
	return k.tokens, nil
}

// parseTokens reads the file's format, which Keyring says.
func parseTokens(text []byte) (tokens []Token, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var t Token
		if err := jsondepth.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, fmt.Errorf("line %d: is not a key's JSON", n)
		}
		if sum, err := hex.DecodeString(t.Hash); err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("line %d: sha256 is not 64 hexadecimal digits", n)
		}
		if !slices.Contains(Roles(), t.Role) {
			return nil, fmt.Errorf("line %d: role %q is none", n, t.Role)
		}
		tokens = append(tokens, t)
	}
	return tokens, lines.Err()
}

// NewToken adds a key to the file at path, which it makes if need be, and gives
// the key: it can't be shown again.
func NewToken(path, name string, role Role, now time.Time) (Token, string, error) {
	if err := rollcall.CheckLine("name", name); err != nil {
		return Token{}, "", err
	}
	raw := make([]byte, 32+4)
	rand.Read(raw)
	key := "rc_" + base64.RawURLEncoding.EncodeToString(raw[:32])
	sum := sha256.Sum256([]byte(key))
	t := Token{ID: hex.EncodeToString(raw[32:]), Name: name, Role: role, Hash: hex.EncodeToString(sum[:]), Created: now.UTC().Truncate(time.Second)}
	err := changeTokens(path, func(tokens []Token) ([]Token, error) { return append(tokens, t), nil })
	return t, key, err
}

// changeTokens reads the file, and puts what change makes of it in its place. Of
// several processes that do so, one after the other does.
func changeTokens(path string, change func([]Token) ([]Token, error)) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600) // the file itself is replaced
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("API keys: lock: %w", err)
	}
	tokens, err := (&Keyring{path: path}).Tokens()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if tokens, err = change(slices.Clone(tokens)); err != nil {
		return err
	}
	return writeTokens(path, tokens)
}

// RevokeToken removes the key of the id.
func RevokeToken(path, id string) error {
	if _, err := OpenKeyring(path); err != nil { // nothing is made for a key that can't be there
		return err
	}
	return changeTokens(path, func(tokens []Token) ([]Token, error) {
		had := len(tokens)
		if tokens = slices.DeleteFunc(tokens, func(t Token) bool { return t.ID == id }); len(tokens) == had {
			return nil, fmt.Errorf("API key %q: %w", id, rollcall.ErrNotFound)
		}
		return tokens, nil
	})
}

// writeTokens puts a whole new file in the old one's place.
func writeTokens(path string, tokens []Token) error {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, t := range tokens {
		if err := lines.Encode(t); err != nil {
			return fmt.Errorf("API keys: %w", err)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tokens-*") // mode 0600
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	_, err = f.Write(text.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("API keys: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// Authorize lets a request through whose key may do what it asks. The probes
// and the page need no key.
func Authorize(keys *Keyring, next http.Handler) http.Handler {
	next = rate(mostAMinute)(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if needsNone(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		key, ok := keys.find(bearer(r))
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", `Bearer realm="rollcall"`)
			problem(w, http.StatusUnauthorized, "an API key is needed: Authorization: Bearer KEY")
		case !key.Role.may(r):
			problem(w, http.StatusForbidden, fmt.Sprintf("the role %s may not do this", key.Role))
		default:
			ctx := context.WithValue(context.WithValue(r.Context(), roleKey{}, key.Role), senderKey{}, key.ID)
			next.ServeHTTP(w, r.WithContext(ctx))
		}
	})
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

// find finds the key, looking at every one in the same time.
func (k *Keyring) find(key string) (found Token, ok bool) {
	tokens, err := k.Tokens()
	if err != nil || key == "" {
		return found, false
	}
	sum := sha256.Sum256([]byte(key))
	given := []byte(hex.EncodeToString(sum[:]))
	for _, t := range tokens {
		if subtle.ConstantTimeCompare(given, []byte(strings.ToLower(t.Hash))) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// may says whether the role may do what the request asks. What no line names
// is for admin alone.
func (role Role) may(r *http.Request) bool {
	switch {
	case role == RoleAdmin:
		return true
	case r.URL.Path == "/v1/events" || r.URL.Path == "/v1/batch":
		return role == RoleIngest
	case r.URL.Path == "/v1/rejected" || r.URL.Path == "/v1/master-keys": // whole inputs, accounts and all; the operator's alone
		return false
	case !changes(r.Method):
		return role == RoleRead || role == RolePublish
	}
	return role == RolePublish && publishes(r.URL.Path)
}

func publishes(path string) bool {
	if strings.HasSuffix(path, "/limits") { // what is shown at all is for admin to say
		return false
	}
	for _, prefix := range []string{"/v1/panels/", "/v1/publications", "/v1/exclusions", "/v1/targets"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// Guard protects a keyless loopback listener from web pages: the Host must be
// a loopback name, and what changes state needs a content type that a form
// can't send and no foreign Origin.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			problem(w, http.StatusForbidden, "the Host is not localhost, 127.0.0.1 or [::1]")
			return
		}
		if changes(r.Method) && (!sameOrigin(r) || formType(r)) {
			problem(w, http.StatusForbidden, "a page of another origin, or a form, can't change anything here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return name == "localhost" || name == "127.0.0.1" || name == "::1"
}

func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// formType reports a content type that an HTML form can send without asking.
func formType(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return true
	}
	return t == "text/plain" || t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}
