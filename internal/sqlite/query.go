package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"rollcall"
)

// list reads all that a query gives.
func list[T any](ctx context.Context, s *database, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	return listIn(ctx, s.readers, scan, query, args...)
}

// querier is the readers, or a transaction of one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// listIn is list where the caller says.
func listIn[T any](ctx context.Context, in querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := in.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failure(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, failure(rows.Err())
}

// changes is a connection that writes nothing, and so is told of whatever any
// other writes, of this process or another.
type changes struct {
	mu     sync.Mutex // guards the rest
	conn   *sql.Conn  // nil: none is open
	opened int        // how many have been: each counts for itself
}

// number gives one that is another after each write.
func (c *changes) number(ctx context.Context, readers *sql.DB) (text string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		if c.conn, err = readers.Conn(ctx); err != nil {
			return "", err
		}
		c.opened++
	}
	var seen int64
	if err := c.conn.QueryRowContext(context.WithoutCancel(ctx), `PRAGMA data_version`).Scan(&seen); err != nil {
		return "", errors.Join(err, c.drop())
	}
	return fmt.Sprintf("%d/%d", c.opened, seen), nil
}

func (c *changes) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drop()
}

// drop closes the connection; mu is held.
func (c *changes) drop() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}

// Revision tells of any write, whatever it is of: SQLite tells no more.
func (s *catalogue) Revision(ctx context.Context) (rollcall.Revision, error) {
	number, err := s.changes.number(ctx, s.readers)
	if err != nil {
		return rollcall.Revision{}, fmt.Errorf("ask for the store's revision: %w", failure(err))
	}
	return rollcall.Revision{Rest: number}, nil
}

// timeLayout has one length, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// The texts below are read back from columns of their own kind.

type timeColumn struct{ to *time.Time }

// Scan reads what timeText wrote; nothing is no time.
func (c timeColumn) Scan(v any) (err error) {
	if v == nil {
		return nil
	}
	*c.to, err = time.Parse(timeLayout, fmt.Sprint(v))
	return err
}

type monthColumn struct{ to *rollcall.Month }

// Scan reads YYYY-MM.
func (c monthColumn) Scan(v any) (err error) {
	*c.to, err = rollcall.ParseMonth(fmt.Sprint(v))
	return err
}

type hashColumn struct{ to *rollcall.Hash }

// Scan reads 64 hexadecimal digits, or none.
func (c hashColumn) Scan(v any) (err error) {
	*c.to, err = rollcall.ParseHash(fmt.Sprint(v))
	return err
}
