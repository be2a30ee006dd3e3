package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"rollcall"
)

// Merge unites the deltas with the store in one transaction: all of them, or
// none. Rows that they don't change aren't written. A cell or diary that no
// event could have made is refused with an ErrInvalid; one without minutes is
// passed over, and so is what is of a month that has aged out. It holds one cell or 16,384 diaries at a time; SQLite's page cache, of
// 32 MB, spills into its log.
func (s *facts) Merge(ctx context.Context, d rollcall.Deltas) error {
	late := 0
	err := s.write(ctx, func(tx *sql.Tx) error {
		d, err := current(tx, d, &late)
		if err != nil {
			return err
		}
		if err := s.mergeCells(ctx, tx, d); err != nil {
			return err
		}
		return mergeDiaries(ctx, tx, s.log, d)
	})
	if err != nil {
		return fmt.Errorf("merge into the store: %w", err)
	}
	s.leftOut.Add(int64(late))
	return nil
}

// check refuses what could not be read back in its place.
func check(market rollcall.MarketID, service rollcall.ServiceID, loc rollcall.Location, kind rollcall.Kind, day rollcall.Day) error {
	if err := rollcall.CheckID("market", string(market)); err != nil {
		return err
	}
	if err := rollcall.CheckID("service", string(service)); err != nil {
		return err
	}
	if !loc.One() {
		return &rollcall.Invalid{Field: "location", Value: loc.String(), Reason: "is not one place", Code: "location"}
	}
	if !kind.Counts() {
		return &rollcall.Invalid{Field: "kind", Value: kind.String(), Reason: "makes no cell and no diary", Code: "kind"}
	}
	if day != clamp(day) {
		return &rollcall.Invalid{Field: "day", Value: day.String(), Reason: "is outside the years 1 to 9999", Code: "day"}
	}
	return nil
}
