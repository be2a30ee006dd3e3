package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// damaged is a row that can't be read: its table, its key as text and as a
// condition, its values, and why.
type damaged struct {
	table        string
	row          string
	market       rollcall.MarketID
	month        rollcall.Month
	where        string
	args         []any
	body, second []byte
	why          error
}

func damagedCell(c *rollcall.Cell, visitors, minutes []byte, why error) damaged {
	return damaged{
		table: "cells", row: strings.TrimRight(fmt.Sprint(c.Market, " ", c.Service, " ", c.Location, " ", c.Kind, " ", c.Day, " ", c.Key, " ", c.Platform.Stored(), " ", string(c.Segment)), " "),
		market: c.Market, month: c.Day.Month(),
		where: `market = ? AND service = ? AND toInt8(location) = ? AND toInt8(kind) = ? AND day = toDate32(?) AND key = ? AND platform = ? AND segment = ?`,
		args:  []any{string(c.Market), string(c.Service), int(c.Location), int(c.Kind), c.Day.String(), uint64(c.Key), c.Platform.Stored(), string(c.Segment)},
		body:  append([]byte(nil), visitors...), second: append([]byte(nil), minutes...), why: why,
	}
}

func damagedDiary(d *rollcall.Diary, minutes []byte, why error) damaged {
	return damaged{
		table:  "diaries",
		row:    fmt.Sprint(d.Market, " ", d.Panel, " ", d.Panelist, " ", d.Day, " ", d.Service, " ", d.Location, " ", d.Kind, " ", d.Key),
		market: d.Market, month: d.Day.Month(),
		where: `market = ? AND panel = ? AND panelist = ? AND day = toDate32(?) AND service = ? AND toInt8(location) = ? AND toInt8(kind) = ? AND key = ?`,
		args:  []any{string(d.Market), string(d.Panel), uint64(d.Panelist), d.Day.String(), string(d.Service), int(d.Location), int(d.Kind), uint64(d.Key)},
		body:  append([]byte(nil), minutes...), why: why,
	}
}

// setAside moves damaged rows to the quarantine. What a flush adds to such a
// row meanwhile may go with it, and comes back with the replay that rebuilds it.
func (s *facts) setAside(ctx context.Context, found []damaged) error {
	ctx = context.WithoutCancel(ctx)
	for _, d := range found {
		err := s.put(ctx, `INSERT INTO quarantine (time, source, row, market, month, reason, body, second)`,
			time.Now().UTC(), d.table, d.row, string(d.market), d.month.String(), d.why.Error(), string(d.body), string(d.second))
		if err == nil {
			_, err = s.removeRows(ctx, d.table, d.where, d.args...)
		}
		if err != nil {
			return fmt.Errorf("set a damaged row of %s aside: %w", d.table, err)
		}
		s.log.Error("a damaged row is set aside; rebuild it from the log with `rollcall replay`", "table", d.table, "row", d.row, "why", d.why)
	}
	return nil
}

// SetAside lists what was set aside, the oldest first.
func (s *facts) SetAside(ctx context.Context) ([]rollcall.Damage, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (d rollcall.Damage, err error) {
		return d, r.Scan(timeColumn{&d.Time}, &d.Table, &d.Row, (*string)(&d.Market), &d.Month, &d.Reason)
	}, `SELECT time, source, row, market, month, reason FROM quarantine FINAL ORDER BY time, source, row`)
	if err != nil {
		return nil, fmt.Errorf("list the rows set aside: %w", err)
	}
	return all, nil
}

// ForgetSetAside drops what was set aside, once it has been rebuilt.
func (s *facts) ForgetSetAside(ctx context.Context) error {
	if _, err := s.removeRows(ctx, "quarantine", `1`); err != nil {
		return fmt.Errorf("forget the rows set aside: %w", failure(ctx, err))
	}
	return nil
}

// Check reads every fact and object, and has each server check the parts of its
// tables. With repair it sets damaged facts aside. An object that is not what
// its hash says is named and stays.
func (s *facts) Check(ctx context.Context, repair bool) (c rollcall.StoreCheck, err error) {
	found, err := s.readFacts(ctx, &c)
	if err == nil {
		err = s.checkObjects(ctx, &c)
	}
	if err == nil {
		c.Faults, err = s.checkParts(ctx)
	}
	for _, d := range found {
		c.Damaged = append(c.Damaged, rollcall.Damage{Table: d.table, Row: d.row, Market: d.market, Month: d.month.String(), Reason: d.why.Error()})
	}
	if err == nil && repair {
		err = s.setAside(ctx, found)
	}
	if err != nil {
		return c, fmt.Errorf("check the store: %w", failure(ctx, err))
	}
	return c, nil
}

// readFacts reads all cells and diaries, and gives the damaged ones.
func (s *facts) readFacts(ctx context.Context, c *rollcall.StoreCheck) (found []damaged, err error) {
	broken, err := s.cells(ctx, `1`, nil, func(rollcall.CellRow) bool { c.Cells++; return true })
	if err != nil {
		return nil, err
	}
	more, err := s.diaries(ctx, `1`, nil, func(*rollcall.DiaryRow) bool { c.Diaries++; return true })
	c.Cells, c.Diaries = c.Cells+len(broken), c.Diaries+len(more)
	return append(broken, more...), err
}

func (s *facts) checkObjects(ctx context.Context, c *rollcall.StoreCheck) error {
	return s.each(with(ctx, readSettings(16)), func(r driver.Rows) (bool, error) {
		var hash, body string
		if err := r.Scan(&hash, &body); err != nil {
			return false, err
		}
		if c.Objects++; rollcall.HashOf([]byte(body)).String() != hash {
			c.Damaged = append(c.Damaged, rollcall.Damage{Table: "objects", Row: hash, Reason: "is not what its hash says"})
		}
		return true, nil
	}, `SELECT hash, body FROM objects FINAL`)
}

// checkParts has every server compare the checksums of its parts.
func (s *facts) checkParts(ctx context.Context) (faults []string, err error) {
	ctx = with(ctx, map[string]any{"check_query_single_value_result": 0})
	for i, node := range s.nodes {
		for _, table := range []string{"cells", "diaries", "objects"} {
			rows, err := node.Query(ctx, `CHECK TABLE `+identifier(s.form.Database)+`.`+identifier(s.form.stored(table)))
			if err != nil {
				return faults, err
			}
			for rows.Next() {
				var part, why string
				var sound bool
				if err := rows.Scan(&part, &sound, &why); err != nil {
					return faults, err
				}
				if !sound {
					faults = append(faults, fmt.Sprintf("server %d, table %s, part %s: %s", i+1, table, part, why))
				}
			}
			if err := rows.Err(); err != nil {
				return faults, err
			}
		}
	}
	return faults, nil
}
