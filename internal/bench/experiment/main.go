// Command experiment measures the bias and the root mean square error of
// package hll's estimates, and fails if either is over its bound: a bias of
// 0.1 %, and 1.05 times the standard error that the package states. Of what two
// sketches have in common and apart it measures the standard error itself.
//
// Up to 10^6 ids it adds them one by one. Above that it draws the registers by
// the law that they follow when the number of ids is a Poisson variable: a
// register of 2^K has a rank of at most r with probability exp(-n / 2^(K+r)).
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "experiment:", err)
		os.Exit(1)
	}
}

// run measures and prints. Its error names the first estimate out of bounds.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("experiment", flag.ContinueOnError)
	trials := flags.Int("trials", 10_000, "trials at each n")
	seed := flags.Uint64("seed", 1, "seed of the ids and of the registers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *trials < 1 {
		return fmt.Errorf("%d trials", *trials)
	}
	tables := measure(*trials, *seed)
	return errors.Join(report(out, tables), overlaps(out, *trials, *seed))
}

// precisions are the K that are measured.
var precisions = [...]int{12, 14, 16}

// added are the n at which ids are counted as they are added: the powers of
// ten, and 1, 2.5 and 5 times 2^K, where other estimators change their method.
var added = [...]int{
	100, 1_000, 4_096, 10_000, 10_240, 16_384, 20_480, 40_960, 65_536,
	81_920, 100_000, 163_840, 327_680, 1_000_000,
}

// drawn are the n whose registers are drawn.
var drawn = [...]float64{1e7, 1e8}

// counts are the estimates of one trial: by K, then by n.
type counts [len(precisions)][len(added) + len(drawn)]float64

// measure makes the trials, on every processor. Each has its own random
// numbers, so that the result depends on the seed alone.
func measure(trials int, seed uint64) []counts {
	results := make([]counts, trials)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < trials; i += workers {
				results[i] = trial(seed, uint64(i))
			}
		})
	}
	wg.Wait()
	return results
}

// bounds of what is measured, relative to the true number.
const (
	mostBias = 0.001
	mostRMSE = 1.05 // times the stated standard error
)

// report prints a line for each K and n.
func report(out io.Writer, trials []counts) error {
	fmt.Fprintf(out, "%d trials, relative to n\n%3s %11s  %-6s %9s %9s  %s\n",
		len(trials), "K", "n", "how", "bias", "RMSE", "RMSE * sqrt(2^K) / 1.0366")
	var failed error
	for ki, k := range precisions {
		stated := 1.0366 / math.Sqrt(float64(uint64(1)<<k))
		for ni := range trials[0][ki] {
			n, how := point(ni)
			bias, rmse := moments(trials, ki, ni, n)
			fmt.Fprintf(out, "%3d %11.0f  %-6s %+8.4f%% %8.4f%%  %.3f\n", k, n, how, 100*bias, 100*rmse, rmse/stated)
			if failed == nil && (math.Abs(bias) >= mostBias || rmse > mostRMSE*stated) {
				failed = fmt.Errorf("at K %d, n %.0f: bias %.5f, RMSE %.5f", k, n, bias, rmse)
			}
		}
	}
	return failed
}

// point gives the n of index i and how its registers come about.
func point(i int) (n float64, how string) {
	if i < len(added) {
		return float64(added[i]), "added"
	}
	return drawn[i-len(added)], "drawn"
}

// moments gives the mean and the root mean square of the estimates' relative
// deviations from n.
func moments(trials []counts, ki, ni int, n float64) (bias, rmse float64) {
	var sum, squares float64
	for i := range trials {
		d := trials[i][ki][ni]/n - 1
		sum += d
		squares += d * d
	}
	return sum / float64(len(trials)), math.Sqrt(squares / float64(len(trials)))
}
