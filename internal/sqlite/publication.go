package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// AddPublication adds the next version of a panel's month. Any other version
// than the next is an ErrConflict that names both: of two closers at once, one
// gets it.
func (s *documents) AddPublication(ctx context.Context, p rollcall.Publication) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return addPublication(tx, p) })
	if err != nil {
		return fmt.Errorf("publish version %d of %v: %w", p.Version, p.PanelMonth, err)
	}
	return nil
}

func addPublication(tx *sql.Tx, p rollcall.Publication) error {
	var last int
	const latest = `SELECT ifnull(max(version), 0) FROM publications WHERE market = ? AND panel = ? AND month = ?`
	if err := tx.QueryRow(latest, string(p.Market), string(p.Panel), p.Month.String()).Scan(&last); err != nil {
		return err
	}
	if p.Version != last+1 {
		return fmt.Errorf("%w: the next version is %d", rollcall.ErrConflict, last+1)
	}
	_, err := tx.Exec(`INSERT INTO publications (market, panel, month, version, status, internal, reason, time, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(p.Market), string(p.Panel), p.Month.String(), p.Version, string(p.Status), p.Internal, p.Reason, timeText(p.Time), p.Document.String())
	return err
}

// Publications gives the versions of one panel in a market, or of all its
// panels where panel is empty, by month, panel and version.
func (s *documents) Publications(ctx context.Context, market rollcall.MarketID, panel rollcall.PanelID) ([]rollcall.Publication, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (p rollcall.Publication, err error) {
		return p, r.Scan(&p.Market, &p.Panel, monthColumn{&p.Month}, &p.Version, &p.Status, &p.Internal, &p.Reason, timeColumn{&p.Time}, hashColumn{&p.Document},
			timeColumn{&p.Withdrawn}, &p.WithdrawalReason)
	}, `SELECT market, panel, month, version, status, internal, p.reason, p.time, document, w.time, ifnull(w.reason, '')
		FROM publications p LEFT JOIN withdrawals w USING (market, panel, month, version)
		WHERE market = ?1 AND ?2 IN (panel, '') ORDER BY month, panel, version`, string(market), string(panel))
	if err != nil {
		return nil, fmt.Errorf("read the publications of %s in %s: %w", panel, market, err)
	}
	return all, nil
}

// Withdraw marks a version as one that must not be used; of several withdrawals
// of one the first stands.
func (s *documents) Withdraw(ctx context.Context, w rollcall.Withdrawal) error {
	err := s.exec(ctx, `INSERT INTO withdrawals (market, panel, month, version, time, reason) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		string(w.Market), string(w.Panel), w.Month.String(), w.Version, timeText(w.Time), w.Reason)
	if err != nil {
		return fmt.Errorf("withdraw version %d of %v: %w", w.Version, w.PanelMonth, err)
	}
	return nil
}
