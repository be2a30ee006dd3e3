package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rollcall"
)

// AddExclusion records a rule. The same rule again changes nothing.
func (s *documents) AddExclusion(ctx context.Context, e rollcall.Exclusion) error {
	const query = `INSERT INTO exclusions (market, panel, month, time, panelist, service, day, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	panelist, day := "", ""
	if e.Panelist != 0 {
		panelist = pseudonym(e.Panelist)
	}
	if e.Day != 0 {
		day = e.Day.String()
	}
	err := s.exec(ctx, query, string(e.Market), string(e.Panel), e.Month.String(), timeText(e.Time), panelist, string(e.Service), day, e.Reason)
	if err != nil {
		return fmt.Errorf("add an exclusion to %v: %w", e.PanelMonth, err)
	}
	return nil
}

// Exclusions gives the rules of a panel's month, by time.
func (s *documents) Exclusions(ctx context.Context, m rollcall.PanelMonth) ([]rollcall.Exclusion, error) {
	all, err := list(ctx, s.database, scanExclusion, `SELECT market, panel, month, time, panelist, service, day, reason FROM exclusions
		WHERE market = ? AND panel = ? AND month = ? ORDER BY time, panelist, service, day, reason`,
		string(m.Market), string(m.Panel), m.Month.String())
	if err != nil {
		return nil, fmt.Errorf("read the exclusions of %v: %w", m, err)
	}
	return all, nil
}

func scanExclusion(r *sql.Rows) (e rollcall.Exclusion, err error) {
	var panelist, day string
	if err = r.Scan(&e.Market, &e.Panel, monthColumn{&e.Month}, timeColumn{&e.Time}, &panelist, &e.Service, &day, &e.Reason); err != nil {
		return e, err
	}
	if panelist != "" {
		v, err := parseHex([]byte(panelist))
		if err != nil {
			return e, err
		}
		e.Panelist = rollcall.Visitor(v)
	}
	if day != "" {
		e.Day, err = rollcall.ParseDay(day)
	}
	return e, err
}

// AddAudit adds entries to the audit log, and drops the oldest of too many.
func (s *audit) AddAudit(ctx context.Context, entries ...rollcall.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, e := range entries {
			const add = `INSERT INTO audit (time, key, name, action, market, object) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
			if _, err := tx.ExecContext(ctx, add, timeText(e.Time), e.Key, e.Name, e.Action, string(e.Market), e.Object); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?`, rollcall.MostAudit)
		return err
	})
	if err != nil {
		return fmt.Errorf("add to the audit log: %w", err)
	}
	return nil
}

// Audit gives the last entries before a time, the newest first.
func (s *audit) Audit(ctx context.Context, before time.Time, most int) ([]rollcall.AuditEntry, error) {
	end := "~" // after every time's text
	if !before.IsZero() {
		end = timeText(before)
	}
	all, err := list(ctx, s.database, scanAudit, `SELECT time, key, name, action, market, object FROM audit
		WHERE time < ? ORDER BY time DESC, key, name, action, market, object LIMIT ?`, end, most)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return all, nil
}

func scanAudit(r *sql.Rows) (e rollcall.AuditEntry, err error) {
	return e, r.Scan(timeColumn{&e.Time}, &e.Key, &e.Name, &e.Action, &e.Market, &e.Object)
}
