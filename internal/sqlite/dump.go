package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"

	"rollcall"
)

// Dump writes the store's facts as text, a line for each row of each table,
// in the order of its key: two stores of the same facts give the same bytes.
// Blobs are hexadecimal, texts quoted. What the store knows of its own
// file is left out, its id and masters too, and so is the audit log, which is
// of what was done and not of what was seen.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := s.dump(ctx, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("dump the store: %w", failure(err))
	}
	return nil
}

func (s *Store) dump(ctx context.Context, w io.Writer) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range []struct{ table, order string }{
		{"settings WHERE name NOT IN ('id', '" + vacuumDue + "')", "name"},
		{"cells", "market, service, location, kind, day, key, platform, segment"},
		{"diaries", "market, panel, month, panelist, day, key"},
		{"markets", "market"},
		{"services", "service"},
		{"segments", "segment"},
		{"objects", "hash"},
		{"panel_files", "market, panel, month"},
		{"rosters", "market, panel, month, roster"},
		{"limits", "market, panel"},
		{"exclusions", "market, panel, month, time, panelist, service, day, reason"},
		{"publications", "market, panel, month, version"},
		{"targets", "name"},
		{"withdrawals", "market, panel, month, version"},
		{"deliveries", "market, panel, month, version, cause, destination"},
		{"ageings", "before"},
		{"corrections", "time, action, market, service, segment, first, last, key, visitor, reason"},
		{"quarantine", "source, row, time"},
	} {
		if err := dumpTable(ctx, tx, w, t.table, t.order); err != nil {
			return fmt.Errorf("table %s: %w", t.table, err)
		}
	}
	return nil
}

func dumpTable(ctx context.Context, tx *sql.Tx, w io.Writer, table, order string) error {
	rows, err := tx.QueryContext(ctx, `SELECT * FROM `+table+` ORDER BY `+order) //nolint:gosec // both are constants of the list above
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "# %s: %s\n", table, columns); err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := dumpRow(w, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func dumpRow(w io.Writer, values []any) error {
	for i, v := range values {
		format := " %v"
		switch v.(type) {
		case string:
			format = " %q"
		case []byte:
			format = " %x"
		}
		if i == 0 {
			format = format[1:]
		}
		if _, err := fmt.Fprintf(w, format, v); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// Inventory lists what is held and no other list leads to.
func (s *Store) Inventory(ctx context.Context) (held rollcall.Inventory, err error) {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return held, fmt.Errorf("list what the store holds: %w", failure(err))
	}
	defer tx.Rollback()
	month := func(r *sql.Rows) (m rollcall.PanelMonth, err error) {
		return m, r.Scan(&m.Market, &m.Panel, monthColumn{&m.Month})
	}
	cells, err1 := listIn(ctx, tx, month, `SELECT DISTINCT market, '', substr(day, 1, 7) AS month FROM cells ORDER BY market, month`)
	diaries, err2 := diaryMonths(ctx, tx)
	held.Facts = append(cells, diaries...)
	var errs [6]error
	held.Objects, errs[0] = listIn(ctx, tx, func(r *sql.Rows) (h rollcall.Hash, err error) { return h, r.Scan(hashColumn{&h}) },
		`SELECT hash FROM objects ORDER BY hash`)
	held.Rosters, errs[1] = listIn(ctx, tx, func(r *sql.Rows) (o rollcall.PanelObjects, err error) {
		return o, r.Scan(&o.Market, &o.Panel, monthColumn{&o.Month}, hashColumn{&o.Roster})
	}, `SELECT market, panel, month, roster FROM rosters ORDER BY market, panel, month, roster`)
	held.Limits, errs[2] = listIn(ctx, tx, func(r *sql.Rows) (l rollcall.PanelLimits, err error) {
		return l, r.Scan(&l.Market, &l.Panel, &l.Low, &l.Caution)
	}, `SELECT market, panel, low, caution FROM limits ORDER BY market, panel`)
	held.Exclusions, errs[3] = listIn(ctx, tx, month, `SELECT DISTINCT market, panel, month FROM exclusions ORDER BY market, panel, month`)
	held.Deliveries, errs[4] = listIn(ctx, tx, scanDelivery, lastSteps+` ORDER BY month, market, panel, version, cause, destination`)
	held.Audit, errs[5] = listIn(ctx, tx, scanAudit, `SELECT time, key, name, action, market, object FROM audit ORDER BY time, key, name, action, market, object`)
	if err := errors.Join(append(errs[:], err1, err2)...); err != nil {
		return held, fmt.Errorf("list what the store holds: %w", failure(err))
	}
	return held, nil
}

// DamagedRows yields what was set aside, the oldest first.
func (s *Store) DamagedRows(ctx context.Context) iter.Seq2[rollcall.DamagedRow, error] {
	return func(yield func(rollcall.DamagedRow, error) bool) {
		rows, err := s.readers.QueryContext(ctx, `SELECT time, source, row, market, month, reason, body, second FROM quarantine ORDER BY time, source, row`)
		if err == nil {
			defer rows.Close()
			for rows.Next() {
				var d rollcall.DamagedRow
				if err = rows.Scan(timeColumn{&d.Time}, &d.Table, &d.Row, &d.Market, &d.Month, &d.Reason, &d.Body, &d.Second); err != nil || !yield(d, nil) {
					break
				}
			}
			err = errors.Join(err, rows.Err())
		}
		if err != nil {
			yield(rollcall.DamagedRow{}, fmt.Errorf("read the rows set aside: %w", failure(err)))
		}
	}
}
