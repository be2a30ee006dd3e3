package access

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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

// Token is one API key as it is kept: the key itself is known to its holder
// alone, and 32 random bytes need no slow hash. A key that was revoked stays, as a
// record without its hash.
type Token struct {
	ID       string               `json:"id"`   // 8 hexadecimal digits
	Name     string               `json:"name"` // no two that are in force have the same
	Role     Role                 `json:"role"`
	Markets  []rollcall.MarketID  `json:"markets,omitempty"`  // that a reader may see, in order; empty: all
	Segments []rollcall.SegmentID `json:"segments,omitempty"` // that a reader may see, in order, "" for none; empty: all
	// Defaults are what the events that come with the key are of where they don't say.
	Defaults rollcall.Defaults `json:"defaults,omitzero"`
	Hash     string            `json:"sha256,omitempty"` // of the key's text, in hexadecimal
	Created  time.Time         `json:"created"`
	By       string            `json:"by,omitempty"` // the user of this machine who made it

	Revoked   time.Time `json:"revoked,omitzero"` // zero: it is in force
	RevokedBy string    `json:"revoked_by,omitempty"`
}

// Caller is who comes with the key.
func (t Token) Caller() Caller {
	return Caller{ID: t.ID, Name: t.Name, Role: t.Role, Markets: t.Markets, Segments: t.Segments, Defaults: t.Defaults}
}

// Validate says what is wrong with a key that is to be made, if anything.
func (t Token) Validate() error {
	if err := rollcall.CheckLine("name", t.Name); err != nil {
		return err
	}
	switch {
	case t.Name == "" || strings.TrimSpace(t.Name) != t.Name || len(t.Name) > maxName:
		return &rollcall.Invalid{Field: "name", Value: t.Name, Reason: fmt.Sprintf("is empty, longer than %d bytes, or has a space at an end", maxName), Code: "name"}
	case !slices.Contains(Roles(), t.Role):
		return &rollcall.Invalid{Field: "role", Value: string(t.Role), Reason: "is not read, ingest, publish or admin", Code: "role"}
	case len(t.Markets) > 0 && t.Role != RoleRead:
		return &rollcall.Invalid{Field: "markets", Reason: "only a key of the role read can be limited to markets", Code: "markets"}
	case len(t.Segments) > 0 && t.Role != RoleRead:
		return &rollcall.Invalid{Field: "segments", Reason: "only a key of the role read can be limited to segments", Code: "segments"}
	case t.Defaults != (rollcall.Defaults{}) && t.Role != RoleIngest:
		return &rollcall.Invalid{Field: "defaults", Reason: "are for a key of the role ingest", Code: "defaults"}
	}
	if err := t.Defaults.Validate(); err != nil {
		return fmt.Errorf("defaults: %w", err)
	}
	return t.checkLimits()
}

// checkLimits refuses markets and segments that can't be any.
func (t Token) checkLimits() error {
	for _, m := range t.Markets {
		if err := rollcall.CheckID("markets", string(m)); err != nil {
			return err
		}
	}
	for _, s := range t.Segments {
		if s == "" {
			continue // none
		}
		if err := rollcall.CheckID("segments", string(s)); err != nil {
			return err
		}
	}
	return nil
}

const maxName = 100

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
	if _, err := k.All(); err != nil {
		return nil, err
	}
	return k, nil
}

// absent is a file of keys that is not there.
type absent string

// Error says what makes it.
func (a absent) Error() string {
	return "there is no file " + string(a) + "; `rollcall token new` makes it"
}

// Is reports that it is an fs.ErrNotExist.
func (absent) Is(target error) bool { return target == fs.ErrNotExist }

// Tokens lists the keys that are in force.
func (k *Keyring) Tokens() ([]Token, error) {
	all, err := k.All()
	return inForce(all), err
}

func inForce(all []Token) []Token {
	return slices.DeleteFunc(slices.Clone(all), func(t Token) bool { return !t.Revoked.IsZero() })
}

// All lists the keys, and those that were revoked.
func (k *Keyring) All() ([]Token, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("API keys: %w", absent(k.path))
	case err != nil:
		return nil, fmt.Errorf("API keys: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("API keys: %s is a folder; name a file", k.path)
	}
	if k.seen != nil && info.ModTime().Equal(k.seen.ModTime()) && info.Size() == k.seen.Size() && os.SameFile(info, k.seen) {
		return k.tokens, nil
	}
	text, err := os.ReadFile(k.path)
	if err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	if k.tokens, err = parseTokens(text); err != nil {
		k.seen = nil
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
		if sum, err := hex.DecodeString(t.Hash); t.Revoked.IsZero() && (err != nil || len(sum) != sha256.Size) {
			return nil, fmt.Errorf("line %d: sha256 is not 64 hexadecimal digits", n)
		}
		if !slices.Contains(Roles(), t.Role) {
			return nil, fmt.Errorf("line %d: role %q is none", n, t.Role)
		}
		if len(t.Markets)+len(t.Segments) > 0 && t.Role != RoleRead {
			return nil, fmt.Errorf("line %d: the role %s can't be limited to markets or segments", n, t.Role)
		}
		if err := t.Defaults.Validate(); err != nil {
			return nil, fmt.Errorf("line %d: defaults: %w", n, err)
		}
		tokens = append(tokens, t)
	}
	return tokens, lines.Err()
}

