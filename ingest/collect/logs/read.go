package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"rollcall/ingest/packed"
	"rollcall/ingest/profile"
)

// mark is the byte order mark that some programs begin a text with.
var mark = []byte("\xef\xbb\xbf")

// file is one of a log's files.
type file struct {
	path    string
	changed time.Time // zero: unknown
	begins  time.Time
}

// Stdin is the path of the standard input.
const Stdin = "-"

// Order puts a log's files into the order of their first lines, whatever their
// names, and gives when the first of them was last changed. now stands for a
// stream's.
func Order(r *profile.Reader, paths []string, now time.Time) ([]string, time.Time, error) {
	files := make([]file, 0, len(paths))
	for _, path := range paths {
		f := file{path: path, changed: now}
		if path != Stdin {
			info, err := os.Stat(path)
			if err != nil {
				return nil, now, err
			}
			if info.Mode().IsRegular() {
				f.changed = info.ModTime()
				if f.begins, err = begins(r, path, f.changed); err != nil {
					return nil, now, err
				}
			}
		}
		files = append(files, f)
	}
	slices.SortStableFunc(files, func(a, b file) int { return a.begins.Compare(b.begins) })
	ordered := make([]string, len(files))
	for i, f := range files {
		ordered[i] = f.path
	}
	return ordered, files[0].changed, nil
}

// peeked is how many lines are looked at for a time.
const peeked = 1000

// begins gives the time of a file's first line that has one.
func begins(r *profile.Reader, path string, changed time.Time) (time.Time, error) {
	f, err := packed.Open(path)
	if err != nil {
		return time.Time{}, err
	}
	defer f.Close()
	log := profile.NewLog(r, changed, nil)
	in := newLines(f)
	for range peeked {
		at, err := in.next()
		if err != nil { // the end, or a fault that is said when it is read
			at, _ = in.rest()
		}
		if t := log.Peek(bytes.TrimPrefix(at.Text, mark)); !t.IsZero() || err != nil {
			return t, nil
		}
	}
	return time.Time{}, nil
}

// Read reads files whole, one after the other as one log. stdin is what "-" is.
func (l *Log) Read(ctx context.Context, paths []string, stdin io.Reader) error {
	for i, path := range paths {
		l.files = append(l.files, begun{path: path, after: l.lines})
		if err := l.readFile(ctx, path, stdin); err != nil {
			if i+1 < len(paths) && ctx.Err() == nil {
				return fmt.Errorf("%s: %w; the files after it were not read", path, err)
			}
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (l *Log) readFile(ctx context.Context, path string, stdin io.Reader) error {
	if path == Stdin {
		return l.readAll(ctx, stdin)
	}
	f, err := packed.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.readAll(ctx, f)
}

func (l *Log) readAll(ctx context.Context, r io.Reader) error {
	in, before := newLines(r), l.lines
	defer func() { l.lines = before + in.no }()
	var end error
	for {
		at, err := in.next()
		if packed.Ended(err) {
			end = err
			break
		}
		if err != nil {
			return err
		}
		if at.No == 1 {
			at.Text = bytes.TrimPrefix(at.Text, mark)
		}
		at.No += before
		if err := l.Line(at); err != nil {
			return err
		}
		if in.no%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if last, ok := in.rest(); ok {
		if last.No == 1 {
			last.Text = bytes.TrimPrefix(last.Text, mark)
		}
		last.No += before
		if err := l.Line(last); err != nil {
			return err
		}
	}
	if errors.Is(end, io.EOF) {
		return nil
	}
	return end
}
