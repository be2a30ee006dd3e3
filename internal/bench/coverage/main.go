// Command coverage measures what a 95 % interval is worth: it draws panels from
// a synthetic population whose figures are known, weighs each, and counts how
// often the interval holds the truth.
//
// Households share half of what makes a person use a service; recruiting is by
// household in strata; who answers depends on sex, age and region, which the
// weights repair. A second table lets it depend on taste as well, which no
// weights on demographics repair: it shows the bias. Two more calibrate such panels to
// the services' own census.
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

	"rollcall/internal/bench/command"
)

func main() { os.Exit(command.Run("coverage", run)) }

// run simulates as the arguments say and prints a line a figure. It fails where
// a figure's coverage is outside its bounds by more than chance explains.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("coverage", flag.ContinueOnError)
	flags.SetOutput(stderr)
	panels := flags.Int("panels", 2000, "panels to draw")
	size := flags.Int("size", 2000, "persons of each, about")
	people := flags.Int("population", 1_000_000, "persons of the population")
	seed := flags.Uint64("seed", 1, "of every random draw")
	taste := flags.Float64("taste", 0.35, "how much readier to join a person of taste one standard deviation above the mean is, in the second table; 0: no second table")
	census := flags.Bool("census", true, "two more tables: calibrated to the census of a service, and of two")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *panels < 2 || *size < 100 || *people < 50**size {
		return errors.New("want 2 panels of 100 persons and a population of 50 panels, or more")
	}
	p := newPopulation(*people, *seed)
	r := recruiting{size: *size}
	result, err := simulate(ctx, p, r, calibrating{}, *panels, *seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d panels of about %d persons; who answers depends on sex, age and region\n", *panels, *size)
	result.print(stdout)
	if *taste != 0 {
		by := r
		by.taste = *taste
		biased, err := simulate(ctx, p, by, calibrating{}, max(*panels/4, 2), *seed)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "\n%d panels; who answers depends on taste too\n", max(*panels/4, 2))
		biased.print(stdout)
	}
	if *census {
		c := comparison{population: p, panels: max(*panels/4, 2), seed: *seed, out: stdout}
		if err := c.calibrated(ctx, r); err != nil {
			return err
		}
	}
	return result.check()
}
