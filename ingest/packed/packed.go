// Package packed opens files of text that may be packed (.gz and .zst), and says what is
// wrong with one that was cut, or changed on its way.
package packed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rollcall/internal/gunzip"
)

// Open opens a file, unpacking .gz and .zst.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gunzip.NewReader(f)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f, zstd.WithDecoderMaxMemory(256<<20)); err == nil {
			return &unpacked{Reader: d, close: func() error { d.Close(); return f.Close() }}, nil
		}
	default:
		return f, nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, packing(err)), f.Close())
	}
	return &unpacked{Reader: r, close: f.Close}, nil
}

type unpacked struct {
	io.Reader
	close func() error
	some  bool // was read
}

// Named reports whether Open unpacks a file of this name.
func Named(path string) bool {
	ending := filepath.Ext(path)
	return ending == ".gz" || ending == ".zst"
}

// Read reads on. A file that was cut, or is still being written, is said to be so.
func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	u.some = u.some || n > 0 // the decoder gives the last of the text with what it makes of the bytes behind
	switch {
	case err == nil || err == io.EOF: // nothing wraps the end here
	case errors.Is(err, zstd.ErrMagicMismatch) && u.some:
		err = after{"has other bytes after the end of its zstd; what stands before was read"}
	default:
		err = packing(err)
	}
	return n, err
}

// Damage is a fault behind which nothing of a file can be read. What stands before was.
type Damage string

// Error gives the words.
func (d Damage) Error() string { return string(d) }

// unpackable is the damage of a packed file that was cut, or changed on its way.
func unpackable(how string) Damage {
	return Damage("the compressed file " + how + ", and was read up to there: fetch or copy the file again")
}

// after is the damage of a packed file that other bytes follow: all of its text was read.
type after struct{ Damage }

// Unwrap gives the damage.
func (a after) Unwrap() error { return a.Damage }

// Ended reports of an error of reading what Open opened that the text was read up to its
// end, whatever follows it in the file.
func Ended(err error) bool {
	var behind after
	return errors.Is(err, io.EOF) || errors.As(err, &behind)
}

// packing says what an error of unpacking means. The machine's own stay as they are.
func packing(err error) error {
	var (
		failed *fs.PathError
		behind *gunzip.Behind
	)
	switch {
	case errors.As(err, &failed):
		return err
	case errors.As(err, &behind):
		return after{Damage(behind.Error() + "; what stands before was read")}
	case errors.Is(err, gzip.ErrHeader):
		return errors.New("is not gzip; name it by what it is")
	case errors.Is(err, zstd.ErrMagicMismatch):
		return errors.New("is not zstd; name it by what it is")
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return err
	case errors.Is(err, io.EOF):
		return Damage("the compressed file is empty: fetch or copy the file again")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return unpackable("ends in the middle")
	}
	return unpackable("is broken here (" + strings.TrimPrefix(err.Error(), "gzip: ") + ")")
}

// Close closes the file.
func (u *unpacked) Close() error { return u.close() }
