package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
)

// Dump writes the store's facts as text, a line for each row of each table,
// in the order of its key: two stores of the same facts give the same bytes.
// Blobs are hexadecimal, texts quoted. What the store knows of its own
// file is left out, its id and masters too.
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
		{"cells", "market, service, location, kind, day, key"},
		{"diaries", "market, panel, month, panelist, day, key"},
		{"markets", "market"},
		{"services", "service"},
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
