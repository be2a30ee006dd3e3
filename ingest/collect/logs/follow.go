package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rollcall/ingest/packed"
)

// Follower reads a log as it is written, over rotations by renaming and by
// copying and truncating, and goes on where it was.
type Follower struct {
	Log    *Log
	Path   string
	State  string                      // the folder of checkpoints; empty: none are written
	Commit func(context.Context) error // returns when what was said is where it belongs
	Warn   func(string)                // says what may have been missed
	Count  func(string)                // says, every ten minutes of log time, what became of the lines so far

	state *state
	file  *os.File // nil: there is none now
	in    *lines
	files []placed // that something open may need, the one that is read last
	told  time.Time
	alien bool // it was said that the profile knows no line, nobody in them, or not whom to drop
	saved int64
}

// placed is a file, and the position at which it begins: positions run on from
// file to file.
type placed struct {
	identity
	from int64
}

const (
	tellEvery = 10 * time.Minute   // of log time: how often what is open is said
	needed    = 7 * 24 * time.Hour // an older session is not read again from its beginning
	aliens    = 100                // so many lines that the profile doesn't know may be another source's
)

// Run reads what is there and then, at each tick, what is new, until the context
// is done.
func (f *Follower) Run(ctx context.Context, tick <-chan time.Time) error {
	defer f.close()
	if err := f.resume(); err != nil {
		return err
	}
	if err := f.open(); err == nil && f.file == nil {
		f.warn("is not there yet; it is read when it is")
	}
	for {
		if err := f.step(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return f.stop(ctx)
		case <-tick:
		}
	}
}

// stop says what is open so far. It is read again from its beginning next time.
func (f *Follower) stop(ctx context.Context) error {
	return errors.Join(f.Log.Tell(), f.commit(context.WithoutCancel(ctx)))
}

// step reads what is new, and follows the log into its next file.
func (f *Follower) step(ctx context.Context) error {
	for {
		if err := f.open(); err != nil || f.file == nil {
			return err
		}
		before := f.in.at
		if err := f.drain(ctx, f.in); err != nil {
			return err
		}
		again, err := f.next(ctx, before)
		if err != nil {
			return err
		}
		if !again {
			break
		}
	}
	if now := f.Log.Now(); now.Sub(f.told) >= tellEvery {
		f.told = now
		if err := f.Log.Tell(); err != nil {
			return err
		}
		if f.Count != nil {
			f.Count(f.Path + ": " + f.Log.String())
		}
	}
	f.strange()
	return f.commit(ctx)
}

// strange warns once of a log of which the profile knows no line, nobody in them, or not
// whom to drop.
func (f *Follower) strange() {
	if f.alien || f.Log.Rows() < aliens {
		return
	}
	text := f.Log.Undropped()
	if nobody := f.Log.Nobody(); nobody != "" {
		text = "counts nobody: " + nobody
	}
	if n := f.Log.AllOther(); n > 0 {
		text = fmt.Sprintf("the profile knows none of its first %d lines: they may be another source's", n)
	}
	if text != "" {
		f.alien = true
		f.warn(text)
	}
}

// open opens the log where none is open.
func (f *Follower) open() error {
	if f.file != nil {
		return nil
	}
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // between two files of a rotation
	}
	if err != nil {
		return err
	}
	f.begin(file, 0)
	return nil
}

// begin reads on in a file from an offset.
func (f *Follower) begin(file *os.File, offset int64) {
	from := int64(0)
	if f.in != nil {
		from = f.place() + f.in.at
	}
	f.file, f.in = file, newLines(file)
	f.in.at = offset
	f.files = append(f.files, placed{from: from - offset})
}

// place is the position at which the file that is read begins.
func (f *Follower) place() int64 { return f.files[len(f.files)-1].from }

