// Command growth shows how Rollcall's cost grows: time, memory and store for more
// events, more segments, more months and more panelists, each with all else as it
// was, with the product as it is.
//
//	go run ./internal/bench/growth
//	go run ./internal/bench/growth --events 100000000 --segments "" --months "" --panelists ""
//
// The second is five minutes on two cores, and 1 GB of disk. Events, segments and months are
// loads of the operator's program beside, which makes a month of daily visits.
//
// Read this file, then visits.go, which has that program run, and panelists.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rollcall/internal/bench/command"
	"rollcall/internal/bench/product"
)

func main() { os.Exit(command.Run("growth", run)) }

// options are what the command line says: of each part the sizes that are measured.
type options struct {
	events, segments, months, panelists []int
	data                                string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("growth", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sizes := func(name, usual, of string, to *[]int) {
		flags.Func(name, of+", by commas; \"\" for none (default "+usual+")", func(text string) (err error) {
			*to, err = numbers(text)
			return err
		})
		*to, _ = numbers(usual) // a constant of this file
	}
	sizes("events", "1000000,10000000", "numbers of visits of one month", &o.events)
	sizes("segments", "10,1000,10000", "numbers of segments of a million visits", &o.segments)
	sizes("months", "1,12,60", "numbers of months of 160,000 visits", &o.months)
	sizes("panelists", "1000,10000,100000", "numbers of panelists of one month", &o.panelists)
	flags.StringVar(&o.data, "data", filepath.Join("build", "growth"), "`folder` of what is made, which is made anew")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, errors.New("want no more words")
	}
	return o, nil
}

func numbers(text string) (all []int, err error) {
	if text == "" {
		return nil, nil
	}
	for one := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a list of numbers from 1", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// run measures as the arguments say, and prints a table a part.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(o.data), os.MkdirAll(o.data, 0o755)); err != nil {
		return err
	}
	if err := o.visits(ctx, stdout, stderr); err != nil {
		return err
	}
	if len(o.panelists) == 0 {
		return nil
	}
	p, err := product.Build(ctx, o.data, stderr)
	if err != nil {
		return err
	}
	return panels(ctx, p, o.data, o.panelists, stdout)
}

// printRow prints a row of a table in Markdown.
func printRow(out io.Writer, cells ...any) {
	for _, c := range cells {
		if n, ok := c.(float64); ok {
			c = strconv.FormatFloat(n, 'g', 3, 64)
			if n >= 100 {
				c = strconv.FormatFloat(n, 'f', 0, 64)
			}
		}
		fmt.Fprintf(out, "| %v ", c)
	}
	fmt.Fprintln(out, "|")
}

// printHead prints a table's head.
func printHead(out io.Writer, names ...string) {
	fmt.Fprintf(out, "\n| %s |\n|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
}
