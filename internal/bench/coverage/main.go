// Command coverage measures what a 95 % interval is worth: it draws panels from
// a synthetic population whose figures are known, weighs each, and counts how
// often the interval holds the truth.
//
//	go run ./internal/bench/coverage --panels 10000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1) //nolint:gocritic // stop would only put the signal back
	}
}

// run simulates as the arguments say and prints a line a figure. It fails where
// a figure's coverage is outside the bounds asked for.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("coverage", flag.ContinueOnError)
	flags.SetOutput(stderr)
	panels := flags.Int("panels", 10000, "panels to draw")
	size := flags.Int("size", 2000, "panelists of each")
	people := flags.Int("population", 5_000_000, "persons of the population")
	seed := flags.Uint64("seed", 1, "of every random draw")
	low := flags.Float64("low", 94, "coverage that every figure must reach, in percent")
	high := flags.Float64("high", 96, "coverage that none may pass, in percent")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *panels < 2 || *size < 100 || *people < 100**size {
		return errors.New("want 2 panels of 100 panelists and a population of 100 panels, or more")
	}
	result, err := simulate(ctx, newPopulation(*people, *seed), *panels, *size, *seed)
	if err != nil {
		return err
	}
	result.print(stdout)
	return result.check(*low, *high)
}
