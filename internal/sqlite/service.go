package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// PutService writes a line of the catalogue over the one of its id.
func (s *documents) PutService(ctx context.Context, v rollcall.Service) error {
	err := s.exec(ctx, `INSERT OR REPLACE INTO services (service, name, brand, owner, census, epoch, colour) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(v.ID), v.Name, v.Brand, v.Owner, string(v.Census), string(v.Epoch), v.Colour)
	if err != nil {
		return fmt.Errorf("put service %s: %w", v.ID, err)
	}
	return nil
}

// Services gives the catalogue by id.
func (s *documents) Services(ctx context.Context) ([]rollcall.Service, error) {
	all, err := list(ctx, s.database, func(r *sql.Rows) (v rollcall.Service, err error) {
		return v, r.Scan(&v.ID, &v.Name, &v.Brand, &v.Owner, &v.Census, &v.Epoch, &v.Colour)
	}, `SELECT service, name, brand, owner, census, epoch, colour FROM services ORDER BY service`)
	if err != nil {
		return nil, fmt.Errorf("read services: %w", err)
	}
	return all, nil
}
