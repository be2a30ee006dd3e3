package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// each gives scan the rows of a query until it wants no more. Closing rows
// would read the rest of them, so the query is cancelled first.
func (s *database) each(ctx context.Context, scan func(driver.Rows) (more bool, err error), query string, args ...any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		more, err := scan(rows)
		if err != nil || !more {
			cancel()
			_ = rows.Close() // the error of the cancelling
			return err
		}
	}
	return rows.Err()
}

// list reads all that a query gives.
func list[T any](ctx context.Context, s *database, scan func(driver.Rows) (T, error), query string, args ...any) (all []T, err error) {
	err = s.each(ctx, func(r driver.Rows) (bool, error) {
		v, err := scan(r)
		all = append(all, v)
		return true, err
	}, query, args...)
	if err != nil {
		return nil, failure(ctx, err)
	}
	return all, nil
}

// insert writes rows in one native batch. query names table and columns.
func insert(ctx context.Context, db driver.Conn, query string, rows ...[]any) error {
	batch, err := db.PrepareBatch(ctx, query)
	if err != nil {
		return err
	}
	defer batch.Abort() //nolint:errcheck // after Send it only says that it was sent
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			return err
		}
	}
	return batch.Send()
}

// put writes one row.
func (s *database) put(ctx context.Context, query string, row ...any) error {
	return failure(ctx, insert(ctx, s.db, query, row))
}

// The days and times that the tables' types hold.
var (
	firstDay  = rollcall.DayOf(1900, time.January, 1)
	lastDay   = rollcall.DayOf(2299, time.December, 31)
	firstTime = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2262, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// clamp brings a day into those that a Date32 holds.
func clamp(d rollcall.Day) rollcall.Day { return min(max(d, firstDay), lastDay) }

// dayTime gives a day as the driver takes a Date32.
func dayTime(d rollcall.Day) time.Time {
	const secondsPerDay = 24 * 60 * 60
	return time.Unix(int64(d)*secondsPerDay, 0).UTC()
}

// checkMonth and checkTime refuse what would come back as another.
func checkMonth(m rollcall.Month) error {
	if m.First() < firstDay || m.Last() > lastDay {
		return &rollcall.Invalid{Field: "month", Value: m.String(), Reason: "is outside the years 1900 to 2299", Code: "month"}
	}
	return nil
}

func checkTime(t time.Time) error {
	if t.Before(firstTime) || !t.Before(lastTime) {
		return &rollcall.Invalid{Field: "time", Value: t.Format(time.RFC3339), Reason: "is outside the years 1900 to 2261", Code: "time"}
	}
	return nil
}

// A column read back as one of the root's own types.

type monthColumn struct{ to *rollcall.Month }

// Scan reads a month's first day.
func (c monthColumn) Scan(v any) error {
	t, ok := v.(time.Time)
	if !ok {
		return fmt.Errorf("a month is a %T", v)
	}
	year, month, _ := t.Date()
	*c.to = rollcall.MonthOf(year, month)
	return nil
}

type dayColumn struct{ to *rollcall.Day }

// Scan reads a day.
func (c dayColumn) Scan(v any) error {
	t, ok := v.(time.Time)
	if !ok {
		return fmt.Errorf("a day is a %T", v)
	}
	*c.to = rollcall.DayOf(t.Date())
	return nil
}

type timeColumn struct{ to *time.Time }

// Scan reads a time as UTC.
func (c timeColumn) Scan(v any) error {
	t, ok := v.(time.Time)
	if !ok {
		return fmt.Errorf("a time is a %T", v)
	}
	*c.to = t.UTC()
	return nil
}

type hashColumn struct{ to *rollcall.Hash }

// Scan reads 64 hexadecimal digits, or none.
func (c hashColumn) Scan(v any) (err error) {
	*c.to, err = rollcall.ParseHash(fmt.Sprint(v))
	return err
}
