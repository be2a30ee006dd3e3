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

// AddDelivery takes a step of an errand: the first one, or the one after the
// last. Any other is an ErrConflict: of two processes at once, one takes it.
func (s *documents) AddDelivery(ctx context.Context, d rollcall.Delivery) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`INSERT INTO deliveries (market, panel, month, version, cause, destination, step, state, until, tries, since, time, holder, text, error)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15 WHERE ?7 - 1 =
			(SELECT ifnull(max(step), 0) FROM deliveries WHERE (market, panel, month, version, cause, destination) = (?1, ?2, ?3, ?4, ?5, ?6))
			ON CONFLICT DO UPDATE SET step = excluded.step, state = excluded.state, until = excluded.until, tries = excluded.tries,
			time = excluded.time, holder = excluded.holder, text = excluded.text, error = excluded.error`,
			string(d.Market), string(d.Panel), d.Month.String(), d.Version, d.Cause, d.To, d.Step, string(d.State), timeText(d.Until), d.Tries,
			timeText(d.Since), timeText(d.Time), d.Holder, d.Text, d.Error)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); n > 0 || err != nil {
			return err
		}
		return fmt.Errorf("%w: another process took the step", rollcall.ErrConflict)
	})
	if err != nil {
		return fmt.Errorf("step %d of %s for %v: %w", d.Step, d.To, d.PanelMonth, err)
	}
	return nil
}

const lastSteps = `SELECT market, panel, month, version, cause, destination, step, state, until, tries, since, time, holder, text, error FROM deliveries`

func scanDelivery(r *sql.Rows) (d rollcall.Delivery, err error) {
	return d, r.Scan(&d.Market, &d.Panel, monthColumn{&d.Month}, &d.Version, &d.Cause, &d.To, &d.Step, &d.State, timeColumn{&d.Until}, &d.Tries,
		timeColumn{&d.Since}, timeColumn{&d.Time}, &d.Holder, &d.Text, &d.Error)
}

// Deliveries gives the last step of every errand that is not at its end.
func (s *documents) Deliveries(ctx context.Context) ([]rollcall.Delivery, error) {
	all, err := list(ctx, s.database, scanDelivery, lastSteps+` WHERE state IN ('waiting', 'held') ORDER BY month, market, panel, version, cause, destination`)
	if err != nil {
		return nil, fmt.Errorf("read the deliveries: %w", err)
	}
	return all, nil
}
