package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutService writes a line of the catalogue over the one of its id.
func (s *catalogue) PutService(ctx context.Context, v rollcall.Service) error {
	err := s.put(ctx, `INSERT INTO services (service, name, brand, owner, census, epoch, colour)`,
		string(v.ID), v.Name, v.Brand, v.Owner, string(v.Census), string(v.Epoch), uint8(v.Colour))
	if err != nil {
		return fmt.Errorf("put service %s: %w", v.ID, err)
	}
	return nil
}

// Services gives the catalogue by id.
func (s *catalogue) Services(ctx context.Context) ([]rollcall.Service, error) {
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

// PutSegment writes a line of the catalogue over the one of its id.
func (s *catalogue) PutSegment(ctx context.Context, v rollcall.Segment) error {
	err := s.put(ctx, `INSERT INTO segments (segment, name, merged_into)`, string(v.ID), v.Name, string(v.Into))
	if err != nil {
		return fmt.Errorf("put segment %s: %w", v.ID, err)
	}
	return nil
}

// Segments gives the catalogue by id, and with it those that a market's cells
// have.
func (s *catalogue) Segments(ctx context.Context, market rollcall.MarketID) ([]rollcall.Segment, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (v rollcall.Segment, err error) {
		return v, r.Scan((*string)(&v.ID), &v.Name, (*string)(&v.Into))
	}, `SELECT segment, name, merged_into FROM segments FINAL ORDER BY segment`)
	if err == nil && market != "" {
		all, err = s.withSeen(ctx, all, market)
	}
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return all, nil
}

// withSeen adds those that a market's cells have and the catalogue, which is in
// order, has not.
func (s *catalogue) withSeen(ctx context.Context, all []rollcall.Segment, market rollcall.MarketID) ([]rollcall.Segment, error) {
	seen, err := list(ctx, s.database, func(r driver.Rows) (v rollcall.Segment, err error) {
		return v, r.Scan((*string)(&v.ID))
	}, `SELECT DISTINCT CAST(segment, 'String') FROM cells WHERE market = ? AND segment != ''`, string(market))
	byID := func(a, b rollcall.Segment) int { return cmp.Compare(a.ID, b.ID) }
	named := all
	for _, v := range seen {
		if _, has := slices.BinarySearchFunc(named, v, byID); !has {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, byID)
	return all, err
}
