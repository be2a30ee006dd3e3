package release

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// File is one file of an archive.
type File struct {
	Name    string // in the archive
	From    string // where its content is; empty: it is Text
	Text    []byte
	Program bool // may be run
}

// content gives what the file holds.
func (f *File) content() ([]byte, error) {
	if f.From == "" {
		return f.Text, nil
	}
	return os.ReadFile(f.From)
}

// Archive writes a tar.gz of the files in one folder. Its bytes depend on the
// names and contents alone: not on the order, nor on whose files they are, their
// modes or their times, for which the given one stands.
func Archive(w io.Writer, folder string, at time.Time, files []File) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	packed.OS = 255 // unknown: not that of this machine
	out := tar.NewWriter(packed)
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range files {
		content, err := f.content()
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if f.Program {
			mode = 0o755
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: folder + "/" + f.Name, Size: int64(len(content)), Mode: mode,
			ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX,
		}
		if err := out.WriteHeader(header); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if _, err := out.Write(content); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return packed.Close()
}
