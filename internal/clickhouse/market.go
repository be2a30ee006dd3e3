package clickhouse

import (
	"context"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
)

// PutMarket writes a market over the one of its id. A simulated one stays so.
func (s *catalogue) PutMarket(ctx context.Context, m rollcall.Market) error {
	if m.Simulated {
		if err := s.put(ctx, `INSERT INTO simulated (market)`, string(m.ID)); err != nil {
			return fmt.Errorf("put market %s: %w", m.ID, err)
		}
	}
	if err := s.put(ctx, `INSERT INTO markets (market, name, zone)`, string(m.ID), m.Name, m.Zone); err != nil {
		return fmt.Errorf("put market %s: %w", m.ID, err)
	}
	return nil
}

// isSimulated says of a row of markets whether its people exist.
const isSimulated = `market GLOBAL IN (SELECT market FROM simulated)`

// Markets gives the markets by id.
func (s *catalogue) Markets(ctx context.Context) ([]rollcall.Market, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (m rollcall.Market, err error) {
		var simulated uint8
		err = r.Scan((*string)(&m.ID), &m.Name, &m.Zone, &simulated)
		m.Simulated = simulated != 0
		return m, err
	}, `SELECT market, name, zone, `+isSimulated+` FROM markets FINAL ORDER BY market`)
	if err != nil {
		return nil, fmt.Errorf("read markets: %w", err)
	}
	return all, nil
}

// HasFacts reports whether any cell or diary is of the market.
func (s *catalogue) HasFacts(ctx context.Context, market rollcall.MarketID) (bool, error) {
	for _, table := range []string{"cells", "diaries"} {
		found, err := list(ctx, s.database, func(r driver.Rows) (one uint8, err error) { return one, r.Scan(&one) },
			`SELECT 1 FROM `+table+` WHERE market = ? LIMIT 1`, string(market))
		if err != nil {
			return false, fmt.Errorf("look for facts of %s: %w", market, err)
		}
		if len(found) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// CensusMonths gives the months that have cells, in order.
func (s *catalogue) CensusMonths(ctx context.Context, market rollcall.MarketID) ([]rollcall.Month, error) {
	all, err := list(ctx, s.database, func(r driver.Rows) (rollcall.Month, error) {
		var first time.Time
		err := r.Scan(&first)
		return rollcall.MonthOf(first.Year(), first.Month()), err
	}, `SELECT DISTINCT toStartOfMonth(day) AS month FROM cells WHERE market = ? ORDER BY month`, string(market))
	if err != nil {
		return nil, fmt.Errorf("read the census's months: %w", err)
	}
	return all, nil
}

// censusTables are those that a census is made of.
func censusTables() []string {
	return []string{"cells", "corrections", "segments", "services", "ageings", "masters", "quarantine"}
}

// Revision tells of the parts of the tables that a census is made of, on every
// server that has some: a part never changes, and what is written, removed or
// rewritten is in another of another name. A merge of parts changes it too. It
// fails where a server is down, or the user may not read system.parts.
func (s *catalogue) Revision(ctx context.Context) (rollcall.Revision, error) {
	parts, tables := "system.parts", censusTables()
	if s.form.Cluster != "" {
		parts = "clusterAllReplicas(" + literal(s.form.Cluster) + ", system.parts)"
	}
	for i, name := range tables {
		tables[i] = s.form.stored(name)
	}
	r := rollcall.Revision{Cells: make(map[rollcall.Month]string)}
	err := s.each(with(ctx, ch.Settings{"skip_unavailable_shards": 0}), func(rows driver.Rows) (bool, error) {
		var table, partition string
		var parts, names uint64
		if err := rows.Scan(&table, &partition, &parts, &names); err != nil {
			return false, err
		}
		text := fmt.Sprintf("%d/%x", parts, names)
		if table != s.form.stored("cells") {
			r.Rest += table + " " + text + ","
			return true, nil
		}
		at, err := time.Parse("200601", partition)
		r.Cells[rollcall.MonthOf(at.Year(), at.Month())] = text
		return true, err
	}, `SELECT table, partition, count(), sum(cityHash64(hostName(), shardNum(), name)) FROM `+parts+`
		WHERE database = ? AND active AND table IN (?) GROUP BY table, partition ORDER BY table, partition`, s.form.Database, tables)
	if err != nil {
		return rollcall.Revision{}, fmt.Errorf("ask for the store's revision: %w", failure(ctx, err))
	}
	return r, nil
}
