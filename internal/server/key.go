package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// keyVariable is the environment variable that may hold the master key itself.
const keyVariable = "ROLLCALL_KEY"

// keys reads the pseudonyms' master key: the file that is named, the
// environment, or the data folder's; nil where there is none.
func (e *Engine) keys() (*ingest.Keys, error) {
	if e.KeyFile != "" {
		text, err := os.ReadFile(e.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("master key: %w", err)
		}
		return parseKey(string(text), e.KeyFile)
	}
	if text := os.Getenv(keyVariable); text != "" {
		return parseKey(text, "$"+keyVariable)
	}
	if e.Clickhouse != "" && len(e.Brokers) == 0 {
		return nil, nil // a reader: whatever needs the key will say so
	}
	if e.onCluster() {
		return nil, UsageError{Err: errors.New("with --brokers the pseudonyms' master key must be given: --key-file FILE, $ROLLCALL_KEY_FILE or $ROLLCALL_KEY")}
	}
	path := keyPath(e.Data)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return parseKey(string(text), path)
}

// keyPlace says where this process's master key is, or would be.
func (e *Engine) keyPlace() string {
	switch {
	case e.KeyFile != "":
		return e.KeyFile
	case os.Getenv(keyVariable) != "":
		return "$" + keyVariable
	}
	return keyPath(e.Data)
}

// masters compares a master key with what the store's facts were made under.
// Another would count everyone twice.
type masters struct {
	engine  *Engine
	store   rollcall.Store
	markets func() *rollcall.Catalogue
}

// check refuses keys that are not the store's. Only for an empty store with the
// embedded log are some made; an empty store of a cluster takes the first ones
// that come.
func (m *masters) check(ctx context.Context, keys **ingest.Keys) error {
	known, err := m.store.Masters(ctx)
	if err != nil {
		return err
	}
	if *keys == nil && !m.engine.onCluster() {
		if *keys, err = m.make(ctx, known); err != nil {
			return err
		}
	}
	if *keys == nil {
		return nil // a reader
	}
	if len(known) == 0 {
		if err := m.store.AddMaster(ctx, rollcall.Master{ID: (*keys).Master(), Time: time.Now()}); err != nil {
			return err
		}
		if known, err = m.store.Masters(ctx); err != nil {
			return err
		}
		known = known[:1] // of two processes at once, one was first
	}
	return m.engine.checkMaster(*keys, known)
}

// checkMaster refuses a master key that is not one of those; none are known of
// a store that is empty.
func (e *Engine) checkMaster(keys *ingest.Keys, known []rollcall.Master) error {
	if len(known) == 0 || slices.ContainsFunc(known, func(m rollcall.Master) bool { return m.ID == keys.Master() }) {
		return nil
	}
	return fmt.Errorf("%w: the master key in %s is another (id %s) than the store's pseudonyms were made under (id %s): put that one there, or name its file with --key-file",
		rollcall.ErrConflict, e.keyPlace(), keys.Master(), known[0].ID)
}

// make makes the folder's key, unless the store has pseudonyms already.
func (m *masters) make(ctx context.Context, known []rollcall.Master) (*ingest.Keys, error) {
	path := keyPath(m.engine.Data)
	used, err := m.used(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(known) > 0:
		return nil, fmt.Errorf("%w: %s is missing, and the store has pseudonyms that were made under it (id %s): put it back, or name its file with --key-file", rollcall.ErrConflict, path, known[0].ID)
	case used:
		return nil, fmt.Errorf("%w: %s is missing, and the store has pseudonyms that were made under it: put it back, or name its file with --key-file", rollcall.ErrConflict, path)
	}
	text, err := newMasterKey(path)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return parseKey(string(text), path)
}

// used reports whether any market has facts.
func (m *masters) used(ctx context.Context) (bool, error) {
	for _, market := range m.markets().Markets {
		if has, err := m.store.HasFacts(ctx, market.ID); has || err != nil {
			return has, err
		}
	}
	return false, nil
}

// parseKey reads a key; where says where it was found.
func parseKey(text, where string) (*ingest.Keys, error) {
	master, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("master key: %s is not hexadecimal", where)
	}
	keys, err := ingest.NewKeys(master)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return keys, nil
}

func newMasterKey(path string) ([]byte, error) {
	master := make([]byte, ingest.MasterSize)
	rand.Read(master)
	return writeMasterKey(path, master)
}

func writeMasterKey(path string, master []byte) ([]byte, error) {
	text := []byte(hex.EncodeToString(master) + "\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}

func keyPath(dir string) string { return filepath.Join(dir, "master.key") }

// giveKey gives a folder this master key, unless it has one.
func giveKey(dir string, master []byte) error {
	if _, err := writeMasterKey(keyPath(dir), master); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("master key: %w", err)
	}
	return nil
}
