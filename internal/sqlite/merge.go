package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"

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
	return s.boundLog(ctx)
}

// logBytes is the length of SQLite's log from which a merge waits for readers
// to let it be emptied. By itself SQLite begins it anew only when no reader is
// in it, and where reports overlap there always is one. What a log may be
// beyond it is one merge.
const logBytes = 48 << 20

// boundLog empties SQLite's log where it has become long. The merge is on the
// disk whatever comes of it.
func (s *database) boundLog(ctx context.Context) error {
	info, err := os.Stat(s.path + "-wal")
	if err != nil || info.Size() < s.logBytes {
		return nil //nolint:nilerr // no log is a short one
	}
	if busy, err := s.emptyLog(context.WithoutCancel(ctx)); busy || err != nil {
		s.log.Warn("the store's log could not be emptied; the next flush tries again", "bytes", info.Size(), "busy", busy, "error", err)
	}
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
