package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// Erase removes a panelist's diaries from every month, in any market, that
// has no final publication (an internal one, which no reader has seen, does
// not count), and gives the number of diaries removed. When it returns, no
// query sees them; the servers delete the files that held them some minutes
// later (old_parts_lifetime).
func (s *facts) Erase(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor) (rows int, err error) {
	months, err := s.openMonths(ctx, panel, panelist)
	for _, m := range months {
		rows += int(m.diaries)
	}
	if err == nil && rows > 0 {
		err = s.erase(ctx, panel, panelist, months)
	}
	if err == nil {
		_, err = s.removeRows(ctx, "quarantine", `source = 'diaries' AND position(row, ?) > 0`, fmt.Sprintf(" %s %s ", panel, panelist))
	}
	if err != nil {
		return 0, fmt.Errorf("erase a panelist of %s: %w", panel, failure(ctx, err))
	}
	return rows, nil
}

// CountErase counts the diaries that Erase would remove.
func (s *facts) CountErase(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor) (rows int, err error) {
	months, err := s.openMonths(ctx, panel, panelist)
	if err != nil {
		return 0, fmt.Errorf("count the diaries of a panelist of %s: %w", panel, failure(ctx, err))
	}
	for _, m := range months {
		rows += int(m.diaries)
	}
	return rows, nil
}

// personMonth is the diaries of one panelist in a month, YYYYMM as a number.
type personMonth struct {
	market  string
	month   uint32
	diaries uint64
}

// openMonths lists the months without a final publication in which a panelist
// has diaries.
func (s *facts) openMonths(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor) ([]personMonth, error) {
	type market struct {
		id    string
		month uint32
	}
	finals, err := list(ctx, s.database, func(r driver.Rows) (m market, err error) {
		return m, r.Scan(&m.id, &m.month)
	}, `SELECT DISTINCT market, toYYYYMM(month) FROM publications WHERE panel = ? AND status = ? AND NOT internal`,
		string(panel), string(rollcall.Final))
	if err != nil {
		return nil, err
	}
	closed := make(map[market]bool, len(finals))
	for _, m := range finals {
		closed[m] = true
	}
	var open []personMonth
	err = s.each(ctx, func(r driver.Rows) (bool, error) {
		var m personMonth
		err := r.Scan(&m.market, &m.month, &m.diaries)
		if !closed[market{m.market, m.month}] {
			open = append(open, m)
		}
		return true, err
	}, `SELECT market, toYYYYMM(day) AS month, uniqExact(day, service, location, kind, key) FROM diaries
		WHERE panel = ? AND panelist = ? GROUP BY market, month`, string(panel), uint64(panelist))
	return open, err
}

