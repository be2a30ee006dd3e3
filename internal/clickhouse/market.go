package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutMarket writes a market over the one of its id.
func (s *documents) PutMarket(ctx context.Context, m rollcall.Market) error {
	if err := s.put(ctx, `INSERT INTO markets (market, name, zone)`, string(m.ID), m.Name, m.Zone); err != nil {
		return fmt.Errorf("put market %s: %w", m.ID, err)
	}
	return nil
}

// Markets gives the markets by id.
func (s *documents) Markets(ctx context.Context) ([]rollcall.Market, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (m rollcall.Market, err error) {
		return m, r.Scan((*string)(&m.ID), &m.Name, &m.Zone)
	}, `SELECT market, name, zone FROM markets FINAL ORDER BY market`)
	if err != nil {
		return nil, fmt.Errorf("read markets: %w", err)
	}
	return all, nil
}
