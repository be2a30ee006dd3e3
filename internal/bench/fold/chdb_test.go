//go:build linux

package fold

import (
	_ "embed"
	"fmt"
	"testing"
)

//go:embed testdata/chdb.py
var chdbScript string

// chdb gives the contenders of ClickHouse's newest version, which has no server
// here: chdb-core is its engine as a library of Python, in a process of its own.
// The rows are in its memory, as Rollcall's Arrow batches are.
func chdb(tb testing.TB, python string, in *input) []contender {
	tb.Helper()
	c := start(tb, python, "chdb", chdbScript)
	if c == nil {
		return nil
	}
	parquet := fmt.Sprintf("file('%s', Parquet, '%s')", in.path, clickhouseTypes)
	for _, query := range []string{
		"CREATE TABLE seen (" + clickhouseTypes + ") ENGINE = Memory",
		"INSERT INTO seen SELECT * FROM " + parquet,
	} {
		if _, err := c.ask(query); err != nil {
			tb.Fatal(err)
		}
	}
	of := func(name, count, from string) contender {
		query := fmt.Sprintf("SELECT service, location, toInt32(day), %s FROM %s GROUP BY service, location, day SETTINGS max_threads = 1", count, from)
		return contender{name, process(c.cmd.Process.Pid), func() ([]float64, error) { return c.ask(query) }}
	}
	return []contender{
		of("ClickHouse 26.9, memory", clickhouseVisitors, "seen"),
		of("ClickHouse 26.9, Parquet", clickhouseVisitors, parquet),
		of("ClickHouse 26.9, memory, both sketches", clickhouseVisitors+clickhousePairs, "seen"),
		of("ClickHouse 26.9, Parquet, both sketches", clickhouseVisitors+clickhousePairs, parquet),
	}
}
