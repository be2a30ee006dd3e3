package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

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

// CensusMonths gives the months that have cells, in order. It leaps from month to
// month in the table's index: a month may have a million cells.
func (s *catalogue) CensusMonths(ctx context.Context, market rollcall.MarketID) (all []rollcall.Month, err error) {
	next, err := s.readers.PrepareContext(ctx, `SELECT market, service, location, kind, day FROM cells
		WHERE (market, service, location, kind, day) > (?, ?, ?, ?, ?) ORDER BY market, service, location, kind, day LIMIT 1`)
	if err != nil {
		return nil, fmt.Errorf("read the census's months: %w", failure(err))
	}
	defer next.Close()
	at := [5]string{string(market)}
	for {
		err := next.QueryRowContext(ctx, at[0], at[1], at[2], at[3], at[4]).Scan(&at[0], &at[1], &at[2], &at[3], &at[4])
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && at[0] != string(market):
			slices.Sort(all)
			return slices.Compact(all), nil
		case err != nil:
			return nil, fmt.Errorf("read the census's months: %w", failure(err))
		}
		day, err := rollcall.ParseDay(at[4])
		if err != nil {
			return nil, fmt.Errorf("read the census's months: %w", err)
		}
		all, at[4] = append(all, day.Month()), day.Month().Last().String()
	}
}