// drain reads the whole lines that there are.
func (f *Follower) drain(ctx context.Context, in *lines) error {
	for {
		position := f.place() + in.at
		at, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at.No = int(position)
		if err := f.Log.Line(at); err != nil {
			return err
		}
		if in.no%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// identify notes how the file begins, as far as that was read.
func (f *Follower) identify() error {
	on := &f.files[len(f.files)-1]
	if on.Size == min(f.in.at, beginning) {
		return nil
	}
	now, err := identify(io.NewSectionReader(f.file, 0, beginning), f.in.at)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil // it was truncated meanwhile, which is seen next
	}
	on.identity = now
	return err
}

// next finds whether the log goes on in another file, or was truncated. Where it
// was, what was read after before may be of the new text.
func (f *Follower) next(ctx context.Context, before int64) (bool, error) {
	here, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	on := f.files[len(f.files)-1]
	if cut, err := f.truncated(here.Size(), on); err != nil || cut {
		if cut {
			f.in.at = before
			err = f.rest(ctx, on)
		}
		return cut, err
	}
	if err := f.identify(); err != nil {
		return false, err
	}
	there, err := os.Stat(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // renamed; what writes it may still do so
	}
	if err != nil || os.SameFile(here, there) {
		return false, err
	}
	if err := f.drain(ctx, f.in); err != nil { // what was written until it was renamed
		return false, err
	}
	return true, f.last()
}

// last reads a file's last line, and leaves the file.
func (f *Follower) last() error {
	if err := f.unended(); err != nil {
		return err
	}
	err := f.identify()
	f.close()
	return err
}

// unended reads a last line that will have no end any more.
func (f *Follower) unended() error {
	position := f.place() + f.in.at
	at, ok := f.in.rest()
	if !ok {
		return nil
	}
	at.No = int(position)
	return f.Log.Line(at)
}

func (f *Follower) close() {
	if f.file != nil {
		_ = f.file.Close() // was only read
		f.file = nil
	}
}

// truncated reports whether the file no longer is what was read of it.
func (f *Follower) truncated(size int64, on placed) (bool, error) {
	if size < f.in.at+f.in.size || size < on.Size {
		return true, nil
	}
	now, err := identify(io.NewSectionReader(f.file, 0, beginning), on.Size)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true, nil // since its size was asked
	}
	return now != on.identity && on.Size > 0, err
}

// rest reads the rest of a truncated file in its copy, if there is one.
func (f *Follower) rest(ctx context.Context, on placed) error {
	defer f.close()
	copied, err := f.find(on.identity)
	if err != nil {
		return err
	}
	if copied == "" {
		f.warn("was truncated, and no copy of it is beside it: lines since the last look may be missing")
		return nil
	}
	return f.readFrom(ctx, copied, f.in.at)
}

// readFrom reads a file from an offset to its end.
func (f *Follower) readFrom(ctx context.Context, path string, offset int64) error {
	r, err := packed.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f.in.again(r)
	if err := f.drain(ctx, f.in); err != nil {
		return err
	}
	return f.unended()
}

// find gives the file beside the log that begins so; "": there is none.
func (f *Follower) find(like identity) (string, error) {
	if like.Size == 0 {
		return "", nil
	}
	beside, err := f.beside()
	if err != nil {
		return "", err
	}
	for _, path := range beside {
		if is, err := identityOf(path, like.Size); err == nil && is == like {
			return path, nil
		}
	}
	return "", nil
}

// beside gives the log's older files, the oldest first.
func (f *Follower) beside() ([]string, error) {
	paths, err := filepath.Glob(escape(f.Path) + "?*")
	if err != nil {
		return nil, err
	}
	type dated struct {
		path    string
		changed time.Time
	}
	var all []dated
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			all = append(all, dated{path, info.ModTime()})
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.changed.Compare(b.changed) })
	paths = paths[:0]
	for _, one := range all {
		paths = append(paths, one.path)
	}
	return paths, nil
}

// escape has a path's own characters mean themselves in a pattern.
func escape(path string) string {
	var out []byte
	for i := range len(path) {
		if c := path[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, path[i])
	}
	return string(out)
}

func identityOf(path string, size int64) (identity, error) {
	r, err := packed.Open(path)
	if err != nil {
		return identity{}, err
	}
	defer r.Close()
	return identify(r, size)
}

func (f *Follower) warn(text string) {
	if f.Warn != nil {
		f.Warn(f.Path + ": " + text)
	}
}
