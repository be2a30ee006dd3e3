package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

const (
	cellKey = `market = ? AND service = ? AND location = ? AND kind = ? AND day = ? AND key = ? AND platform = ? AND segment = ?`
	getCell = `SELECT visitors, minutes, coarse, accounts, exact, since FROM cells WHERE ` + cellKey
	putCell = `INSERT INTO cells (` + cellColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sawCell = `INSERT INTO seen_segments (market, segment) VALUES (?, ?) ON CONFLICT DO NOTHING`
	setCell = `UPDATE cells SET visitors = ?, minutes = ?, coarse = ?, accounts = ?, exact = ?, since = ? WHERE ` + cellKey
)

// cellMerge unites cells with those stored, reusing its memory.
type cellMerge struct {
	tx            *sql.Tx
	log           *slog.Logger
	get, put, set *sql.Stmt
	sketch        *hll.Sketch
	stored, now   rollcall.CellState
	seen          map[segmentSeen]bool // written down by this merge
	since         int64                // of the stored one
	known         rollcall.Corrections // removals that the deltas were folded without
	recorded      rollcall.Corrections // all removals
}

type segmentSeen struct {
	market  rollcall.MarketID
	segment rollcall.SegmentID
}

func (s *facts) mergeCells(ctx context.Context, tx *sql.Tx, d rollcall.Deltas) error {
	if d.Cells == nil {
		return nil
	}
	m := cellMerge{tx: tx, log: s.log, sketch: hll.New(s.k), seen: make(map[segmentSeen]bool), known: d.Known.Of(rollcall.Removal)}
	var err error
	if m.recorded, err = corrections(ctx, tx, rollcall.Removal); err != nil {
		return err
	}
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
	if err := errors.Join(rollcall.CheckDevice(c.Platform, c.Segment), idset.Check(delta.Accounts)); err != nil {
		return err
	}
	since := m.known.Since(&c)
	if since < m.recorded.Since(&c) {
		return nil // folded with what was removed meanwhile
	}
	key := []any{
		string(c.Market), string(c.Service), c.Location.String(), c.Kind.String(), c.Day.String(), c.Key.String(),
		c.Platform.Stored(), string(c.Segment),
	}
	missing, err := m.readSound(key)
	if err != nil {
		return err
	}
	fresh := missing || m.since < since
	if fresh {
		m.stored = rollcall.CellState{}
	}
	changed1, err := m.unite(&m.now.Visitors, m.stored.Visitors, delta.Visitors)
	if err != nil {
		return fmt.Errorf("visitors: %w", err)
	}
	changed2, err := m.unite(&m.now.Minutes, m.stored.Minutes, delta.Minutes)
	if err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	changed3 := m.uniteRest(&delta, fresh)
	values := []any{m.now.Visitors, m.now.Minutes, m.now.Coarse, blob(m.now.Accounts), m.now.Exact, since}
	switch {
	case missing:
		_, err = m.put.Exec(append(key, values...)...)
		err = errors.Join(err, m.saw(c))
	case fresh || changed1 || changed2 || changed3:
		_, err = m.set.Exec(append(values, key...)...)
	}
	return err
}

// saw writes down that a market has a segment.
func (m *cellMerge) saw(c rollcall.Cell) error {
	of := segmentSeen{c.Market, c.Segment}
	if c.Segment == "" || m.seen[of] {
		return nil
	}
	m.seen[of] = true
	_, err := m.tx.Exec(sawCell, string(c.Market), string(c.Segment))
	return err
}

// uniteRest unites what is no sketch, and reports whether it is other than
// stored.
func (m *cellMerge) uniteRest(delta *rollcall.CellState, fresh bool) bool {
	m.now.Coarse = m.stored.Coarse || delta.Coarse
	m.now.Exact = delta.Exact && (fresh || m.stored.Exact)
	m.now.Accounts = idset.Merge(m.now.Accounts[:0], m.stored.Accounts, delta.Accounts)
	return m.now.Coarse != m.stored.Coarse || m.now.Exact != m.stored.Exact || len(m.now.Accounts) != len(m.stored.Accounts)
}

// blob is b where it isn't nil, which SQLite would store as NULL.
func blob(b []byte) []byte { return append([]byte{}, b...) }

// readSound is read; a stored state that can't be decoded is set aside, and
// there is none then.
func (m *cellMerge) readSound(key []any) (missing bool, err error) {
	missing, err = m.read(key)
	if err != nil || missing {
		return missing, err
	}
	broken := decodes(m.sketch, m.stored)
	if broken == nil {
		return false, nil
	}
	m.stored = rollcall.CellState{}
	d := damaged{table: cellTable(), why: broken}
	for _, part := range key {
		d.key = append(d.key, part.(string))
	}
	return true, setAside(m.tx, m.log, d)
}

// decodes says why a cell's states can't be decoded; nil: they can.
func decodes(sketch *hll.Sketch, state rollcall.CellState) error {
	if err := sketch.Decode(state.Visitors); err != nil {
		return fmt.Errorf("visitors: %w", err)
	}
	if err := sketch.Decode(state.Minutes); err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	return idset.Check(state.Accounts)
}

