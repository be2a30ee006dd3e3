package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

const putCells = `INSERT INTO cells (market, service, location, kind, day, key, platform, segment, raw_visitors, raw_minutes, coarse, accounts, exact, since)`

func (s *facts) mergeCells(ctx context.Context, d rollcall.Deltas) error {
	if d.Cells == nil {
		return nil
	}
	in := inserter{db: s.db, query: putCells, eras: map[rollcall.Month]driver.Batch{}}
	defer in.abort()
	sketch, removals := hll.New(s.form.K), d.Known.Of(rollcall.Removal)
	for c, state := range d.Cells {
		if err := s.mergeCell(ctx, &in, sketch, removals.Since(&c), c, state); err != nil {
			return fmt.Errorf("cell %v: %w", c, err)
		}
	}
	return in.send()
}

// mergeCell sends the states as they come. The server would store any bytes, so
// they are decoded first.
func (s *facts) mergeCell(ctx context.Context, in *inserter, sketch *hll.Sketch, since int64, c rollcall.Cell, state rollcall.CellState) error {
	if err := check(c.Market, c.Service, c.Location, c.Kind, c.Day); err != nil {
		return err
	}
	if err := errors.Join(rollcall.CheckDevice(c.Platform, c.Segment), idset.Check(state.Accounts)); err != nil {
		return err
	}
	visitors, err := checked(sketch, state.Visitors)
	if err != nil {
		return fmt.Errorf("visitors: %w", err)
	}
	minutes, err := checked(sketch, state.Minutes)
	if err != nil {
		return fmt.Errorf("minutes: %w", err)
	}
	return in.row(ctx, c.Day.Month(), rowBytes+len(visitors)+len(minutes)+len(state.Accounts),
		string(c.Market), string(c.Service), int8(c.Location), int8(c.Kind), dayTime(c.Day), uint64(c.Key), c.Platform.Stored(), string(c.Segment),
		visitors, minutes, flag(state.Coarse), slices.Collect(idset.All(state.Accounts)), flag(state.Exact), since)
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// rowBytes is about what a row's key takes.
const rowBytes = 64

// checked gives a state that sketch can decode. No bytes are a sketch of
// nothing, whose state it gives.
func checked(sketch *hll.Sketch, state []byte) ([]byte, error) {
	if len(state) == 0 {
		sketch.Reset()
		return sketch.Append(nil), nil
	}
	return state, sketch.Decode(state)
}

// Cells yields the cells that q asks for, by service, location, kind, day,
// key, platform's name and segment. It stops at the first error, yielded with an empty row.
func (s *facts) Cells(ctx context.Context, q rollcall.CellQuery) iter.Seq2[rollcall.CellRow, error] {
	return func(yield func(rollcall.CellRow, error) bool) {
		where, args := cellWhere(q)
		found, err := s.cells(ctx, where, args, func(r rollcall.CellRow) bool { return yield(r, nil) })
		if err == nil {
			err = s.setAside(ctx, found)
		}
		if err != nil {
			yield(rollcall.CellRow{}, fmt.Errorf("read cells of %s: %w", q.Market, failure(ctx, err)))
		}
	}
}

func cellWhere(q rollcall.CellQuery) (where string, args []any) {
	where = `market = ? AND day BETWEEN toDate32(?) AND toDate32(?)`
	args = []any{string(q.Market), clamp(q.From).String(), clamp(q.To).String()}
	if len(q.Services) > 0 {
		ids := make([]string, len(q.Services))
		for i, id := range q.Services {
			ids[i] = string(id)
		}
		where, args = where+` AND service IN (?)`, append(args, ids)
	}
	if q.Locations != 0 {
		where, args = where+` AND bitAnd(toInt8(location), ?) != 0`, append(args, int(q.Locations))
	}
	if len(q.Platforms) > 0 {
		names := make([]string, len(q.Platforms))
		for i, p := range q.Platforms {
			names[i] = p.Stored()
		}
		where, args = where+` AND platform IN (?)`, append(args, names)
	}
	if len(q.Segments) > 0 {
		ids := make([]string, len(q.Segments))
		for i, id := range q.Segments {
			ids[i] = string(id)
		}
		where, args = where+` AND segment IN (?)`, append(args, ids)
	}
	return where, args
}

// readSettings has a table's rows united in the order of its key, as they are
// read, and sent in blocks of a size that fits in memory.
func readSettings(rows int) ch.Settings {
	return ch.Settings{"optimize_aggregation_in_order": 1, "max_block_size": rows}
}

// cells yields the cells that can be decoded, and gives the others. Rows from
// before a removal that covers them count no more: a flush may have brought them
// after it.
func (s *facts) cells(ctx context.Context, where string, args []any, yield func(rollcall.CellRow) bool) (found []damaged, err error) {
	const query = `SELECT market, service, toInt8(location), toInt8(kind), toInt32(day), key,
		platform, segment,
		CAST(uniqCombined64MergeState(%[1]d)(visitors), 'String'), CAST(uniqCombined64MergeState(%[1]d)(minutes), 'String'),
		max(coarse), reinterpret(arraySort(groupUniqArrayArray(accounts)), 'String'), min(exact), since
		FROM cells WHERE %[2]s GROUP BY market, service, location, kind, day, key, platform, segment, since
		ORDER BY market, service, location, kind, day, key, platform, segment, since`
	removals, err := recorded(ctx, s.database, rollcall.Removal)
	if err != nil {
		return nil, err
	}
	read := cellReader{sketch: hll.New(s.form.K)}
	err = s.each(with(ctx, readSettings(1024)), func(rows driver.Rows) (bool, error) {
		broken, err := read.row(rows)
		if err != nil {
			return false, err
		}
		if read.since < removals.Since(&read.out.Cell) {
			return true, nil
		}
		if broken != nil {
			found = append(found, damagedCell(&read.out.Cell, read.visitors, read.minutes, broken))
			return true, nil
		}
		return yield(read.out), nil
	}, fmt.Sprintf(query, s.form.K, where), args...)
	return found, err
}

// cellReader reads rows as cells in canonical bytes: the server keeps the
// hashes of a set in an order of its own. The ids of accounts come as the bytes
// that a list has: the driver reads an array of numbers one by one.
type cellReader struct {
	out               rollcall.CellRow
	sketch            *hll.Sketch
	visitors, minutes []byte
	since             int64
}

// row reads one row; broken says why its states can't be decoded.
func (r *cellReader) row(rows driver.Rows) (broken, err error) {
	var location, kind int8
	var day int32
	c := &r.out
	var platform string
	var coarse, exact uint8
	err = rows.Scan((*string)(&c.Market), (*string)(&c.Service), &location, &kind, &day, (*uint64)(&c.Key), &platform, (*string)(&c.Segment),
		&r.visitors, &r.minutes, &coarse, &c.Accounts, &exact, &r.since)
	if err != nil {
		return nil, err
	}
	c.Coarse, c.Exact = coarse != 0, exact != 0
	if c.Platform, err = rollcall.ParsePlatform(platform); err != nil {
		return err, nil
	}
	c.Location, c.Kind, c.Day = rollcall.Location(location), rollcall.Kind(kind), rollcall.Day(day)
	if c.Visitors, err = r.canonical(c.Visitors[:0], r.visitors); err != nil {
		return fmt.Errorf("visitors: %w", err), nil
	}
	if c.CellState.Minutes, err = r.canonical(c.CellState.Minutes[:0], r.minutes); err != nil {
		return fmt.Errorf("minutes: %w", err), nil
	}
	return nil, nil
}

func (r *cellReader) canonical(dst, state []byte) ([]byte, error) {
	err := r.sketch.Decode(state)
	return r.sketch.Append(dst), err
}
