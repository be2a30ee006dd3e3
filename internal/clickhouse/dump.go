package clickhouse

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// Dump writes the store's facts as text, a line for each row of each table, in
// the order of its key: two stores of the same facts give the same bytes.
// Sketches are hexadecimal and canonical, texts quoted. The store's id and
// masters are left out. Tables are read one after another: what is written meanwhile may be in
// one and not in the next.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := s.dump(ctx, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("dump the store: %w", failure(ctx, err))
	}
	return nil
}

func (s *Store) dump(ctx context.Context, w *bufio.Writer) error {
	if err := s.dumpTable(ctx, w, "settings", "name, value", "settings WHERE name != 'id'"); err != nil {
		return err
	}
	if err := s.dumpCells(ctx, w); err != nil {
		return fmt.Errorf("table cells: %w", err)
	}
	if err := s.dumpDiaries(ctx, w); err != nil {
		return fmt.Errorf("table diaries: %w", err)
	}
	for _, t := range []struct{ name, columns, from string }{
		{"markets", "market, name, zone, CAST(" + isSimulated + ", 'Bool')", "markets FINAL"},
		{"services", "service, name, brand, owner", "services FINAL"},
		{"objects", "hash, body", "objects FINAL"},
		{"panel_files", "market, panel, month, roster, universe", "panel_files FINAL"},
		{"rosters", "market, panel, month, roster", "rosters FINAL"},
		{"limits", "market, panel, low, caution", "limits FINAL"},
		{"exclusions", "market, panel, month, time, panelist, service, day, reason", "exclusions FINAL"},
		{"publications", "market, panel, month, version, time, id, status, internal, reason, document", "publications"},
		{"targets", "name, expression", "targets FINAL"},
		{"withdrawals", "market, panel, month, version, time, reason", "withdrawals FINAL"},
		{"deliveries", "market, panel, month, version, cause, destination, step, time, id, state, until, tries, since, holder, text, error", "deliveries"},
		{"ageings", "before, time", "ageings FINAL"},
		{"quarantine", "source, row, time, reason, body, second", "quarantine FINAL"},
	} {
		if err := s.dumpTable(ctx, w, t.name, t.columns, t.from); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return nil
}

// dumpTable has the server write each row.
func (s *Store) dumpTable(ctx context.Context, w *bufio.Writer, name, columns, from string) error {
	fmt.Fprintf(w, "# %s: %s\n", name, columns) // a bufio.Writer keeps its error for Flush
	query := fmt.Sprintf(`SELECT toString(tuple(%s)) FROM %s ORDER BY %s`, columns, from, columns)
	return s.each(ctx, func(r driver.Rows) (bool, error) {
		var line string
		if err := r.Scan(&line); err != nil {
			return false, err
		}
		_, err := fmt.Fprintln(w, line)
		return true, err
	}, query)
}

func (s *Store) dumpCells(ctx context.Context, w *bufio.Writer) (err error) {
	fmt.Fprintln(w, "# cells")
	_, read := s.cells(ctx, `1`, nil, func(r rollcall.CellRow) bool {
		_, err = fmt.Fprintf(w, "%q %v %q %v %v %v %x %x\n",
			r.Market, r.Day, r.Service, r.Location, r.Kind, r.Key, r.Visitors, r.CellState.Minutes)
		return err == nil
	})
	if read != nil {
		return read
	}
	return err
}

func (s *Store) dumpDiaries(ctx context.Context, w *bufio.Writer) (err error) {
	fmt.Fprintln(w, "# diaries")
	_, read := s.diaries(ctx, `1`, nil, func(r *rollcall.DiaryRow) bool {
		fmt.Fprintf(w, "%q %q %v %v %q %v %v %v", r.Market, r.Panel, r.Day, r.Panelist, r.Service, r.Location, r.Kind, r.Key)
		for from, to := range r.Minutes.Runs {
			fmt.Fprintf(w, " %d-%d", from, to)
		}
		_, err = fmt.Fprintln(w)
		return err == nil
	})
	if read != nil {
		return read
	}
	return err
}
