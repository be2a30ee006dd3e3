package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rollcall"
	"rollcall/api/export"
	"rollcall/api/export/folder"
)

// folderTime is how long a folder may take.
const folderTime = 5 * time.Minute

// folder is the destination where versions are written as folders.
func (o *Options) folder() ([]*destination, error) {
	if o.ExportDir == "" {
		return nil, nil
	}
	if info, err := os.Stat(o.ExportDir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("--export-dir %s: is not a folder", o.ExportDir)
	}
	return []*destination{{
		name: "folder", kind: "folder", shown: o.ExportDir, timeout: folderTime,
		do: func(ctx context.Context, s *Schedule, d rollcall.Delivery) error {
			return writeFolder(ctx, s, d, o.ExportDir)
		},
	}}, nil
}

// writeFolder writes a version's folder. One of its name that is there was
// written before: a folder has its name once it is whole.
func writeFolder(ctx context.Context, s *Schedule, d rollcall.Delivery, dir string) error {
	m, err := s.message(ctx, d)
	if err != nil {
		return err
	}
	month, err := m.month(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, month.FolderName())
	if _, err := os.Stat(filepath.Join(path, export.SumsName)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil { // the umask decides
		return err
	}
	var archive bytes.Buffer
	if err := month.Zip(&archive); err != nil {
		return err
	}
	_, err = folder.Write(archive.Bytes(), path)
	return err
}
