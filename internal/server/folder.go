package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rollcall"
)

// takeFolder takes the data folder, where the log or the store is in it.
func (p *Process) takeFolder() error {
	if p.engine.Clickhouse != "" {
		return nil
	}
	held, err := hold(p.engine.Data)
	if err != nil {
		return err
	}
	p.onClose("lock", held.release)
	return nil
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

// MakeDemonstration makes a folder the demonstration's, with this master key,
// and leaves one alone that is. Any other that holds something is refused.
func MakeDemonstration(dir string, master []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if !isDemonstration(dir) {
		holds, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		if len(holds) > 0 {
			return UsageError{Err: fmt.Errorf("folder %s is not the demonstration's: it holds something and has no file %q; name an empty folder or a new one with --data", dir, demonstrationFile)}
		}
		const text = "Made by `rollcall demo`. All that is in this folder is simulated, and its\npseudonyms hide nobody. It may be deleted.\n"
		if err := os.WriteFile(filepath.Join(dir, demonstrationFile), []byte(text), 0o600); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	return giveKey(dir, master)
}

// demonstrationFile marks the demonstration's folder.
const demonstrationFile = "demonstration"

func isDemonstration(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, demonstrationFile))
	return err == nil
}
