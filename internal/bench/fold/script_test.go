//go:build linux

package fold

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// script is a Python process with an engine in it, which answers queries.
type script struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start starts a script's process; nil where its Python lacks the engine.
func start(tb testing.TB, python, engine, text string) *script {
	tb.Helper()
	if err := exec.CommandContext(tb.Context(), python, "-c", "import "+engine).Run(); err != nil {
		tb.Logf("without %s: %s -c 'import %s': %v", engine, python, engine, err)
		return nil
	}
	s := &script{cmd: exec.CommandContext(tb.Context(), python, "-c", text)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	tb.Cleanup(func() {
		_ = s.in.Close() // which ends it
		_ = s.cmd.Wait() // killed by then, perhaps
	})
	return s
}

// ask runs a query that gives counts.
func (s *script) ask(query string) ([]float64, error) {
	if _, err := fmt.Fprintln(s.in, query); err != nil {
		return nil, err
	}
	var lines []string
	for s.out.Scan() {
		line := s.out.Text()
		if line == "" {
			return readCounts(lines)
		}
		lines = append(lines, line)
	}
	return nil, fmt.Errorf("query %q: the engine ended after %q", query, strings.Join(lines, "; "))
}
