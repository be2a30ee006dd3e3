package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
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
// rewritten is in another. A merge of parts changes it too. It fails where a server
// is down, or the user may not read system.parts.
//
// The parts come as they are, and the question is made for the older of ClickHouse's
// two analysers and one thread: to group and hash them there takes twice the time.
func (s *catalogue) Revision(ctx context.Context) (rollcall.Revision, error) {
	parts, tables := "system.parts", censusTables()
	if s.form.Cluster != "" {
		parts = "clusterAllReplicas(" + literal(s.form.Cluster) + ", system.parts)"
	}
	for i, name := range tables {
		tables[i] = s.form.stored(name)
	}
	all := make(partsOf)
	light := ch.Settings{"skip_unavailable_shards": 0, "max_threads": 1, "enable_analyzer": 0}
	err := s.each(with(ctx, light), all.add, `SELECT hostName(), shardNum(), table, name, toUnixTimestamp(modification_time), bytes_on_disk FROM `+parts+`
		WHERE database = ? AND active AND table IN (?)`, s.form.Database, tables)
	if err != nil {
		return rollcall.Revision{}, fmt.Errorf("ask for the store's revision: %w", failure(ctx, err))
	}
	return all.revision(s.form.stored("cells"))
}

// partsOf are tables' parts, by table and partition.
type partsOf map[string]map[string][]string

// add takes the next part. A name may come again when a partition was dropped and
// the server restarted before it was filled anew; time and length are others then.
func (p partsOf) add(rows driver.Rows) (more bool, err error) {
	var host, table, name string
	var shard, at uint32
	var length uint64
	if err := rows.Scan(&host, &shard, &table, &name, &at, &length); err != nil {
		return false, err
	}
	if p[table] == nil {
		p[table] = make(map[string][]string)
	}
	partition, _, _ := strings.Cut(name, "_")
	p[table][partition] = append(p[table][partition], fmt.Sprint(host, " ", shard, " ", name, " ", at, " ", length))
	return true, nil
}

// revision is a hash of the parts of all tables, and of each month's of cells.
func (p partsOf) revision(cells string) (rollcall.Revision, error) {
	r := rollcall.Revision{Cells: make(map[rollcall.Month]string)}
	for partition, names := range p[cells] {
		at, err := time.Parse("200601", partition)
		if err != nil {
			return r, fmt.Errorf("a part of %s is of no month: %w", cells, err)
		}
		r.Cells[rollcall.MonthOf(at.Year(), at.Month())] = hashOf(names)
	}
	var rest []string
	for table, of := range p {
		for _, names := range of {
			if table != cells {
				rest = append(rest, table+" "+hashOf(names))
			}
		}
	}
	r.Rest = hashOf(rest)
	return r, nil
}

// hashOf is one of lines in any order, which it sorts.
func hashOf(lines []string) string {
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}
