package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rollcall"
	"rollcall/ingest"
)

// engine says where the log and the store are: in a folder, embedded. The same
// flags everywhere.
type engine struct {
	Data  string `help:"Folder of the embedded log and store." default:"rollcall-data" type:"path" placeholder:"DIR"`
	Debug bool   `help:"Log at debug level."`
}

// lock is the folder's one holder.
type lock struct{ file *os.File }

// errHeld says that another process holds the folder.
type errHeld struct {
	dir string
	pid string
}

func (e *errHeld) Error() string {
	return fmt.Sprintf("data folder %s is in use by process %s", e.dir, e.pid)
}

func (e *errHeld) Is(target error) bool { return target == rollcall.ErrConflict }

// hold makes the folder if need be and takes it, or says who has it.
func hold(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "rollcall.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s: lock: %w", dir, err)
		}
		pid, _ := os.ReadFile(f.Name()) // unreadable: the holder stays unnamed
		return nil, &errHeld{dir: dir, pid: strings.TrimSpace(string(pid))}
	}
	l := &lock{file: f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s: lock: %w", dir, err), l.release())
	}
	return l, nil
}

// sign writes the holder's process id.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// release lets the folder go; the file stays, since removing it would race.
func (l *lock) release() error { return l.file.Close() }

// masterKey reads the folder's pseudonym key, made on first use.
func masterKey(dir string) (*ingest.Keys, error) {
	path := filepath.Join(dir, "master.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newMasterKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	master, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("master key: %s is not hexadecimal", path)
	}
	return ingest.NewKeys(master)
}

func newMasterKey(path string) ([]byte, error) {
	master := make([]byte, ingest.MasterSize)
	rand.Read(master)
	text := []byte(hex.EncodeToString(master) + "\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}
