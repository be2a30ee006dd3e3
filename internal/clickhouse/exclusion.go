package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// AddExclusion records a rule. The same rule again changes nothing.
func (s *documents) AddExclusion(ctx context.Context, e rollcall.Exclusion) error {
	err := errors.Join(checkMonth(e.Month), checkTime(e.Time))
	if err == nil {
		err = s.put(ctx, `INSERT INTO exclusions (market, panel, month, time, panelist, service, day, reason)`,
			string(e.Market), string(e.Panel), dayTime(e.Month.First()), e.Time, uint64(e.Panelist), string(e.Service), dayTime(e.Day), e.Reason)
	}
	if err != nil {
		return fmt.Errorf("add an exclusion to %v: %w", e.PanelMonth, err)
	}
	return nil
}

// Exclusions gives the rules of a panel's month, by time.
func (s *documents) Exclusions(ctx context.Context, m rollcall.PanelMonth) ([]rollcall.Exclusion, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (e rollcall.Exclusion, err error) {
		e.PanelMonth = m
		return e, r.Scan(timeColumn{&e.Time}, (*uint64)(&e.Panelist), (*string)(&e.Service), dayColumn{&e.Day}, &e.Reason)
	}, `SELECT DISTINCT time, panelist, service, day, reason FROM exclusions
		WHERE market = ? AND panel = ? AND month = toDate32(?) ORDER BY time, panelist, service, day, reason`,
		string(m.Market), string(m.Panel), clamp(m.Month.First()).String())
	if err != nil {
		return nil, fmt.Errorf("read the exclusions of %v: %w", m, err)
	}
	return all, nil
}

// AddAudit adds entries to the audit log.
func (s *audit) AddAudit(ctx context.Context, entries ...rollcall.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		if err := checkTime(e.Time); err != nil {
			return fmt.Errorf("add to the audit log: %w", err)
		}
		rows[i] = []any{e.Time, e.Key, e.Name, e.Action, string(e.Market), e.Object}
	}
	if err := insert(ctx, s.db, `INSERT INTO audit (time, key, name, action, market, object)`, rows...); err != nil {
		return fmt.Errorf("add to the audit log: %w", failure(ctx, err))
	}
	return nil
}

// Audit gives the last entries before a time, the newest first.
func (s *audit) Audit(ctx context.Context, before time.Time, most int) ([]rollcall.AuditEntry, error) {
	if before.IsZero() || before.After(lastTime) {
		before = lastTime
	}
	all, err := list(ctx, s.database, scanAudit, `SELECT DISTINCT time, key, name, action, market, object FROM audit
		WHERE toUnixTimestamp64Nano(time) < ? ORDER BY time DESC, key, name, action, market, object LIMIT ?`, before.UnixNano(), most)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return all, nil
}

func scanAudit(r driver.Rows) (e rollcall.AuditEntry, err error) {
	return e, r.Scan(timeColumn{&e.Time}, &e.Key, &e.Name, &e.Action, (*string)(&e.Market), &e.Object)
}
