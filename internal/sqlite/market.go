package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// PutMarket writes a market over the one of its id.
func (s *documents) PutMarket(ctx context.Context, m rollcall.Market) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO markets (market, name, zone) VALUES (?, ?, ?)`, string(m.ID), m.Name, m.Zone)
	if err != nil {
		return fmt.Errorf("put market %s: %w", m.ID, err)
	}
	return nil
}

// Markets gives the markets by id.
func (s *documents) Markets(ctx context.Context) ([]rollcall.Market, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (m rollcall.Market, err error) {
		return m, r.Scan(&m.ID, &m.Name, &m.Zone)
	}, `SELECT market, name, zone FROM markets ORDER BY market`)
	if err != nil {
		return nil, fmt.Errorf("read markets: %w", err)
	}
	return all, nil
}
