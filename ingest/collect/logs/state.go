package logs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// beginning is how much of a file tells it from others.
const beginning = 1 << 10

// identity tells a file from others by how it begins, whatever its name became.
// It is a hash, so that no account is written anywhere.
type identity struct {
	Size int64  `json:"size"`
	Hash string `json:"hash"`
}

// identify hashes the first bytes of a file.
func identify(r io.Reader, size int64) (identity, error) {
	size = min(size, beginning)
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return identity{}, err
	}
	sum := sha256.Sum256(text)
	return identity{size, hex.EncodeToString(sum[:])}, nil
}

// checkpoint is where reading begins anew: at the first line that something
// still open needs. What is read twice counts once.
type checkpoint struct {
	Version int      `json:"version"`
	File    identity `json:"file"`
	Offset  int64    `json:"offset"`
}

const stateVersion = 1

// state is the file of a followed log's checkpoint.
type state struct{ path string }

// newState names the state of a log in a folder, which is made.
func newState(dir, log string) (*state, error) {
	whole, err := filepath.Abs(log)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(whole))
	return &state{filepath.Join(dir, filepath.Base(log)+"-"+hex.EncodeToString(sum[:4])+".json")}, nil
}

// load gives the checkpoint; ok is false where there is none yet.
func (s *state) load() (c checkpoint, ok bool, err error) {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Version != stateVersion || c.Offset < 0 || c.File.Size < 0 {
		return c, false, fmt.Errorf("%s: is no checkpoint of version %d; without it the log is read from its beginning", s.path, stateVersion)
	}
	return c, true, nil
}

// save replaces the checkpoint, and never leaves a half of one.
func (s *state) save(c checkpoint) error {
	c.Version = stateVersion
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".checkpoint-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone once it is renamed
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.path)
}