// erase rewrites the parts that hold the rows, on every server.
func (s *facts) erase(ctx context.Context, panel rollcall.PanelID, panelist rollcall.Visitor, months []personMonth) error {
	query := `ALTER TABLE ` + s.form.Table("diaries") + ` DELETE WHERE panel = ? AND panelist = ? AND (0`
	args := []any{string(panel), uint64(panelist)}
	for _, m := range months {
		query += ` OR (market = ? AND toYYYYMM(day) = ?)`
		args = append(args, m.market, m.month)
	}
	for _, node := range s.nodes {
		if err := node.Exec(ctx, query+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

// AddCorrections records what was done about mistakes in the census, and does
// it: the servers rewrite the parts that hold what is removed. What is recorded
// counts at once, whatever of it is done when the process is killed: the same
// again goes on.
func (s *corrections) AddCorrections(ctx context.Context, all ...rollcall.Correction) (rows int, err error) {
	if err = s.record(ctx, all); err == nil {
		rows, err = s.removeCells(ctx, rollcall.Corrections(all).Of(rollcall.Removal))
	}
	if err == nil {
		n, failed := s.eachAccount(ctx, rollcall.Corrections(all).Of(rollcall.Erasing), s.rewriteCells)
		rows, err = rows+n, failed
	}
	if err != nil {
		return rows, fmt.Errorf("correct the census: %w", failure(ctx, err))
	}
	return rows, nil
}

// record adds what is not recorded yet.
func (s *corrections) record(ctx context.Context, all rollcall.Corrections) error {
	has, err := s.Corrections(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, c := range all.Lacking(has) {
		if err := checkTime(c.Time); err != nil {
			return err
		}
		rows = append(rows, []any{
			string(c.Action), string(c.Market), string(c.Service), c.Segment, dayTime(clamp(c.From)), dayTime(clamp(c.To)),
			uint64(c.Key), uint64(c.Visitor), c.Reason, c.Time,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, s.db, `INSERT INTO corrections (`+correctionColumns+`)`, rows...)
}

const correctionColumns = `action, market, service, segment, first, last, key, visitor, reason, time`

// Corrections gives what was recorded, the earliest first.
func (s *corrections) Corrections(ctx context.Context) (rollcall.Corrections, error) {
	return recorded(ctx, s.database, "")
}

// CountCorrections counts what was recorded, what was recorded twice at once too.
func (s *corrections) CountCorrections(ctx context.Context) (int, error) {
	var n uint64
	if err := s.db.QueryRow(ctx, `SELECT count() FROM corrections`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the census's corrections: %w", failure(ctx, err))
	}
	return int(n), nil
}

// recorded gives those of one action, or all where it is empty: a reading wants the
// removals, and very many accounts may have been erased.
func recorded(ctx context.Context, s *database, only rollcall.Action) (rollcall.Corrections, error) {
	all, err := list(ctx, s, func(r driver.Rows) (c rollcall.Correction, err error) {
		return c, r.Scan((*string)(&c.Action), (*string)(&c.Market), (*string)(&c.Service), &c.Segment, dayColumn{&c.From}, dayColumn{&c.To},
			(*uint64)(&c.Key), (*uint64)(&c.Visitor), &c.Reason, timeColumn{&c.Time})
	}, `SELECT DISTINCT `+correctionColumns+` FROM corrections WHERE ? = '' OR action = ?
		ORDER BY time, action, market, service, segment, first, last, key, visitor, reason`, string(only), string(only))
	if err != nil {
		return nil, fmt.Errorf("read the census's corrections: %w", err)
	}
	return all, nil
}

// removeCells deletes the cells of removals that are from before them.
func (s *corrections) removeCells(ctx context.Context, all rollcall.Corrections) (cells int, err error) {
	for _, c := range all {
		segment, err := rollcall.ParseSegment(c.Segment)
		if err != nil {
			return cells, err
		}
		n, err := s.rewriteCells(ctx, `DELETE`, `market = ? AND service = ? AND day BETWEEN toDate32(?) AND toDate32(?) AND since < ? AND (? = '' OR segment = ?)`,
			string(c.Market), string(c.Service), clamp(c.From).String(), clamp(c.To).String(), c.Time.UnixMilli(), c.Segment, string(segment))
		cells += n
		if err != nil {
			return cells, err
		}
	}
	return cells, nil
}

// CountSets counts the sets that some erasings would take an account out of.
func (s *corrections) CountSets(ctx context.Context, erasings ...rollcall.Correction) (int, error) {
	sets, err := s.eachAccount(ctx, erasings, func(ctx context.Context, _, where string, args ...any) (int, error) {
		return s.countCells(ctx, where, args...)
	})
	if err != nil {
		return 0, fmt.Errorf("count the sets that have an account: %w", failure(ctx, err))
	}
	return sets, nil
}

// eachAccount says of the cells whose sets have an account, and how an account is
// taken out of them, and adds up how many there are. Each account has its own
// number under each key, of which few have cells.
func (s *corrections) eachAccount(ctx context.Context, all rollcall.Corrections,
	do func(ctx context.Context, how, where string, args ...any) (cells int, err error),
) (sets int, err error) {
	type keyOf struct {
		service rollcall.ServiceID
		key     rollcall.KeyID
	}
	known := make(map[keyOf]bool)
	for _, c := range all {
		of := keyOf{c.Service, c.Key}
		if there, asked := known[of]; asked && !there {
			continue
		} else if !asked {
			found, err := list(ctx, s.database, func(r driver.Rows) (one uint8, err error) { return one, r.Scan(&one) },
				`SELECT 1 FROM cells WHERE service = ? AND key = ? AND notEmpty(accounts) LIMIT 1`, string(c.Service), uint64(c.Key))
			if err != nil {
				return sets, err
			}
			if known[of] = len(found) > 0; !known[of] {
				continue
			}
		}
		n, err := do(ctx, fmt.Sprintf(`UPDATE accounts = arrayFilter(a -> a != %d, accounts)`, uint64(c.Visitor)),
			`service = ? AND key = ? AND day <= toDate32(?) AND has(accounts, ?)`, string(c.Service), uint64(c.Key), clamp(c.To).String(), uint64(c.Visitor))
		sets += n
		if err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// rewriteCells has the servers rewrite the parts that hold some cells, if there
// are any, and gives how many there are.
func (s *corrections) rewriteCells(ctx context.Context, how, where string, args ...any) (cells int, err error) {
	n, err := s.countCells(ctx, where, args...)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, node := range s.nodes {
		if err := node.Exec(ctx, `ALTER TABLE `+s.form.Table("cells")+` `+how+` WHERE `+where, args...); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (s *corrections) countCells(ctx context.Context, where string, args ...any) (int, error) {
	var n uint64
	err := s.db.QueryRow(ctx, `SELECT uniqExact(market, service, location, kind, day, key, platform, segment) FROM cells WHERE `+where, args...).Scan(&n)
	return int(n), err
}