// NewToken adds a key to the file at path, which it makes if need be, and gives
// the key: it can't be shown again. What the token says of itself is its name,
// role, markets, segments and who makes it.
func NewToken(path string, t Token, now time.Time) (Token, string, error) {
	t.Markets = slices.Compact(slices.Sorted(slices.Values(t.Markets)))
	t.Segments = slices.Compact(slices.Sorted(slices.Values(t.Segments)))
	if err := t.Validate(); err != nil {
		return Token{}, "", err
	}
	raw := make([]byte, 32+4)
	rand.Read(raw)
	key := "rc_" + base64.RawURLEncoding.EncodeToString(raw[:32])
	t.ID, t.Hash, t.Created = hex.EncodeToString(raw[32:]), hashOf(key), now.UTC().Truncate(time.Second)
	err := changeTokens(path, func(tokens []Token) ([]Token, error) {
		if slices.ContainsFunc(inForce(tokens), func(other Token) bool { return other.Name == t.Name }) {
			return nil, fmt.Errorf("API key %q: there is one of that name; revoke it, or give another name: %w", t.Name, rollcall.ErrConflict)
		}
		return append(tokens, t), nil
	})
	return t, key, err
}

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// RevokeToken revokes the key of the id; by is the user of this machine who does.
func RevokeToken(path, id, by string, now time.Time) error {
	if _, err := OpenKeyring(path); err != nil { // nothing is made for a key that can't be there
		return err
	}
	return changeTokens(path, func(tokens []Token) ([]Token, error) {
		i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id && t.Revoked.IsZero() })
		if i < 0 {
			return nil, unknownKey(inForce(tokens), id)
		}
		tokens[i].Revoked, tokens[i].RevokedBy, tokens[i].Hash = now.UTC().Truncate(time.Second), by, ""
		return forgetOldest(tokens), nil
	})
}

// unknownKey says of what is no id of a key in force what to give.
func unknownKey(tokens []Token, id string) error {
	if i := slices.IndexFunc(tokens, func(t Token) bool { return t.Name == id }); i >= 0 {
		return &rollcall.Invalid{Field: "API key", Value: id, Reason: "is the name of one, whose id is " + tokens[i].ID + "; give that", Code: "api_key"}
	}
	return &rollcall.Unknown{Kind: "API key", Name: id, Advice: "`rollcall token list` has the ids of those in force"}
}

// mostRevoked is how many keys that were revoked are remembered.
const mostRevoked = 1000

func forgetOldest(tokens []Token) []Token {
	revoked := len(tokens) - len(inForce(tokens))
	return slices.DeleteFunc(tokens, func(t Token) bool {
		if t.Revoked.IsZero() || revoked <= mostRevoked {
			return false
		}
		revoked--
		return true
	})
}

// changeTokens reads the file, and puts what change makes of it in its place. Of
// several processes that do so, one after the other does.
func changeTokens(path string, change func([]Token) ([]Token, error)) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	return locked(path, func() error {
		tokens, err := (&Keyring{path: path}).All()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if tokens, err = change(slices.Clone(tokens)); err != nil {
			return err
		}
		return writeTokens(path, tokens)
	})
}

// locked does what changes the keys' file, or the one of their use, while no other
// process does.
func locked(path string, change func() error) (err error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600) // the file itself is replaced
	if err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("API keys: lock: %w", err)
	}
	return change()
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
	if err := replaceFile(path, text.Bytes()); err != nil {
		return fmt.Errorf("API keys: %w", err)
	}
	return nil
}

func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// find finds the key, looking at every one in the same time.
func (k *Keyring) find(key string) (found Token, ok bool) {
	tokens, err := k.Tokens()
	if err != nil || key == "" {
		return found, false
	}
	given := []byte(hashOf(key))
	for _, t := range tokens {
		if subtle.ConstantTimeCompare(given, []byte(strings.ToLower(t.Hash))) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// named finds the key of an id.
func (k *Keyring) named(id string) (Token, bool) {
	tokens, err := k.Tokens()
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id })
	if err != nil || i < 0 {
		return Token{}, false
	}
	return tokens[i], true
}
