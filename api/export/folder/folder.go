// Package folder writes a month's archive as a folder on the disk, whole or not
// at all.
package folder

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Absent is an error where something is at a path.
func Absent(path string) error {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s is there already; nothing is written over", path)
	}
	return err
}

// Write unpacks an archive's files into a folder beside dir, and gives that the
// name dir when all are there and on the disk. It gives how many files they are.
func Write(archive []byte, dir string) (files int, err error) {
	in, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return 0, err
	}
	beside, err := os.MkdirTemp(filepath.Dir(dir), ".rollcall-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }() // after the rename nothing is there
	for _, f := range in.File {
		if err := unpack(f, beside); err != nil {
			return 0, err
		}
	}
	if err := openTo(beside); err != nil {
		return 0, err
	}
	if err := sync(beside); err != nil {
		return 0, err
	}
	if err := Absent(dir); err != nil { // what came meanwhile
		return 0, err
	}
	if err := os.Rename(beside, dir); err != nil {
		return 0, err
	}
	return len(in.File), sync(filepath.Dir(dir))
}

// unpack writes one file of the archive, whose names are plain: no folders but
// the one that holds all.
func unpack(f *zip.File, dir string) error {
	name := path.Base(f.Name)
	if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("the server's archive has a file %q", f.Name)
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666) // the umask decides
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from) //nolint:gosec // our own server's archive
	return errors.Join(err, to.Sync(), to.Close())
}

// sync has the system write what a folder lists to the disk.
func sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openTo gives a folder, made for this process alone, the mode that any new one
// has.
func openTo(dir string) error {
	probe := filepath.Join(dir, ".mode")
	if err := os.Mkdir(probe, 0o777); err != nil { // the umask decides
		return err
	}
	info, err := os.Stat(probe)
	if err == nil {
		err = os.Chmod(dir, info.Mode().Perm())
	}
	return errors.Join(err, os.Remove(probe))
}
