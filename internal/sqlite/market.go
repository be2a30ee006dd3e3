package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// PutMarket writes a market over the one of its id.
func (s *catalogue) PutMarket(ctx context.Context, m rollcall.Market) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO markets (market, name, zone, simulated) VALUES (?, ?, ?, ?)`, string(m.ID), m.Name, m.Zone, m.Simulated)
	if err != nil {
		return fmt.Errorf("put market %s: %w", m.ID, err)
	}
	return nil
}

// Markets gives the markets by id.
func (s *catalogue) Markets(ctx context.Context) ([]rollcall.Market, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (m rollcall.Market, err error) {
		return m, r.Scan(&m.ID, &m.Name, &m.Zone, &m.Simulated)
	}, `SELECT market, name, zone, simulated FROM markets ORDER BY market`)
	if err != nil {
		return nil, fmt.Errorf("read markets: %w", err)
	}
	return all, nil
}

// HasFacts reports whether any cell or diary is of the market.
func (s *catalogue) HasFacts(ctx context.Context, market rollcall.MarketID) (some bool, err error) {
	err = s.readers.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cells WHERE market = ?1) OR EXISTS (SELECT 1 FROM diaries WHERE market = ?1)`, string(market)).Scan(&some)
	if err != nil {
		return false, fmt.Errorf("look for facts of %s: %w", market, failure(err))
	}
	return some, nil
}
