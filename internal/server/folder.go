package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rollcall"
	"rollcall/internal/sqlite"
)

// takeFolder takes the data folder, where the log or the store is in it.
func (p *Process) takeFolder(ctx context.Context) error {
	if p.engine.Clickhouse != "" {
		return nil
	}
	held, err := waiter{p.command, p.Log}.hold(ctx, p.engine.Data)
	if err != nil {
		return err
	}
	p.onClose("lock", held.release)
	return nil
}

// lock is the folder's one holder. The file says who it is: the process id, and
// the word "command" after it where the holder is one that soon ends.
type lock struct{ file *os.File }

// holder is what a lock's file says; the zero holder is not known yet.
type holder struct {
	pid     int
	command bool
}

// stays reports that waiting for the holder is of no use.
func (h holder) stays() bool {
	return h.pid > 0 && !h.command && unix.Kill(h.pid, 0) == nil // a killed one's word stays in the file
}

// readHolder reads the file, whatever is in it.
func readHolder(path string) (h holder) {
	text, _ := os.ReadFile(path) // unreadable: the holder stays unknown
	words := strings.Fields(string(text))
	if len(words) > 0 {
		h.pid, _ = strconv.Atoi(words[0]) // no number: not known
	}
	h.command = len(words) == 2 && words[1] == commandWord
	return h
}

const commandWord = "command"

// errHeld says that another process holds the folder.
type errHeld struct {
	dir string
	pid int
}

func (e *errHeld) Error() string {
	return fmt.Sprintf("data folder %s is in use by process %d", e.dir, e.pid)
}

func (e *errHeld) Is(target error) bool { return target == rollcall.ErrConflict }

// waiter takes folders.
type waiter struct {
	command bool // others wait for this process
	log     *slog.Logger
}

// hold makes the folder if need be and takes it, or says who has it. Commands
// soon end, and are waited for.
func (w waiter) hold(ctx context.Context, dir string) (*lock, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("data folder %s: is a file; name a folder with --data", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := w.await(ctx, dir, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &lock{file: f}
	if err := l.sign(w.command); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s: lock: %w", dir, err), l.release())
	}
	return l, nil
}

// awaitLock takes the lock when the commands before have ended.
func (w waiter) await(ctx context.Context, dir string, f *os.File) error {
	told := time.After(waitQuietly)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("data folder %s: lock: %w", dir, err)
		}
		by := readHolder(f.Name())
		if by.stays() {
			return &errHeld{dir: dir, pid: by.pid}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-told:
			w.log.Warn("waiting for another command on the same folder", "folder", dir, "process", by.pid)
		case <-time.After(wakePoll):
		}
	}
}

// waitQuietly is how long nothing is said of a wait.
const waitQuietly = 2 * time.Second

// sign writes who the holder is.
func (l *lock) sign(command bool) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	text := strconv.Itoa(os.Getpid())
	if command {
		text += " " + commandWord
	}
	_, err := l.file.WriteAt([]byte(text+"\n"), 0)
	return err
}

func lockPath(dir string) string  { return filepath.Join(dir, "rollcall.lock") }
func storePath(dir string) string { return filepath.Join(dir, "rollcall.db") }

// release lets the folder go; the file stays, since removing it would race, and
// says nothing of who has had it.
func (l *lock) release() error { return errors.Join(l.file.Truncate(0), l.file.Close()) }

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

// Restore makes a data folder of a backup: in dir, which must be empty or new.
// It reads the whole copy, and gives what it found and the master keys that it
// must be started under.
func Restore(ctx context.Context, file, dir string, o Options) (found rollcall.StoreCheck, keys []rollcall.Master, err error) {
	if err := isBackup(file); err != nil {
		return found, nil, fmt.Errorf("restore %s: %w", file, err)
	}
	made, err := emptyFolder(dir)
	if err != nil {
		return found, nil, err
	}
	draft := storePath(dir) + ".draft" // nothing starts on it
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDraft(draft, dir, made))
		}
	}()
	if err := copyFile(file, draft); err != nil {
		return found, nil, fmt.Errorf("restore: %w", err)
	}
	if found, keys, err = readCopy(ctx, draft, o); err != nil {
		return found, nil, fmt.Errorf("restore %s: %w", file, err)
	}
	return found, keys, os.Rename(draft, storePath(dir))
}

// isBackup refuses what no backup begins as. An empty file SQLite would take for a new
// store.
func isBackup(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	switch {
	case err == io.EOF:
		return errors.New("is empty, and no backup")
	case err != nil && err != io.ErrUnexpectedEOF:
		return err
	case string(head[:n]) != magic:
		return errors.New("is no backup: the file is not an SQLite database")
	}
	return nil
}

// emptyFolder makes a folder unless it is there, and says whether it did; it
// fails where the folder holds something.
func emptyFolder(dir string) (made bool, err error) {
	holds, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		made, err = true, os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return false, fmt.Errorf("data folder: %w", err)
	}
	if len(holds) > 0 {
		return false, fmt.Errorf("%w: data folder %s is not empty; restore into a new one", rollcall.ErrConflict, dir)
	}
	return made, nil
}

// removeDraft leaves nothing of a restore that failed.
func removeDraft(draft, dir string, made bool) error {
	err := os.Remove(draft)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if made {
		err = errors.Join(err, os.Remove(dir))
	}
	return err
}

func readCopy(ctx context.Context, path string, o Options) (found rollcall.StoreCheck, keys []rollcall.Master, err error) {
	store, err := sqlite.Open(ctx, path, sqlite.Options{Log: o.Log})
	if err != nil {
		return found, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if found, err = store.Check(ctx, false); err != nil {
		return found, nil, err
	}
	if n := len(found.Faults) + len(found.Damaged); n > 0 {
		return found, nil, fmt.Errorf("%w: it is damaged in %d places; take another backup", rollcall.ErrConflict, n)
	}
	keys, err = store.Masters(ctx)
	return found, rollcall.Needed(keys), err
}

// copyFile copies a file to a new one, which is on the disk then.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
