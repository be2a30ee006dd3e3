// Command peers measures package hll beside the HyperLogLogs that a Go
// programmer would otherwise take, in one run, on one thread, at K = 14, and
// prints a table: each figure, and how many times ours it is.
//
// It is a module of its own so that its requirements stay out of Rollcall's.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run measures every task with every peer and prints the table.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	round := flags.Duration("round", 50*time.Millisecond, "least time of a round; the best of seven rounds counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "K = 14\t")
	for _, p := range peers {
		fmt.Fprintf(table, "%s\t\t", p.name)
	}
	fmt.Fprintln(table)
	for _, t := range tasks {
		if err := t.print(table, *round); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return table.Flush()
}

// print measures one task with every peer, ours first, and prints its line.
func (t task) print(out io.Writer, round time.Duration) error {
	fmt.Fprintf(out, "%s, %s\t", t.name, t.unit)
	var ours float64
	for i, p := range peers {
		figure, err := t.measure(p, round)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if i == 0 {
			ours = figure
		}
		fmt.Fprintf(out, "%s\tx%.2f\t", short(figure), figure/ours)
	}
	fmt.Fprintln(out)
	return nil
}

// short writes a figure with three digits or so.
func short(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
