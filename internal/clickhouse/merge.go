package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// Merge unites the deltas with the store, which has them on its disk when
// Merge returns nil. After an error a part of them may be there: send them
// again. A cell or diary that no event could have made is refused with an
// ErrInvalid; one without minutes is passed over, and so is what is of a month that has aged out. It holds 32 MB of rows at a
// time.
func (s *facts) Merge(ctx context.Context, d rollcall.Deltas) error {
	late := 0
	d, err := s.current(ctx, d, &late)
	if err == nil {
		err = s.mergeCells(ctx, d)
	}
	if err == nil {
		err = s.mergeDiaries(ctx, d.Diaries)
	}
	if err != nil {
		return fmt.Errorf("merge into the store: %w", failure(ctx, err))
	}
	s.leftOut.Add(int64(late))
	return nil
}

const (
	// flushBytes of rows are sent at once.
	flushBytes = 32 << 20
	// eraMonths is under the 100 partitions, each a month, that a server takes
	// in one insert.
	eraMonths = 96
)

// inserter gathers a table's rows in a batch for each era of its months.
type inserter struct {
	db    driver.Conn
	query string
	eras  map[rollcall.Month]driver.Batch
	bytes int
}

// row adds a row of about so many bytes, and sends what is gathered once that
// is enough.
func (in *inserter) row(ctx context.Context, m rollcall.Month, bytes int, values ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	batch, ok := in.eras[m/eraMonths]
	if !ok {
		var err error
		if batch, err = in.db.PrepareBatch(ctx, in.query, driver.WithReleaseConnection()); err != nil {
			return err
		}
		in.eras[m/eraMonths] = batch
	}
	if err := batch.Append(values...); err != nil {
		return err
	}
	if in.bytes += bytes; in.bytes < flushBytes {
		return nil
	}
	return in.send()
}

// send sends what is gathered and begins again.
func (in *inserter) send() error {
	for era, batch := range in.eras {
		if err := batch.Send(); err != nil {
			return err
		}
		delete(in.eras, era)
	}
	in.bytes = 0
	return nil
}

// abort drops what was not sent.
func (in *inserter) abort() {
	for _, batch := range in.eras {
		_ = batch.Abort() // it only says that Send was tried
	}
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
		return &rollcall.Invalid{Field: "day", Value: day.String(), Reason: "is outside the years 1900 to 2299", Code: "day"}
	}
	return nil
}
