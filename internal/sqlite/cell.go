package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

const (
	cellKey = `market = ? AND service = ? AND location = ? AND kind = ? AND day = ? AND key = ?`
	getCell = `SELECT visitors, minutes FROM cells WHERE ` + cellKey
	putCell = `INSERT INTO cells (market, service, location, kind, day, key, visitors, minutes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	setCell = `UPDATE cells SET visitors = ?, minutes = ? WHERE ` + cellKey
)

// cellMerge unites cells with those stored, reusing its memory.
type cellMerge struct {
	get, put, set *sql.Stmt
	sketch        *hll.Sketch
	stored, now   rollcall.CellState
}

func (s *Store) mergeCells(ctx context.Context, tx *sql.Tx, d rollcall.Deltas) error {
	if d.Cells == nil {
		return nil
	}
	m := cellMerge{sketch: hll.New(s.k)}
	var err error
	if m.get, m.put, m.set, err = prepare3(tx, getCell, putCell, setCell); err != nil {
		return err
	}
	for c, state := range d.Cells {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.merge(c, state); err != nil {
			return fmt.Errorf("cell %v: %w", c, err)
		}
	}
	return nil
}

// prepare3 prepares statements that the end of the transaction closes.
func prepare3(tx *sql.Tx, a, b, c string) (x, y, z *sql.Stmt, err error) {
	x, err1 := tx.Prepare(a)
	y, err2 := tx.Prepare(b)
	z, err3 := tx.Prepare(c)
	return x, y, z, errors.Join(err1, err2, err3)
}

func (m *cellMerge) merge(c rollcall.Cell, delta rollcall.CellState) error {
	if err := check(c.Market, c.Service, c.Location, c.Kind, c.Day); err != nil {
		return err
	}
	key := []any{string(c.Market), string(c.Service), c.Location.String(), c.Kind.String(), c.Day.String(), c.Key.String()}
	fresh, err := m.read(key)
	if err != nil {
		return err
	}
	changed1, err := m.unite(&m.now.Visitors, m.stored.Visitors, delta.Visitors)
	if err != nil {
		return fmt.Errorf("visitors: %w", err)
	}
	changed2, err := m.unite(&m.now.Minutes, m.stored.Minutes, delta.Minutes)
	if err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	switch {
	case fresh:
		_, err = m.put.Exec(append(key, m.now.Visitors, m.now.Minutes)...)
	case changed1 || changed2:
		_, err = m.set.Exec(append([]any{m.now.Visitors, m.now.Minutes}, key...)...)
	}
	return err
}

// read reads the cell's stored state, and reports whether there is none.
func (m *cellMerge) read(key []any) (fresh bool, err error) {
	m.stored = rollcall.CellState{}
	err = m.get.QueryRow(key...).Scan(&m.stored.Visitors, &m.stored.Minutes)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return false, err
}

// unite writes the canonical union of two states over *now, and reports
// whether it is other than stored. No bytes are a sketch of nothing.
func (m *cellMerge) unite(now *[]byte, stored, delta []byte) (changed bool, err error) {
	if bytes.Equal(stored, delta) && len(stored) > 0 {
		*now = append((*now)[:0], stored...)
		return false, nil
	}
	m.sketch.Reset()
	for _, state := range [][]byte{stored, delta} {
		if len(state) == 0 {
			continue
		}
		if err := m.sketch.MergeState(state); err != nil {
			return false, err
		}
	}
	*now = m.sketch.Append((*now)[:0])
	return !bytes.Equal(*now, stored), nil
}

// Cells yields the cells that q asks for, in the order of the table's key: by
// service, location's name, kind's name, day and key. It stops at the first
// error, yielded with an empty row.
func (s *Store) Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error] {
	return func(yield func(rollcall.CellRow, error) bool) {
		if err := s.cells(ctx, q, func(r rollcall.CellRow) bool { return yield(r, nil) }); err != nil {
			yield(rollcall.CellRow{}, fmt.Errorf("read cells of %s: %w", q.Market, failure(err)))
		}
	}
}

func (s *Store) cells(ctx context.Context, q rollcall.CellQuery, yield func(rollcall.CellRow) bool) error {
	query, args := cellQuery(q)
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanCell(rows)
		if err != nil {
			return err
		}
		if !yield(r) {
			return nil
		}
	}
	return rows.Err()
}

func cellQuery(q rollcall.CellQuery) (query string, args []any) {
	query = `SELECT market, service, location, kind, day, key, visitors, minutes FROM cells WHERE market = ? AND day BETWEEN ? AND ?`
	args = []any{string(q.Market), clamp(q.From).String(), clamp(q.To).String()}
	if len(q.Services) > 0 {
		query += ` AND service IN (?` + strings.Repeat(`, ?`, len(q.Services)-1) + `)`
		for _, id := range q.Services {
			args = append(args, string(id))
		}
	}
	if q.Locations != 0 {
		query += ` AND location IN (?, ?, ?)`
		for _, l := range []rollcall.Location{rollcall.Home, rollcall.Work, rollcall.Elsewhere} {
			args = append(args, (q.Locations & l).String())
		}
	}
	return query + ` ORDER BY service, location, kind, day, key`, args
}

func scanCell(rows *sql.Rows) (r rollcall.CellRow, err error) {
	var location, kind, day, key string
	if err = rows.Scan(&r.Market, &r.Service, &location, &kind, &day, &key, &r.Visitors, &r.CellState.Minutes); err != nil {
		return r, err
	}
	var errs [4]error
	r.Location, errs[0] = rollcall.ParseLocation(location)
	r.Kind, errs[1] = rollcall.ParseKind(kind)
	r.Day, errs[2] = rollcall.ParseDay(day)
	r.Key, errs[3] = rollcall.ParseKeyID(key)
	return r, errors.Join(errs[:]...)
}

// clamp brings a day into the years that a TEXT of YYYY-MM-DD can sort.
func clamp(d rollcall.Day) rollcall.Day {
	return min(max(d, rollcall.DayOf(1, time.January, 1)), rollcall.DayOf(9999, time.December, 31))
}
