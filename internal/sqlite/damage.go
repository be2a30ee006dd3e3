package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

// damaged is a row that can't be read: its table, its key as it is stored, and
// why.
type damaged struct {
	table factTable
	key   []string
	why   error
}

// factTable is a table of facts: its key and its blobs, as quarantine has them.
type factTable struct{ name, key, month, body, second string }

func cellTable() factTable {
	return factTable{"cells", "market, service, location, kind, day, key, platform, segment", "substr(day, 1, 7)", "visitors", "minutes"}
}

func diaryTable() factTable {
	return factTable{"diaries", "market, panel, panelist, day, key", "month", "diary", "x''"}
}

// where matches the row of a key.
func (t factTable) where() string { return strings.ReplaceAll(t.key, ",", " = ? AND") + " = ?" }

// setAside moves a damaged row to the quarantine, so that what comes for it is
// merged into a row that can be read.
func setAside(tx *sql.Tx, log *slog.Logger, d damaged) error {
	t := d.table
	args := []any{timeText(time.Now()), t.name, rowName(d.key), d.why.Error()}
	key := make([]any, len(d.key))
	for i, part := range d.key {
		key[i] = part
	}
	//nolint:gosec // the parts are constants of the tables above
	if _, err := tx.Exec(`INSERT OR REPLACE INTO quarantine (time, source, row, reason, market, month, body, second)
		SELECT ?, ?, ?, ?, market, `+t.month+`, `+t.body+`, `+t.second+` FROM `+t.name+` WHERE `+t.where(), append(args, key...)...); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM `+t.name+` WHERE `+t.where(), key...); err != nil { //nolint:gosec // as above
		return err
	}
	log.Error("a damaged row is set aside; rebuild it from the log with `rollcall replay`", "table", t.name, "row", rowName(d.key), "why", d.why)
	return nil
}

// rowName names a row by its key, without the parts at its end that are empty.
func rowName(key []string) string { return strings.TrimRight(strings.Join(key, " "), " ") }

// setAsideAll sets aside what a reader came by, which reads on without it.
func (s *facts) setAsideAll(ctx context.Context, found []damaged) error {
	if len(found) == 0 {
		return nil
	}
	return s.write(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		for _, d := range found {
			if err := setAside(tx, s.log, d); err != nil {
				return fmt.Errorf("set a damaged row of %s aside: %w", d.table.name, err)
			}
		}
		return nil
	})
}

// SetAside lists what was set aside, the oldest first.
func (s *facts) SetAside(ctx context.Context) ([]rollcall.Damage, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (d rollcall.Damage, err error) {
		return d, r.Scan(timeColumn{&d.Time}, &d.Table, &d.Row, &d.Market, &d.Month, &d.Reason)
	}, `SELECT time, source, row, market, month, reason FROM quarantine ORDER BY time, source, row`)
	if err != nil {
		return nil, fmt.Errorf("list the rows set aside: %w", err)
	}
	return all, nil
}

// ForgetSetAside drops what was set aside, once it has been rebuilt.
func (s *facts) ForgetSetAside(ctx context.Context) error {
	if err := s.exec(ctx, `DELETE FROM quarantine`); err != nil {
		return fmt.Errorf("forget the rows set aside: %w", err)
	}
	return nil
}

// Check reads every fact and object, and has SQLite check its file. With repair
// it sets damaged facts aside and makes the indexes anew. An object that is not
// what its hash says is named and stays.
func (s *facts) Check(ctx context.Context, repair bool) (rollcall.StoreCheck, error) {
	c := checker{k: s.k}
	err := c.read(ctx, s.readers)
	if err == nil && repair {
		err = s.setAsideAll(ctx, c.found)
		if len(c.out.Faults) > 0 {
			_, failed := s.writer.ExecContext(ctx, `REINDEX`)
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		return c.out, fmt.Errorf("check the store: %w", failure(err))
	}
	return c.out, nil
}

// checker reads a whole store.
type checker struct {
	k     int
	out   rollcall.StoreCheck
	found []damaged
}

func (c *checker) read(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, part := range []struct {
		name string
		read func(context.Context, *sql.Tx) error
	}{{"integrity", c.integrity}, {"cells", c.cells}, {"diaries", c.diaries}, {"objects", c.objects}} {
		if err := part.read(ctx, tx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			c.out.Faults = append(c.out.Faults, fmt.Sprintf("reading the %s ended: %v", part.name, err))
		}
	}
	return nil
}

func (c *checker) integrity(ctx context.Context, tx *sql.Tx) error {
	return eachRow(ctx, tx, func(r *sql.Rows) error {
		var line string
		err := r.Scan(&line)
		if line != "ok" && err == nil {
			c.out.Faults = append(c.out.Faults, strings.ReplaceAll(line, "\n", "; "))
		}
		return err
	}, `PRAGMA integrity_check(100)`)
}

func (c *checker) cells(ctx context.Context, tx *sql.Tx) error {
	sketch := hll.New(c.k)
	var canonical []byte
	return eachRow(ctx, tx, func(r *sql.Rows) error {
		key, cell, err := scanCell(r, sketch)
		for _, state := range [][]byte{cell.Visitors, cell.CellState.Minutes} {
			if err == nil {
				err = sketch.Decode(state)
			}
			if canonical = sketch.Append(canonical[:0]); err == nil && !bytes.Equal(canonical, state) {
				err = errors.New("is not in its canonical form")
			}
		}
		c.out.Cells++
		c.note(cellTable(), key, err)
		return r.Err()
	}, `SELECT `+cellColumns+` FROM cells`)
}

func (c *checker) diaries(ctx context.Context, tx *sql.Tx) error {
	var uses dayUses
	known := names{}
	var canonical []byte
	return eachRow(ctx, tx, func(r *sql.Rows) error {
		var month string
		var body []byte
		key := make([]string, 5)
		if err := r.Scan(&key[0], &key[1], &key[2], &key[3], &key[4], &month, &body); err != nil {
			return err
		}
		_, err1 := parseHex([]byte(key[2]))
		_, err2 := parseHex([]byte(key[4]))
		day, err3 := rollcall.ParseDay(key[3])
		err := errors.Join(err1, err2, err3)
		if err == nil && day.Month().String() != month {
			err = fmt.Errorf("day %s stands in month %s", key[3], month)
		}
		if err == nil {
			err = uses.decode(body, known)
		}
		if err == nil {
			if canonical = uses.append(canonical[:0]); !bytes.Equal(canonical, body) {
				err = errors.New("is not in its canonical form")
			}
		}
		c.out.Diaries++
		c.note(diaryTable(), key, err)
		return nil
	}, `SELECT market, panel, panelist, day, key, month, diary FROM diaries`)
}

func (c *checker) objects(ctx context.Context, tx *sql.Tx) error {
	return eachRow(ctx, tx, func(r *sql.Rows) error {
		var hash string
		var body []byte
		if err := r.Scan(&hash, &body); err != nil {
			return err
		}
		if c.out.Objects++; rollcall.HashOf(body).String() != hash {
			c.out.Damaged = append(c.out.Damaged, rollcall.Damage{Table: "objects", Row: hash, Reason: "is not what its hash says"})
		}
		return nil
	}, `SELECT hash, body FROM objects`)
}

// note notes a damaged fact; a nil err is a sound one.
func (c *checker) note(t factTable, key []string, err error) {
	if err == nil {
		return
	}
	c.found = append(c.found, damaged{t, key, err})
	c.out.Damaged = append(c.out.Damaged, rollcall.Damage{
		Table: t.name, Row: rowName(key), Market: rollcall.MarketID(key[0]), Reason: err.Error(),
	})
}

func eachRow(ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) error, query string) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
