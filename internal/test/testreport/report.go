package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action  string
	Package string
	Test    string // empty: of the package as a whole
	Output  string
}

// test names one test or subtest.
type test struct{ pkg, name string }

// reporter gathers what tests say until it is known whether anyone wants it.
type reporter struct {
	out     *bufio.Writer
	said    map[test]string   // of tests that haven't ended
	skipped map[string][]test // by reason
}

// report writes events as the reader's lines.
func report(events io.Reader, out io.Writer) error {
	r := reporter{out: bufio.NewWriter(out), said: map[test]string{}, skipped: map[string][]test{}}
	dec := json.NewDecoder(events)
	for {
		var e event
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) {
			r.end()
			return r.out.Flush()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("read the events of go test: %w", err), r.out.Flush())
		}
		r.take(e)
		if err := r.out.Flush(); err != nil { // as it happens
			return fmt.Errorf("report: %w", err)
		}
	}
}

func (r *reporter) take(e event) {
	at := test{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		if e.Test == "" {
			r.packageLine(e.Output)
			return
		}
		r.said[at] += e.Output
	case "fail":
		r.words(r.said[at])
		delete(r.said, at)
	case "skip":
		if e.Test != "" {
			why := reason(r.said[at])
			r.skipped[why] = append(r.skipped[why], at)
		}
		delete(r.said, at)
	case "pass":
		delete(r.said, at)
	}
}

// packageLine passes on what a package says but for the lines that say nothing:
// its PASS, and that it has no tests.
func (r *reporter) packageLine(line string) {
	if line != "PASS\n" && !strings.HasPrefix(line, "?   \t") {
		fmt.Fprint(r.out, line)
	}
}

// words prints what a test said, without the lines of its progress.
func (r *reporter) words(said string) {
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(r.out, line)
		}
	}
}

// end prints what tests said that never ended, and the skipped ones by reason.
func (r *reporter) end() {
	for _, at := range slices.SortedFunc(maps.Keys(r.said), compare) {
		fmt.Fprintf(r.out, "%s: %s did not end\n", at.pkg, at.name)
		r.words(r.said[at])
	}
	if len(r.skipped) == 0 {
		fmt.Fprintln(r.out, "No test was skipped.")
		return
	}
	fmt.Fprintln(r.out, "Skipped:")
	for _, why := range slices.Sorted(maps.Keys(r.skipped)) {
		fmt.Fprintf(r.out, "  %s\n", why)
		for _, at := range slices.SortedFunc(slices.Values(r.skipped[why]), compare) {
			fmt.Fprintf(r.out, "    %s %s\n", at.pkg, at.name)
		}
	}
}

func compare(a, b test) int {
	return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name)
}

// reason is the last thing that a skipped test said, without its "file:line: ".
func reason(said string) string {
	why := "no reason given"
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "=== ") {
			continue
		}
		if place, rest, ok := strings.Cut(line, ": "); ok && strings.Contains(place, ".go:") {
			line = rest
		}
		why = line
	}
	return why
}
