//go:build linux

package fold

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

const (
	clickhouseVisitors = "uniqCombined64(14)(visitor)"
	// What a cell's second sketch holds: see docs/formats/sketch.md.
	clickhousePairs = ", uniqCombined64(14)(intHash64(visitor) + toUInt64(day) * 1440 * 11400714819323198485)"
	clickhouseTypes = "visitor UInt64, service UInt8, location UInt8, day Date"
)

// clickhouse gives ClickHouse's contenders, having copied the rows to a table.
func clickhouse(tb testing.TB, in *input) []contender {
	tb.Helper()
	c := engines.ClickHouse(tb)
	parquet := fmt.Sprintf("file('%s', Parquet, '%s')", in.path, clickhouseTypes)
	c.Query("CREATE TABLE seen (" + clickhouseTypes + ") ENGINE = MergeTree ORDER BY tuple()")
	c.Query("INSERT INTO seen SELECT * FROM " + parquet)
	c.Query("OPTIMIZE TABLE seen FINAL")
	c.Restart() // lets go of the memory that this took
	of := func(name, count, from string, threads int) contender {
		query := fmt.Sprintf("SELECT service, location, toInt32(day), %s FROM %s GROUP BY service, location, day SETTINGS max_threads = %d", count, from, threads)
		return contender{name, process(c.PID()), func() ([]float64, error) {
			printed, err := c.Try(tb.Context(), query)
			if err != nil {
				return nil, err
			}
			return readCounts(strings.Split(printed, "\n"))
		}}
	}
	return []contender{
		of("ClickHouse, own table", clickhouseVisitors, "seen", 1),
		of("ClickHouse, Parquet", clickhouseVisitors, parquet, 1),
		of("ClickHouse, own table, both sketches", clickhouseVisitors+clickhousePairs, "seen", 1),
		of("ClickHouse, Parquet, both sketches", clickhouseVisitors+clickhousePairs, parquet, 1),
	}
}

// readCounts reads lines of service, location, day since 1970 and count.
func readCounts(lines []string) ([]float64, error) {
	counts := make([]float64, groups)
	for _, line := range lines {
		var n [4]int
		for i, field := range strings.Split(line, "\t")[:min(4, strings.Count(line, "\t")+1)] {
			var err error
			if n[i], err = strconv.Atoi(field); err != nil {
				return nil, fmt.Errorf("read counts %q: %w", line, err)
			}
		}
		counts[groupOf(uint8(n[0]), uint8(n[1]), int(rollcall.Day(n[2])-firstDay()))] = float64(n[3])
	}
	return counts, nil
}