// read reads the cell's stored state, and reports whether there is none.
func (m *cellMerge) read(key []any) (missing bool, err error) {
	m.stored = rollcall.CellState{}
	s := &m.stored
	err = m.get.QueryRow(key...).Scan(&s.Visitors, &s.Minutes, &s.Coarse, &s.Accounts, &s.Exact, &m.since)
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
// service, location's name, kind's name, day, key, platform's name and segment. It stops at the first
// error, yielded with an empty row.
func (s *facts) Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error] {
	return func(yield func(rollcall.CellRow, error) bool) {
		if err := s.cells(ctx, q, func(r rollcall.CellRow) bool { return yield(r, nil) }); err != nil {
			yield(rollcall.CellRow{}, fmt.Errorf("read cells of %s: %w", q.Market, failure(err)))
		}
	}
}

func (s *facts) cells(ctx context.Context, q rollcall.CellQuery, yield func(rollcall.CellRow) bool) error {
	removals, err := corrections(ctx, s.readers, rollcall.Removal)
	if err != nil {
		return err
	}
	query, args := cellQuery(q)
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	sketch := hll.New(s.k)
	var found []damaged
	for rows.Next() {
		key, r, err := scanCell(rows, sketch)
		if key == nil {
			return err
		}
		if err != nil {
			found = append(found, damaged{cellTable(), key, err})
		} else if r.since >= removals.Since(&r.Cell) && !yield(r.CellRow) {
			break
		}
	}
	return errors.Join(rows.Err(), rows.Close(), s.setAsideAll(ctx, found))
}

const cellColumns = `market, service, location, kind, day, key, platform, segment, visitors, minutes, coarse, accounts, exact, since`

// seenServices are a market's services, found by one step into the key each.
const seenServices = `WITH RECURSIVE each(id) AS (
	SELECT min(service) FROM cells WHERE market = ?
	UNION ALL SELECT (SELECT min(service) FROM cells WHERE market = ? AND service > id) FROM each WHERE id IS NOT NULL
) SELECT id FROM each WHERE id IS NOT NULL`

// cellQuery names a value of each of the key's columns that stand before the day,
// all of them where any will do: so the days are ranges of the key, and what is of
// others is not looked at.
func cellQuery(q rollcall.CellQuery) (query string, args []any) {
	query = `SELECT ` + cellColumns + ` FROM cells WHERE market = ? AND day BETWEEN ? AND ? AND kind IN ('login', 'presence', 'use')`
	args = []any{string(q.Market), clamp(q.From).String(), clamp(q.To).String()}
	if len(q.Services) > 0 {
		query += ` AND service IN (?` + strings.Repeat(`, ?`, len(q.Services)-1) + `)`
		for _, id := range q.Services {
			args = append(args, string(id))
		}
	} else {
		query, args = query+` AND service IN (`+seenServices+`)`, append(args, string(q.Market), string(q.Market))
	}
	query += ` AND location IN (?, ?, ?)`
	for _, l := range []rollcall.Location{rollcall.Home, rollcall.Work, rollcall.Elsewhere} {
		args = append(args, (cmp.Or(q.Locations, rollcall.Home|rollcall.Work|rollcall.Elsewhere) & l).String())
	}
	if len(q.Platforms) > 0 {
		query += ` AND platform IN (?` + strings.Repeat(`, ?`, len(q.Platforms)-1) + `)`
		for _, p := range q.Platforms {
			args = append(args, p.Stored())
		}
	}
	if len(q.Segments) > 0 {
		ids, err := json.Marshal(q.Segments) // there may be more than a statement takes parameters
		if err != nil {
			panic("sqlite: a list of texts does not encode: " + err.Error()) // can't happen
		}
		query, args = query+` AND segment IN (SELECT value FROM json_each(?))`, append(args, string(ids))
	}
	return query + ` ORDER BY service, location, kind, day, key, platform, segment`, args
}

// storedCell is a row of the table. One from before a removal that covers it
// counts no more.
type storedCell struct {
	rollcall.CellRow
	since int64 // in milliseconds of Unix time; 0: nothing was removed
}

// scanCell reads cellColumns. With a key, which is the row's as stored, an
// error is damage to that row; without one it ends the reading.
func scanCell(rows *sql.Rows, sketch *hll.Sketch) (key []string, r storedCell, err error) {
	key = make([]string, 8)
	s := &r.CellState
	if err = rows.Scan(&key[0], &key[1], &key[2], &key[3], &key[4], &key[5], &key[6], &key[7], &s.Visitors, &s.Minutes, &s.Coarse, &s.Accounts, &s.Exact, &r.since); err != nil {
		return nil, r, err
	}
	var errs [6]error
	r.Market, r.Service = rollcall.MarketID(key[0]), rollcall.ServiceID(key[1])
	r.Location, errs[0] = rollcall.ParseLocation(key[2])
	r.Kind, errs[1] = rollcall.ParseKind(key[3])
	r.Day, errs[2] = rollcall.ParseDay(key[4])
	r.Key, errs[3] = rollcall.ParseKeyID(key[5])
	r.Platform, errs[4] = rollcall.ParsePlatform(key[6])
	r.Segment, errs[5] = rollcall.ParseSegment(key[7])
	if err = errors.Join(errs[:]...); err == nil {
		err = decodes(sketch, r.CellState)
	}
	return key, r, err
}

// clamp brings a day into the years that a TEXT of YYYY-MM-DD can sort.
func clamp(d rollcall.Day) rollcall.Day {
	return min(max(d, rollcall.DayOf(1, time.January, 1)), rollcall.DayOf(9999, time.December, 31))
}
