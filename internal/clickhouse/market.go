package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutMarket writes a market over the one of its id.
func (s *documents) PutMarket(ctx context.Context, m rollcall.Market) error {
	if err := s.put(ctx, `INSERT INTO markets (market, name, zone, simulated)`, string(m.ID), m.Name, m.Zone, m.Simulated); err != nil {
		return fmt.Errorf("put market %s: %w", m.ID, err)
	}
	return nil
}

// Markets gives the markets by id.
func (s *documents) Markets(ctx context.Context) ([]rollcall.Market, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (m rollcall.Market, err error) {
		return m, r.Scan((*string)(&m.ID), &m.Name, &m.Zone, &m.Simulated)
	}, `SELECT market, name, zone, simulated FROM markets FINAL ORDER BY market`)
	if err != nil {
		return nil, fmt.Errorf("read markets: %w", err)
	}
	return all, nil
}

// HasFacts reports whether any cell or diary is of the market.
func (s *documents) HasFacts(ctx context.Context, market rollcall.MarketID) (bool, error) {
	for _, table := range []string{"cells", "diaries"} {
		found, err := list(ctx, s.database, func(r driver.Rows) (one uint8, err error) { return one, r.Scan(&one) },
			`SELECT 1 FROM `+table+` WHERE market = ? LIMIT 1`, string(market))
		if err != nil {
			return false, fmt.Errorf("look for facts of %s: %w", market, err)
		}
		if len(found) > 0 {
			return true, nil
		}
	}
	return false, nil
}
