package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutService writes a line of the catalogue over the one of its id.
func (s *documents) PutService(ctx context.Context, v rollcall.Service) error {
	err := s.put(ctx, `INSERT INTO services (service, name, brand, owner, census, epoch, colour)`,
		string(v.ID), v.Name, v.Brand, v.Owner, string(v.Census), string(v.Epoch), uint8(v.Colour))
	if err != nil {
		return fmt.Errorf("put service %s: %w", v.ID, err)
	}
	return nil
}

// Services gives the catalogue by id.
func (s *documents) Services(ctx context.Context) ([]rollcall.Service, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (v rollcall.Service, err error) {
		var colour uint8
		err = r.Scan((*string)(&v.ID), &v.Name, &v.Brand, &v.Owner, (*string)(&v.Census), (*string)(&v.Epoch), &colour)
		v.Colour = int(colour)
		return v, err
	}, `SELECT service, name, brand, owner, census, epoch, colour FROM services FINAL ORDER BY service`)
	if err != nil {
		return nil, fmt.Errorf("read services: %w", err)
	}
	return all, nil
}
