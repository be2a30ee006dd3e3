package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"

	"rollcall"
	"rollcall/aggregate/hll"
)

// Migrations are never edited once released: a change is a new file, whose
// name begins with the next number.
//
//go:embed migrations/*.sql
var migrations embed.FS

// application marks a Rollcall store among SQLite files: "Roll".
const application = 0x526f6c6c

// migrate runs in one transaction, so that of two processes that open a new
// store at once one makes it and the other finds it made.
func (s *database) migrate(ctx context.Context, k int) error {
	var had, has int
	err := s.write(ctx, func(tx *sql.Tx) error {
		done, err := applied(tx)
		if err != nil {
			return err
		}
		had = done
		if has, err = s.apply(tx, done); err != nil {
			return err
		}
		if done > 0 {
			return nil
		}
		return begin(tx, k)
	})
	if err != nil {
		return err
	}
	if has > had {
		s.log.Info("migrated the store", "from", had, "to", has)
	}
	return s.settings(ctx, k)
}

// applied gives the number of the last migration that the file had, 0 for a
// new file.
func applied(tx *sql.Tx) (int, error) {
	var mark, tables, last int
	if err := tx.QueryRow(`PRAGMA application_id`).Scan(&mark); err != nil {
		return 0, err
	}
	if mark == application {
		err := tx.QueryRow(`SELECT max(number) FROM migrations`).Scan(&last)
		return last, err
	}
	if err := tx.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return 0, err
	}
	if mark != 0 || tables != 0 {
		return 0, fmt.Errorf("%w: the file is another program's database", rollcall.ErrConflict)
	}
	_, err := tx.Exec(fmt.Sprintf(`PRAGMA application_id = %d`, application))
	return 0, err
}

// apply runs the migrations after number done, and gives the last one's number.
func (s *database) apply(tx *sql.Tx, done int) (last int, err error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	if done > len(files) {
		return 0, fmt.Errorf("%w: the store has %d migrations, this Rollcall knows %d: it was made by a newer one", rollcall.ErrConflict, done, len(files))
	}
	for i, f := range files[done:] {
		number, name := done+i+1, f.Name()
		script, err := migrations.ReadFile(path.Join("migrations", name))
		if err != nil {
			return 0, err
		}
		if _, err := tx.Exec(string(script)); err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		if _, err := tx.Exec(`INSERT INTO migrations VALUES (?, ?)`, number, name); err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		s.log.Debug("ran a migration of the store", "migration", name)
	}
	return len(files), nil
}

// begin gives a new store its id and K.
func begin(tx *sql.Tx, k int) error {
	if k == 0 {
		k = hll.DefaultK
	}
	_, err := tx.Exec(`INSERT INTO settings VALUES ('id', ?), ('k', ?)`, newID(), strconv.Itoa(k))
	return err
}

func newID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// settings reads the store's id and K, and compares K with the one asked for.
func (s *database) settings(ctx context.Context, k int) error {
	const query = `SELECT (SELECT value FROM settings WHERE name = 'id'), (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'k')`
	if err := s.readers.QueryRowContext(ctx, query).Scan(&s.id, &s.k); err != nil {
		return fmt.Errorf("read the store's settings: %w", err)
	}
	if k != 0 && k != s.k {
		return fmt.Errorf("%w: the store's sketches have precision %d and %d is asked for; a store keeps the precision it was made with", rollcall.ErrConflict, s.k, k)
	}
	return nil
}
