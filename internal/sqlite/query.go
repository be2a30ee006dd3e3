package sqlite

import (
	"context"
	"database/sql"
	"fmt"
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
