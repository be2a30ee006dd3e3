package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"rollcall"
)

// AddAgeing records an ageing. One that is recorded already, or that a later
// one includes, changes nothing. From then on Merge leaves out what is older.
func (s *facts) AddAgeing(ctx context.Context, a rollcall.Ageing) error {
	err := s.exec(ctx, `INSERT INTO ageings (before, time) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM ageings WHERE before >= ?1)`,
		a.Before.String(), timeText(a.Time))
	if err != nil {
		return fmt.Errorf("record that months before %s age out: %w", a.Before, err)
	}
	return nil
}

// Ageings gives what was recorded, the earliest month first.
func (s *facts) Ageings(ctx context.Context) ([]rollcall.Ageing, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (a rollcall.Ageing, err error) {
		return a, r.Scan(monthColumn{&a.Before}, timeColumn{&a.Time})
	}, `SELECT before, time FROM ageings ORDER BY before`)
	if err != nil {
		return nil, fmt.Errorf("read what aged out: %w", err)
	}
	return all, nil
}

// LeftOut gives how many cells and diaries Merge has left out since Open, as
// their months had aged out.
func (s *facts) LeftOut() int64 { return s.leftOut.Load() }

// current gives those of the deltas whose months have not aged out.
func current(tx *sql.Tx, d rollcall.Deltas, late *int) (rollcall.Deltas, error) {
	var before string
	if err := tx.QueryRow(`SELECT ifnull(max(before), '') FROM ageings`).Scan(&before); err != nil || before == "" {
		return d, err
	}
	month, err := rollcall.ParseMonth(before)
	return d.From(month.First(), late), err
}

// Rosters gives every roster that months before the given one ever had.
func (s *facts) Rosters(ctx context.Context, before rollcall.Month) ([]rollcall.Hash, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (h rollcall.Hash, err error) { return h, r.Scan(hashColumn{&h}) },
		`SELECT DISTINCT roster FROM rosters WHERE month < ? ORDER BY roster`, before.String())
	if err != nil {
		return nil, fmt.Errorf("list the rosters before %s: %w", before, err)
	}
	return all, nil
}

// RemoveObjects removes objects and gives how many of them were there. Their
// bytes are in the file until RemoveFacts has ended.
func (s *facts) RemoveObjects(ctx context.Context, hashes []rollcall.Hash) (removed int, err error) {
	for _, h := range hashes {
		n, err := s.remove(ctx, `DELETE FROM objects WHERE hash = ?`, h.String())
		if err != nil {
			return removed, fmt.Errorf("remove object %s: %w", h, err)
		}
		removed += n
	}
	return removed, nil
}

// RemoveFacts removes the cells, the diaries and the exclusions of the months
// before the given one, in transactions of a few megabytes, and gives how many
// rows they had. Then it has SQLite write the file anew, which takes as much
// disk again for a while and lets flushes wait, and empties its log: nothing
// of what was removed, here or by RemoveObjects or Erase, is in the files
// after. Where a reader holds the log, the next call does that.
func (s *facts) RemoveFacts(ctx context.Context, before rollcall.Month) (rows int, err error) {
	for _, query := range []string{
		`DELETE FROM exclusions WHERE month < ?1`,
		`DELETE FROM quarantine WHERE month < ?1`,
		`DELETE FROM cells WHERE rowid IN (SELECT rowid FROM cells WHERE day < ?1 LIMIT 256)`,
		`DELETE FROM diaries WHERE (market, panel, month, panelist, day, key) IN
			(SELECT market, panel, month, panelist, day, key FROM diaries WHERE month < ?1 LIMIT 8192)`,
	} {
		bound := before.String()
		if strings.Contains(query, "day < ") {
			bound = before.First().String()
		}
		n, err := s.removeAll(ctx, query, bound)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("remove the facts before %s: %w", before, err)
		}
	}
	if err := s.vacuum(ctx); err != nil {
		return rows, fmt.Errorf("clear the store's file: %w", failure(err))
	}
	return rows, nil
}

// removeAll runs a statement until it removes nothing.
func (s *facts) removeAll(ctx context.Context, query string, args ...any) (rows int, err error) {
	for {
		n, err := s.remove(ctx, query, args...)
		if rows += n; n == 0 || err != nil {
			return rows, err
		}
	}
}

// remove runs a statement in a transaction that also notes that the file must
// be written anew, so that a process killed before that is made up for.
func (s *facts) remove(ctx context.Context, query string, args ...any) (rows int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(query, args...)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if rows = int(n); err != nil || rows == 0 {
			return err
		}
		return noteVacuum(tx)
	})
	return rows, err
}

func noteVacuum(tx *sql.Tx) error {
	_, err := tx.Exec(`INSERT OR REPLACE INTO settings VALUES (?, 'yes')`, vacuumDue)
	return err
}

// vacuumDue is the setting that stands while removed rows may be in the file.
const vacuumDue = "vacuum"

func (s *facts) vacuum(ctx context.Context) error {
	var due bool
	if err := s.readers.QueryRowContext(ctx, `SELECT count(*) FROM settings WHERE name = ?`, vacuumDue).Scan(&due); err != nil || !due {
		return err
	}
	if _, err := s.writer.ExecContext(ctx, `VACUUM`); err != nil {
		return err
	}
	if busy, err := s.emptyLog(ctx); busy || err != nil {
		return err
	}
	return s.exec(ctx, `DELETE FROM settings WHERE name = ?`, vacuumDue)
}

// emptyLog writes SQLite's log into the database and empties it, unless a
// reader holds it for long: flushes wait meanwhile.
func (s *database) emptyLog(ctx context.Context) (busy bool, err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	const long, usual = `PRAGMA busy_timeout = 2000`, `PRAGMA busy_timeout = ` + busyTimeout
	if _, err := conn.ExecContext(ctx, long); err != nil {
		return false, err
	}
	var log, moved int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved)
	_, failed := conn.ExecContext(context.WithoutCancel(ctx), usual)
	return busy, errors.Join(err, failed)
}
