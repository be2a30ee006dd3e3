package clickhouse

import (
	"context"
	"errors"
	"fmt"

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
