package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rollcall/ingest"
)

// keyVariable is the environment variable that may hold the master key itself.
const keyVariable = "ROLLCALL_KEY"

// keys reads the pseudonyms' master key: the file that is named, the
// environment, or the data folder's. Only with the embedded log is one made:
// on a cluster, a process with a key of its own would count everyone twice.
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
	return folderKey(e.Data)
}

// folderKey reads the folder's own key, made on first use.
func folderKey(dir string) (*ingest.Keys, error) {
	path := keyPath(dir)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newMasterKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return parseKey(string(text), path)
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
