package masters

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"rollcall"
	"rollcall/ingest"
)

// Place is where a process's master keys are: in a file, or in its environment.
type Place struct {
	Path string // of the file; "": the environment has them
	Text string // what the environment has
	Name string // what a user calls the place
}

// longest bounds what is read of a key file.
const longest = 64 << 10

// Read reads the place; none where there is no file.
func (p *Place) Read() ([]ingest.Master, error) {
	if *p == (Place{}) {
		return nil, nil
	}
	if p.Path == "" {
		return Parse(p.Text, p.Name)
	}
	f, err := os.Open(p.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longest+1))
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return Parse(string(text), p.Name)
}

// Loose gives the file's mode where others than its owner and group may read it.
func (p *Place) Loose() (mode fs.FileMode, loose bool) {
	if p.Path == "" {
		return 0, false
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o007 != 0
}

// Parse reads a key file, which its errors call where:
//
//	64 or more hexadecimal digits [ "from" YYYY-MM-DD [ "lost" ] ]
//
// a line a master key, in any order, with blank lines and those that begin with
// # between. A key is for the days from that day on until the next one's; one
// without a day is for all before. "lost" says that those of the days before
// are lost, so that panels have a new key too. No error quotes what it found.
func Parse(text, where string) ([]ingest.Master, error) {
	if len(text) > longest {
		return nil, fmt.Errorf("master key: %s is longer than %d bytes: %w", where, longest, rollcall.ErrInvalid)
	}
	var all []ingest.Master
	line := 0
	for text := range strings.SplitSeq(text, "\n") {
		line++
		words := strings.Fields(text)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		m, err := parseMaster(words)
		if err == nil {
			err = unlike(all, &m)
		}
		if err != nil {
			return nil, fmt.Errorf("master key: %s, line %d: %w: %w", where, line, err, rollcall.ErrInvalid)
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("master key: %s has none: %w", where, rollcall.ErrInvalid)
	}
	return inOrder(all), nil
}

func parseMaster(words []string) (m ingest.Master, err error) {
	if m.Secret, err = hex.DecodeString(words[0]); err != nil {
		return m, errors.New("is not hexadecimal, or was cut")
	}
	if len(m.Secret) < ingest.MasterSize {
		return m, fmt.Errorf("has %d bytes, want at least %d: it may have been cut", len(m.Secret), ingest.MasterSize)
	}
	if len(words) == 1 {
		return m, nil
	}
	m.Lost = len(words) == 4 && words[3] == "lost"
	if words[1] != "from" || len(words) < 3 || len(words) > 3 && !m.Lost {
		return m, errors.New(`has something else after the key than "from YYYY-MM-DD" or "from YYYY-MM-DD lost"`)
	}
	if m.From, err = rollcall.ParseDay(words[2]); err != nil || m.From <= 0 {
		return m, errors.New("has a first day that is not a date YYYY-MM-DD after 1970-01-01")
	}
	return m, nil
}

// unlike refuses a key that is there twice, and two of one day.
func unlike(all []ingest.Master, m *ingest.Master) error {
	for i := range all {
		switch {
		case all[i].ID() == m.ID():
			return errors.New("is there twice")
		case all[i].From == m.From && m.From == 0:
			return errors.New("is a second one without a first day")
		case all[i].From == m.From:
			return fmt.Errorf("is a second one from %s on", m.From)
		}
	}
	return nil
}

// Format writes what Parse reads.
func Format(all []ingest.Master) []byte {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(hex.EncodeToString(m.Secret))
		if m.From != 0 {
			b.WriteString(" from " + m.From.String())
		}
		if m.Lost {
			b.WriteString(" lost")
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// NewSecret makes a master key.
func NewSecret() []byte {
	secret := make([]byte, ingest.MasterSize)
	rand.Read(secret)
	return secret
}

// Create makes a key file with mode 0600; one that is there is fs.ErrExist.
func Create(path string, secret []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return write(f, []ingest.Master{{Secret: secret}})
}

func write(f *os.File, all []ingest.Master) error {
	_, err := f.Write(Format(all))
	return errors.Join(err, f.Sync(), f.Close())
}

// lock holds the file's folder against other rotations, until release: a killed
// process holds nothing.
func (p *Place) lock() (release func() error, err error) {
	f, err := os.Open(filepath.Dir(p.Path))
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%w: another rotation of %s is under way", rollcall.ErrConflict, p.Name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// change puts what f makes of a key file in its place, at once, with the same
// owner and mode: nobody reads half of one. The caller holds the lock.
func change(path string, f func([]ingest.Master) ([]ingest.Master, error)) (err error) {
	if itself, err := filepath.EvalSymlinks(path); err == nil {
		path = itself
	}
	draft, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	now, err := (&Place{Path: path, Name: path}).Read()
	if err == nil {
		now, err = f(now)
	}
	if err == nil {
		err = like(draft, path)
	}
	if err != nil {
		return errors.Join(err, draft.Close())
	}
	if err := write(draft, now); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// like gives a file the owner and mode of another, where there is one: the
// process that reads it may be another user's.
func like(f *os.File, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := f.Chown(int(of.Uid), int(of.Gid)); err != nil {
		return fmt.Errorf("master key: the new file can't be given to the owner of %s: %w", path, err)
	}
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// inOrder sorts keys by their first days.
func inOrder(all []ingest.Master) []ingest.Master {
	slices.SortFunc(all, func(a, b ingest.Master) int { return cmp.Compare(a.From, b.From) })
	return all
}
