//go:build linux

package fold

import (
	_ "embed"
	"fmt"
	"testing"
)

//go:embed testdata/duckdb.py
var duckdbScript string

// duckdb gives DuckDB's contenders; none where the Python that is named does
// not have it.
func duckdb(tb testing.TB, python string, in *input) []contender {
	tb.Helper()
	d := start(tb, python, "duckdb", duckdbScript)
	if d == nil {
		return nil
	}
	of := func(threads int) contender {
		query := fmt.Sprintf("SET threads = %d; SELECT service, location, day - DATE '1970-01-01', approx_count_distinct(visitor) FROM read_parquet('%s') GROUP BY ALL", threads, in.path)
		name := fmt.Sprintf("DuckDB, Parquet, threads %d", threads)
		return contender{name, process(d.cmd.Process.Pid), func() ([]float64, error) { return d.ask(query) }}
	}
	return []contender{of(1), of(2)}
}
