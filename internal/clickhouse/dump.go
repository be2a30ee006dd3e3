package clickhouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// Dump writes the store's facts as text, a line for each row of each table, in
// the order of its key: two stores of the same facts give the same bytes.
// Sketches are hexadecimal and canonical, texts quoted. The store's id and
// masters are left out, and the audit log, which is of what was done and not of
// what was seen. Tables are read one after another: what is written meanwhile may be in
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
	if err := s.dumpTable(ctx, w, "settings", "name, value", "settings WHERE name NOT IN ('id', '"+copyOf+"', '"+copied+"')"); err != nil {
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
		{"services", "service, name, brand, owner, census, epoch, colour", "services FINAL"},
		{"segments", "segment, name, merged_into", "segments FINAL"},
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
		{"corrections", "time, action, market, service, segment, first, last, key, visitor, reason", "(SELECT DISTINCT * FROM corrections)"},
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
		_, err = fmt.Fprintf(w, "%q %v %q %v %v %v %q %q %x %x %t %x %t\n",
			r.Market, r.Day, r.Service, r.Location, r.Kind, r.Key, r.Platform.Stored(), string(r.Segment), r.Visitors, r.CellState.Minutes, r.Coarse, r.Accounts, r.Exact)
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

// Inventory lists what is held and no other list leads to.
func (s *Store) Inventory(ctx context.Context) (held rollcall.Inventory, err error) {
	facts := func(r driver.Rows) (m rollcall.PanelMonth, err error) {
		var month uint32
		err = r.Scan((*string)(&m.Market), (*string)(&m.Panel), &month)
		m.Month = rollcall.MonthOf(int(month/100), time.Month(month%100))
		return m, err
	}
	month := func(r driver.Rows) (m rollcall.PanelMonth, err error) {
		return m, r.Scan((*string)(&m.Market), (*string)(&m.Panel), monthColumn{&m.Month})
	}
	cells, err1 := list(ctx, s.database, facts, `SELECT DISTINCT market, '', toYYYYMM(day) AS month FROM cells ORDER BY market, month`)
	diaries, err2 := list(ctx, s.database, facts, `SELECT DISTINCT market, panel, toYYYYMM(day) AS month FROM diaries ORDER BY market, panel, month`)
	held.Facts = append(cells, diaries...)
	var errs [6]error
	held.Objects, errs[0] = list(ctx, s.database, func(r driver.Rows) (h rollcall.Hash, err error) { return h, r.Scan(hashColumn{&h}) },
		`SELECT DISTINCT hash FROM objects ORDER BY hash`)
	held.Rosters, errs[1] = list(ctx, s.database, func(r driver.Rows) (o rollcall.PanelObjects, err error) {
		return o, r.Scan((*string)(&o.Market), (*string)(&o.Panel), monthColumn{&o.Month}, hashColumn{&o.Roster})
	}, `SELECT DISTINCT market, panel, month, roster FROM
		(SELECT market, panel, month, roster FROM rosters UNION ALL SELECT market, panel, month, roster FROM panel_files)
		WHERE roster != '' ORDER BY market, panel, month, roster`)
	held.Limits, errs[2] = list(ctx, s.database, scanLimits, limits+` ORDER BY market, panel`)
	held.Exclusions, errs[3] = list(ctx, s.database, month, `SELECT DISTINCT market, panel, month FROM exclusions ORDER BY market, panel, month`)
	held.Deliveries, errs[4] = list(ctx, s.database, scanDelivery, lastSteps+` ORDER BY month, market, panel, version, cause, destination`)
	held.Audit, errs[5] = list(ctx, s.database, scanAudit, `SELECT DISTINCT time, key, name, action, market, object FROM audit ORDER BY time, key, name, action, market, object`)
	if err := errors.Join(append(errs[:], err1, err2)...); err != nil {
		return held, fmt.Errorf("list what the store holds: %w", err)
	}
	return held, nil
}

// DamagedRows yields what was set aside, the oldest first.
func (s *Store) DamagedRows(ctx context.Context) iter.Seq2[rollcall.DamagedRow, error] {
	return func(yield func(rollcall.DamagedRow, error) bool) {
		err := s.each(ctx, func(r driver.Rows) (bool, error) {
			var d rollcall.DamagedRow
			if err := r.Scan(timeColumn{&d.Time}, &d.Table, &d.Row, (*string)(&d.Market), &d.Month, &d.Reason, &d.Body, &d.Second); err != nil {
				return false, err
			}
			return yield(d, nil), nil
		}, `SELECT time, source, row, market, month, reason, body, second FROM quarantine FINAL ORDER BY time, source, row`)
		if err != nil {
			yield(rollcall.DamagedRow{}, fmt.Errorf("read the rows set aside: %w", failure(ctx, err)))
		}
	}
}

// PutDamagedRow adds a row to those set aside; the same again changes nothing.
func (s *Store) PutDamagedRow(ctx context.Context, d rollcall.DamagedRow) error {
	err := s.put(ctx, `INSERT INTO quarantine (time, source, row, market, month, reason, body, second)`,
		d.Time, d.Table, d.Row, string(d.Market), d.Month, d.Reason, string(d.Body), string(d.Second))
	if err != nil {
		return fmt.Errorf("put a row that was set aside: %w", err)
	}
	return nil
}

// The settings of a store that is made as a copy: of which it is one, and when
// it was whole. Until then it is opened by who copies, and by nobody else.
const (
	copyOf = "copy of"
	copied = "copied"
)

// CopyOf gives the id of the store that this one is a copy of, "" for none, and
// whether it is whole.
func (s *Store) CopyOf(ctx context.Context) (source string, whole bool, err error) {
	has, err := s.settings(ctx)
	if err != nil {
		return "", false, fmt.Errorf("read the store's settings: %w", err)
	}
	return has[copyOf], has[copied] != "", nil
}

// BeginCopy makes the store one that only Options.CopyOf opens. Of two sources
// at once the server lets one in: they carry the same token.
func (s *Store) BeginCopy(ctx context.Context, source string) error {
	return s.setting(ctx, copyOf, source)
}

// EndCopy makes it a store like any other.
func (s *Store) EndCopy(ctx context.Context, at time.Time) error {
	return s.setting(ctx, copied, at.UTC().Format(time.RFC3339))
}

func (s *Store) setting(ctx context.Context, name, value string) error {
	if err := insert(once(ctx, "setting "+name), s.db, `INSERT INTO settings (name, value)`, []any{name, value}); err != nil {
		return fmt.Errorf("write the store's settings: %w", failure(ctx, err))
	}
	return nil
}

// checkCopy refuses an unfinished copy to who does not make it.
func checkCopy(has map[string]string, of string) error {
	switch source := has[copyOf]; {
	case source == "" || source == of || has[copied] != "":
		return nil
	case of == "":
		return fmt.Errorf("%w: the database holds an unfinished copy of store %s: give the same `rollcall store copy` again, and it goes on", rollcall.ErrConflict, source)
	default:
		return fmt.Errorf("%w: the database holds an unfinished copy of store %s, and the one to copy is %s: name another database, or drop this one", rollcall.ErrConflict, source, of)
	}
}
