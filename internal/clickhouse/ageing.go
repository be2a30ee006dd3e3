package clickhouse

import (
	"context"
	"fmt"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// AddAgeing records an ageing. One that is recorded already, or that a later
// one includes, changes nothing. From then on Merge leaves out what is older;
// what a Merge that began before brings in meanwhile, the next RemoveFacts
// finds.
func (s *facts) AddAgeing(ctx context.Context, a rollcall.Ageing) error {
	if err := s.addAgeing(ctx, a); err != nil {
		return fmt.Errorf("record that months before %s age out: %w", a.Before, failure(ctx, err))
	}
	return nil
}

func (s *facts) addAgeing(ctx context.Context, a rollcall.Ageing) error {
	last, some, err := s.lastAgeing(ctx)
	if err != nil || some && last >= a.Before {
		return err
	}
	return s.put(ctx, `INSERT INTO ageings (before, time)`, dayTime(clamp(a.Before.First())), a.Time)
}

// lastAgeing gives the month before which all has aged out, if any has.
func (s *facts) lastAgeing(ctx context.Context) (m rollcall.Month, some bool, err error) {
	var n uint64
	err = s.db.QueryRow(ctx, `SELECT count(), max(before) FROM ageings`).Scan(&n, monthColumn{&m})
	return m, n > 0, err
}

// Ageings gives what was recorded, the earliest month first; of two that
// recorded the same at once, the first.
func (s *facts) Ageings(ctx context.Context) ([]rollcall.Ageing, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (a rollcall.Ageing, err error) {
		return a, r.Scan(monthColumn{&a.Before}, timeColumn{&a.Time})
	}, `SELECT before, min(time) FROM ageings GROUP BY before ORDER BY before`)
	if err != nil {
		return nil, fmt.Errorf("read what aged out: %w", err)
	}
	return all, nil
}

// LeftOut gives how many cells and diaries Merge has left out since Open, as
// their months had aged out.
func (s *facts) LeftOut() int64 { return s.leftOut.Load() }

// current gives those of the deltas whose months have not aged out.
func (s *facts) current(ctx context.Context, d rollcall.Deltas, late *int) (rollcall.Deltas, error) {
	before, some, err := s.lastAgeing(ctx)
	if err != nil || !some {
		return d, err
	}
	return d.From(before.First(), late), nil
}

// Rosters gives every roster that months before the given one ever had.
func (s *facts) Rosters(ctx context.Context, before rollcall.Month) ([]rollcall.Hash, error) {
	const query = `SELECT DISTINCT roster FROM (SELECT month, roster FROM rosters UNION ALL SELECT month, roster FROM panel_files)
		WHERE month < toDate32(?) AND roster != '' ORDER BY roster`
	all, err := list(ctx, s.database, func(r driver.Rows) (h rollcall.Hash, err error) { return h, r.Scan(hashColumn{&h}) },
		query, clamp(before.First()).String())
	if err != nil {
		return nil, fmt.Errorf("list the rosters before %s: %w", before, err)
	}
	return all, nil
}

// RemoveObjects removes objects and gives how many of them were there. No
// query sees them after; the servers delete the files that held them some
// minutes later.
func (s *facts) RemoveObjects(ctx context.Context, hashes []rollcall.Hash) (removed int, err error) {
	const most = 1000 // in one statement
	for from := 0; from < len(hashes); from += most {
		var names []string
		for _, h := range hashes[from:min(from+most, len(hashes))] {
			names = append(names, h.String())
		}
		n, err := s.removeRows(ctx, "objects", `hash IN (?)`, names)
		if err != nil {
			return removed, fmt.Errorf("remove %d objects: %w", len(hashes), failure(ctx, err))
		}
		removed += n
	}
	return removed, nil
}

// RemoveFacts removes the cells, the diaries and the exclusions of the months
// before the given one, and gives how many rows they had. Cells and diaries go
// by whole partitions, on every server, which costs the same whatever they
// hold. The servers delete the files some minutes later.
func (s *facts) RemoveFacts(ctx context.Context, before rollcall.Month) (rows int, err error) {
	day := clamp(before.First()).String()
	for _, table := range []string{"cells", "diaries"} {
		n, err := s.dropMonths(ctx, table, day)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("remove the %s before %s: %w", table, day, failure(ctx, err))
		}
	}
	n, err := s.removeRows(ctx, "exclusions", `month < toDate32(?)`, day)
	if err != nil {
		return rows, fmt.Errorf("remove the exclusions before %s: %w", before, failure(ctx, err))
	}
	if _, err := s.removeRows(ctx, "quarantine", `month < ?`, before.String()); err != nil {
		return rows + n, fmt.Errorf("remove the rows set aside before %s: %w", before, failure(ctx, err))
	}
	return rows + n, nil
}

// dropMonths drops a table's partitions before a day. A server without one has
// nothing to drop.
func (s *facts) dropMonths(ctx context.Context, table, day string) (rows int, err error) {
	type month struct {
		id   uint32
		rows uint64
	}
	months, err := list(ctx, s.database, func(r driver.Rows) (m month, err error) {
		return m, r.Scan(&m.id, &m.rows)
	}, `SELECT toYYYYMM(day) AS month, count() FROM `+identifier(table)+` WHERE day < toDate32(?) GROUP BY month ORDER BY month`, day)
	if err != nil {
		return 0, err
	}
	ctx = with(ctx, ch.Settings{"max_partition_size_to_drop": 0}) // a server asks back from 50 GB on
	for _, m := range months {
		for _, node := range s.nodes {
			if err := node.Exec(ctx, s.form.dropMonth(table, m.id)); err != nil {
				return rows, err
			}
		}
		rows += int(m.rows)
	}
	return rows, nil
}

// removeRows rewrites the parts that hold some rows, on every server, if any
// does.
func (s *facts) removeRows(ctx context.Context, table, where string, args ...any) (rows int, err error) {
	var n uint64
	err = s.db.QueryRow(ctx, `SELECT count() FROM `+identifier(table)+` WHERE `+where, args...).Scan(&n)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, node := range s.nodes {
		if err := node.Exec(ctx, `ALTER TABLE `+s.form.Table(table)+` DELETE WHERE `+where, args...); err != nil {
			return 0, err
		}
	}
	return int(n), nil
}
