package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// PutService writes a line of the catalogue over the one of its id.
func (s *catalogue) PutService(ctx context.Context, v rollcall.Service) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO services (service, name, brand, owner, census, epoch, colour) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(v.ID), v.Name, v.Brand, v.Owner, string(v.Census), string(v.Epoch), v.Colour)
	if err != nil {
		return fmt.Errorf("put service %s: %w", v.ID, err)
	}
	return nil
}

// Services gives the catalogue by id.
func (s *catalogue) Services(ctx context.Context) ([]rollcall.Service, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (v rollcall.Service, err error) {
		return v, r.Scan(&v.ID, &v.Name, &v.Brand, &v.Owner, &v.Census, &v.Epoch, &v.Colour)
	}, `SELECT service, name, brand, owner, census, epoch, colour FROM services ORDER BY service`)
	if err != nil {
		return nil, fmt.Errorf("read services: %w", err)
	}
	return all, nil
}

// PutSegment writes a line of the catalogue over the one of its id.
func (s *catalogue) PutSegment(ctx context.Context, v rollcall.Segment) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO segments (segment, name, merged_into) VALUES (?, ?, ?)`, string(v.ID), v.Name, string(v.Into))
	if err != nil {
		return fmt.Errorf("put segment %s: %w", v.ID, err)
	}
	return nil
}

// Segments gives the catalogue by id, and with it those that a market's cells
// have, or had.
func (s *catalogue) Segments(ctx context.Context, market rollcall.MarketID) ([]rollcall.Segment, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (v rollcall.Segment, err error) {
		return v, r.Scan(&v.ID, &v.Name, &v.Into)
	}, `SELECT segment, name, merged_into FROM segments UNION ALL
		SELECT segment, '', '' FROM seen_segments WHERE market = ? AND segment NOT IN (SELECT segment FROM segments) ORDER BY segment`, string(market))
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return all, nil
}
