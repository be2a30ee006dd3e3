package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rollcall/internal/test/engines/cache"
)

// The npm package that holds ClickHouse as libchdb.so, its "integrity" at this
// version, and the file wanted of it. npm's "latest" is older and can't listen.
const (
	clickHousePackage = "@chdb/lib-linux-x64-gnu@" + cache.ClickHouseVersion
	clickHouseSHA512  = "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="
	clickHouseFile    = "package/libchdb.so"
)

// clickHouse packs the npm package and takes the library out of it.
func clickHouse(ctx context.Context, partial string) error {
	err := command(ctx, partial, "npm", "pack", "--silent", clickHousePackage)
	if err != nil {
		return err
	}
	packs, err := filepath.Glob(filepath.Join(partial, "*.tgz"))
	if err != nil {
		return err
	}
	if len(packs) != 1 {
		return fmt.Errorf("npm pack %s: %d archives, want 1", clickHousePackage, len(packs))
	}
	library := filepath.Join(partial, filepath.Base(clickHouseFile))
	if err := unpack(packs[0], clickHouseSHA512, clickHouseFile, library); err != nil {
		return fmt.Errorf("unpack %s: %w", packs[0], err)
	}
	return os.Remove(packs[0])
}

// unpack writes one file of a .tgz to path, after the whole archive has been
// held against its SHA-512 in base64.
func unpack(archive, sum, name, path string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("sha512 is %s, want %s", got, sum)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	member, err := find(f, name)
	if err != nil {
		return err
	}
	return write(path, member)
}

// find reads a .tgz up to the file called name.
func find(archive io.Reader, name string) (io.Reader, error) {
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		if header.Name == name {
			return files, nil
		}
	}
}

func write(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		_ = f.Close() // the copy's error says more
		return err
	}
	return f.Close()
}
