//go:build linux

package fold

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"rollcall"
)

// contender counts the visitors of every group of the same rows.
type contender struct {
	name string
	in   process
	run  func() ([]float64, error)
}

// result is what a contender's runs took and gave.
type result struct {
	cpu, wall []time.Duration
	memory    int // the most bytes a run added
	counts    []float64
}

// BenchmarkPeers prints the table. Contenders take turns, one run each a round,
// so that what else the machine does falls on all; medians count.
func BenchmarkPeers(b *testing.B) {
	if *rows == 0 {
		b.Skip("say of how many rows: -args -rows=50000000")
	}
	in := newInput(b, *rows)
	contenders := ours(in)
	if !*alone {
		contenders = slices.Concat(contenders, chdb(b, *newest, in), clickhouse(b, in), duckdb(b, *python, in))
	}
	contenders = slices.DeleteFunc(contenders, func(c contender) bool { return !strings.Contains(c.name, *only) })
	results := make([]result, len(contenders))
	for i := range contenders {
		results[i].measure(b, &contenders[i])
		results[i].cpu, results[i].wall = nil, nil // the first pays for caches
	}
	for b.Loop() {
		for i := range contenders {
			results[i].measure(b, &contenders[i])
		}
	}
	fmt.Print(table(in, contenders, results)) // b.Log would cut it short
}

func ours(in *input) []contender {
	of := func(name string, fold func(*input, rollcall.Precision) ([]float64, error), p rollcall.Precision) contender {
		return contender{name, process(os.Getpid()), func() ([]float64, error) { return fold(in, p) }}
	}
	return []contender{
		of("Rollcall, memory", fromRecords, rollcall.ToDay),
		of("Rollcall, Parquet", fromParquet, rollcall.ToDay),
		of("Rollcall, memory, both sketches", fromRecords, rollcall.ToMinute),
		of("Rollcall, Parquet, both sketches", fromParquet, rollcall.ToMinute),
	}
}

// measure runs the contender once.
func (r *result) measure(b *testing.B, c *contender) {
	b.Helper()
	debug.FreeOSMemory()
	before, err := c.in.forget()
	must(b, c, err)
	used, err := c.in.cpu()
	must(b, c, err)
	start := time.Now()
	r.counts, err = c.run()
	must(b, c, err)
	r.wall = append(r.wall, time.Since(start))
	after, err := c.in.cpu()
	must(b, c, err)
	peak, err := c.in.peak()
	must(b, c, err)
	r.cpu = append(r.cpu, after-used)
	r.memory = max(r.memory, peak-before)
}

func must(b *testing.B, c *contender, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
}

func table(in *input, contenders []contender, results []result) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d rows, %d groups of %d to %d visitors; medians of %d rounds\n",
		in.rows, groups, slices.Min(in.distinct[:]), slices.Max(in.distinct[:]), len(results[0].cpu))
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tM rows/s/core\tM rows/s\tbest core\terror, mean\terror, most\tmemory, MiB\t\n")
	for i, r := range results {
		mean, most := in.errors(r.counts)
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.3f %%\t%.3f %%\t%.0f\t\n", contenders[i].name,
			in.rate(r.cpu), in.rate(r.wall), float64(in.rows)/1e6/slices.Min(r.cpu).Seconds(), 100*mean, 100*most, float64(r.memory)/(1<<20))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for i, us := range contenders {
		for k, peer := range contenders {
			if work, ok := strings.CutPrefix(us.name, "Rollcall"); ok && k != i && strings.HasSuffix(peer.name, work) {
				fmt.Fprintf(&text, "%s: %s\n", peer.name, times(results[i].cpu, results[k].cpu))
			}
		}
	}
	return text.String()
}

// times tells how many times as fast as its peer Rollcall is at the same work, by
// the processor time of each round.
func times(ours, peers []time.Duration) string {
	var ratios []float64
	for round, cpu := range ours {
		ratios = append(ratios, peers[round].Seconds()/cpu.Seconds())
	}
	slices.Sort(ratios)
	return fmt.Sprintf("Rollcall is %.2f times as fast (rounds: %.2f to %.2f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
}

// rate gives millions of rows a second.
func (in *input) rate(times []time.Duration) float64 {
	times = slices.Sorted(slices.Values(times))
	return float64(in.rows) / 1e6 / times[len(times)/2].Seconds()
}

// errors gives the mean and the greatest relative error of the groups.
func (in *input) errors(counts []float64) (mean, most float64) {
	for g, truth := range in.distinct {
		e := math.Abs(counts[g]/float64(truth) - 1)
		mean, most = mean+e/groups, max(most, e)
	}
	return mean, most
}

var (
	rows   = flag.Int("rows", 0, "how many rows; a tenth as many visitors")
	alone  = flag.Bool("alone", false, "Rollcall alone, to be profiled")
	only   = flag.String("only", "", "those whose names have this alone")
	python = flag.String("python", "python3", "a Python that has DuckDB")
	newest = flag.String("chdb", "python3", "a Python that has chdb-core")
)
