//go:build linux

package fold

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

//go:embed testdata/duckdb.py
var duckdbScript string

// duck is a Python process with DuckDB in it.
type duck struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// duckdb gives DuckDB's contenders; none where the Python that is named does
// not have it.
func duckdb(tb testing.TB, python string, in *input) []contender {
	tb.Helper()
	if err := exec.CommandContext(tb.Context(), python, "-c", "import duckdb").Run(); err != nil {
		tb.Logf("without DuckDB: %s -c 'import duckdb': %v", python, err)
		return nil
	}
	d := startDuck(tb, python)
	of := func(threads int) contender {
		query := fmt.Sprintf("SET threads = %d; SELECT service, location, day - DATE '1970-01-01', approx_count_distinct(visitor) FROM read_parquet('%s') GROUP BY ALL", threads, in.path)
		name := fmt.Sprintf("DuckDB, Parquet, threads %d", threads)
		return contender{name, process(d.cmd.Process.Pid), func() ([]float64, error) { return d.ask(query) }}
	}
	return []contender{of(1), of(2)}
}

func startDuck(tb testing.TB, python string) *duck {
	tb.Helper()
	d := &duck{cmd: exec.CommandContext(tb.Context(), python, "-c", duckdbScript)}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	d.out = bufio.NewScanner(out)
	tb.Cleanup(func() {
		_ = d.in.Close() // which ends it
		_ = d.cmd.Wait() // killed by then, perhaps
	})
	return d
}

// ask runs a query.
func (d *duck) ask(query string) ([]float64, error) {
	if _, err := fmt.Fprintln(d.in, query); err != nil {
		return nil, err
	}
	var lines []string
	for d.out.Scan() {
		line := d.out.Text()
		if line == "" {
			return readCounts(lines)
		}
		lines = append(lines, line)
	}
	return nil, fmt.Errorf("query %q: DuckDB ended after %q", query, strings.Join(lines, "; "))
}
