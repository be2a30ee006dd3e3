package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"rollcall"
)

// Backup writes a copy of the store, as of one moment, to a new file of mode
// 0600, and returns when it is on the disk. The store goes on working. The
// copy has an id of its own: opened in this store's place, it reads the whole
// log again, since the offsets that this store committed may be ahead of it.
// A file that exists is refused with an ErrConflict.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := rollcall.CheckLine("file", path); err != nil {
		return err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("back up the store: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		err = fmt.Errorf("%w: the file exists", rollcall.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("back up the store to %s: %w", path, err)
	}
	if err := errors.Join(s.backup(ctx, path), syncBackup(f, path)); err != nil {
		return fmt.Errorf("back up the store to %s: %w", path, errors.Join(failure(err), os.Remove(path)))
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	// VACUUM is refused to a connection that may only query.
	if err := execOnce(ctx, s.path, `VACUUM INTO ?`, path); err != nil {
		return err
	}
	return execOnce(ctx, path, `UPDATE settings SET value = ? WHERE name = 'id'`, newID())
}

// execOnce runs a statement on a connection of its own.
func execOnce(ctx context.Context, path, query string, arg string) error {
	db, err := pool(path, 1, url.Values{})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, query, arg)
	return errors.Join(err, db.Close())
}

// syncBackup closes the file f, which stands at path, when the disk has it and
// its name.
func syncBackup(f *os.File, path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close(), dir.Sync(), dir.Close())
}
