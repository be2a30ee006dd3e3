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
