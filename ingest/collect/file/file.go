package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rollcall"
	"rollcall/ingest/collect/columnar"
	"rollcall/internal/gunzip"
)

// Part is one body. A line (or row, or element of a JSON array) that the
// collector names as n is the file's Base+n.
type Part struct {
	Type string // of the body's content
	Body []byte
	Base int // lines or rows before it
	Rows int // lines or rows in it
}

// NDJSON is the content type of whole lines.
const NDJSON = "application/x-ndjson"

// Parts cuts the file at path by what its name ends in: .ndjson, .jsonl,
// .json, .arrow, .arrows, each also with .gz or .zst, and .parquet. progress
// hears, before each part, how many of the file's bytes have been read; it may
// be nil. An error names the file, and where it is not the machine's it wraps
// rollcall.ErrInvalid, and ErrDamaged where that is so; the parts before it hold
// every whole event before the fault. An unfinished last line before a fault is not
// taken.
func Parts(ctx context.Context, path string, progress func(bytesRead, bytesTotal int64)) iter.Seq2[Part, error] {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	return func(yield func(Part, error) bool) {
		s, err := open(path, progress)
		if err != nil {
			yield(Part{}, err)
			return
		}
		defer s.close()
		for part, err := range s.parts() {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Part{}, fmt.Errorf("%s: %w", path, err))
				return
			}
			s.tell()
			if !yield(part, nil) {
				return
			}
		}
		progress(s.size, s.size)
	}
}

// source is an open file.
type source struct {
	*os.File
	size     int64
	read     int64
	progress func(int64, int64)
	format   string // the name's end, without the packing's
	packing  string // ".gz", ".zst" or ""
	unpacked io.ReadCloser
	some     bool // was unpacked
}

// ErrEnding says of a file's name that it is that of no file of events.
const ErrEnding = fault("ends in none of .ndjson, .jsonl, .json, .arrow, .arrows (each also .gz or .zst) and .parquet")

// open says what is wrong with the file as a whole. The error names it.
func open(path string, progress func(int64, int64)) (*source, error) {
	s := &source{progress: progress}
	name := strings.ToLower(path)
	if end := filepath.Ext(name); end == ".gz" || end == ".zst" {
		s.packing, name = end, strings.TrimSuffix(name, end)
	}
	s.format = filepath.Ext(name)
	switch {
	case s.format == ".parquet" && s.packing != "":
		return nil, fmt.Errorf("%s: %w", path, fault("is Parquet inside "+s.packing+", which is not read; unpack it first"))
	case !readable(s.format):
		return nil, fmt.Errorf("%s: %w", path, ErrEnding)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	s.File = f
	if err := s.unpack(); err != nil {
		_ = f.Close() // was only read
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func readable(format string) bool {
	switch format {
	case ".ndjson", ".jsonl", ".json", ".arrow", ".arrows", ".parquet":
		return true
	}
	return false
}

// columns reports whether a form has columns: it has a head at least.
func columns(format string) bool {
	return format == ".arrow" || format == ".arrows" || format == ".parquet"
}

func (s *source) unpack() error {
	info, err := s.Stat()
	if err != nil {
		return cause(err)
	}
	if info.IsDir() {
		return fault("is a folder")
	}
	s.size = info.Size()
	if s.size == 0 && info.Mode().IsRegular() && (s.packing != "" || columns(s.format)) {
		return damage("is empty")
	}
	switch s.packing {
	case ".gz":
		z, err := gunzip.NewReader(s)
		if err != nil {
			return s.packed(err)
		}
		s.unpacked = z
	case ".zst":
		z, err := zstd.NewReader(s, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return s.packed(err)
		}
		s.unpacked = z.IOReadCloser()
	default:
		s.unpacked = io.NopCloser(s)
	}
	return nil
}

// maxWindow is the most memory of a .zst file's own window: zstd --long=27.
const maxWindow = 128 << 20

func (s *source) parts() iter.Seq2[Part, error] {
	switch s.format {
	case ".parquet":
		return s.numbered(s.parquet())
	case ".arrow", ".arrows":
		return s.numbered(columnar.Bodies(s.arrow()))
	}
	return s.lines(unpacking{s})
}

// numbered numbers the rows of bodies.
func (s *source) numbered(bodies iter.Seq2[columnar.Body, error]) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		base := 0
		for body, err := range bodies {
			if err != nil {
				if base > 0 {
					err = fmt.Errorf("after row %d: %w", base, err)
				}
				yield(Part{}, err)
				return
			}
			if !yield(Part{Type: columnar.ContentType, Body: body.Stream, Base: base, Rows: body.Rows}, nil) {
				return
			}
			base += body.Rows
		}
	}
}

// Read reads the file as it is.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.File.Read(b)
	s.read += int64(n)
	return n, err
}

// ReadAt reads the file as it is.
func (s *source) ReadAt(b []byte, at int64) (int, error) {
	n, err := s.File.ReadAt(b, at)
	s.read += int64(n)
	return n, err
}

func (s *source) tell() { s.progress(min(s.read, s.size), s.size) }

func (s *source) close() {
	_ = s.unpacked.Close() // was only read
	_ = s.File.Close()
}

// unpacking reads the file without its packing.
type unpacking struct{ *source }

// Read gives unpacked bytes.
func (u unpacking) Read(b []byte) (int, error) {
	n, err := u.unpacked.Read(b)
	u.source.some = u.source.some || n > 0
	if err == nil || err == io.EOF { // nothing wraps the end here
		return n, err
	}
	return n, u.packed(err)
}

// packed says what an error of the file's packing means; a file that isn't
// packed has only the machine's errors.
func (s *source) packed(err error) error {
	var (
		failed *fs.PathError
		behind *gunzip.Behind
	)
	name := map[string]string{".gz": "gzip", ".zst": "zstd"}[s.packing]
	switch {
	case errors.As(err, &failed):
		return cause(err)
	case name == "":
		return err
	case errors.As(err, &behind):
		return after(behind.Error() + "; what stands before was read")
	case errors.Is(err, zstd.ErrMagicMismatch) && s.some:
		return after("has other bytes after the end of its zstd; what stands before was read")
	case errors.Is(err, io.EOF):
		return damage("is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return damage(name + " is cut short")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return fault("is not " + name + " here")
	}
	return damage(name + " is broken: " + strings.TrimPrefix(err.Error(), name+": "))
}

// cause leaves out the path that the error's own text repeats.
func cause(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// ErrDamaged says of a fault that the file was cut, or changed on its way: to fetch or
// copy it again may mend it.
var ErrDamaged = errors.New("damaged")

// damage is a fault that is ErrDamaged too.
type damage string

// Error gives the words.
func (d damage) Error() string { return string(d) }

// Is reports that damage is ErrDamaged, and a rollcall.ErrInvalid.
func (d damage) Is(target error) bool { return target == ErrDamaged || target == rollcall.ErrInvalid }

// after is a fault behind the end of a packed text, all of which was read.
type after string

// Error gives the words.
func (a after) Error() string { return string(a) }

// Is reports that such a fault is a rollcall.ErrInvalid.
func (a after) Is(target error) bool { return target == rollcall.ErrInvalid }

// fault is what is wrong with a file, in a few words after its name.
type fault string

// Error gives the words.
func (f fault) Error() string { return string(f) }

// Is reports that a fault is a rollcall.ErrInvalid.
func (f fault) Is(target error) bool { return target == rollcall.ErrInvalid }
