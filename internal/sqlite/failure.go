package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"rollcall"
)

// failure gives SQLite's errors the kinds of the root: a full disk is an
// ErrFull, a store that another process kept locked an ErrConflict.
func failure(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: no space left on the store's disk; the store is as it was before this write", rollcall.ErrFull)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("%w: another process keeps the store locked (%w)", rollcall.ErrConflict, err)
	case lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: the file is not an SQLite database", rollcall.ErrConflict)
	}
	return err
}
