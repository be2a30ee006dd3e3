// Command load measures how many questions a second Rollcall's REST API answers,
// and how soon, beside what the same server does at /healthz in the same run: a
// machine's own speed falls out of the ratio.
//
// It starts a server of its own on the demonstration, in a process of its own;
// the folder is filled at the first run, and stays. With --url it asks a server
// that is there, on the demonstration too.
//
//	go run ./internal/bench/load
//
// Read ask.go (one connection), measure.go (many), server.go (the server), then
// this file: what is asked.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall/internal/bench/command"
)

func main() { os.Exit(command.Run("load", run)) }

// options are what the command line says.
type options struct {
	url, key, data string
	connections    []int
	atOnce         int
	each           time.Duration // how long a line of the table is measured
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.url, "url", "", "`http://HOST:PORT` of a server that is there, with the demonstration; empty: start one")
	flags.StringVar(&o.key, "key", "", "API key for --url; a server answers a key 6,000 times a minute and refuses what is more")
	flags.StringVar(&o.data, "data", filepath.Join("build", "load"), "`folder` of the server that is started; filled where it is not")
	flags.DurationVar(&o.each, "each", 2*time.Second, "how long each line of the table is measured")
	flags.IntVar(&o.atOnce, "at-once", 1000, "connections that ask at once, in the end")
	list := flags.String("connections", "1,8,64", "numbers of connections, by commas")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(*list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return o, fmt.Errorf("--connections %q: is not a list of numbers from 1", *list)
		}
		o.connections = append(o.connections, n)
	}
	if o.each <= 0 || o.atOnce < 1 || flags.NArg() > 0 {
		return o, errors.New("want a time over 0, a number from 1, and no more words")
	}
	return o, nil
}

// run measures as the arguments say, and prints the table.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.url == "" {
		s, err := startServer(ctx, o.data, stderr)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		o.url = s.url
	}
	at, err := url.Parse(o.url)
	if err != nil || at.Scheme != "http" || at.Host == "" {
		return fmt.Errorf("--url %q: is not http://HOST:PORT", o.url)
	}
	m := &meter{address: at.Host, key: o.key, each: o.each}
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "asked\tconnections\tanswers/s\tof /healthz\tp50 ms\tp99 ms\trefused\t")
	return errors.Join(cold(ctx, m, out), warm(ctx, m, o.connections, out), atOnce(ctx, m, o.atOnce, out), out.Flush())
}

const (
	health  = "/healthz"
	ranking = "/v1/reports/ranking?market=FR&panel=demo&month=2003-10"
)

// question is what a line of the table asks again and again.
type question struct{ name, path string }

// questions are measured in this order, for each number of connections: health
// first, that the others are compared with.
func questions() []question {
	return []question{
		{health, health},
		{"ranking of a month", ranking},
		{"trend of 14 months", "/v1/reports/trend?market=FR&panel=demo&from=2002-09&to=2003-10"},
		{"census of 31 days", "/v1/census?market=WORLD&from=2003-10-01&to=2003-10-31"},
	}
}

// warm asks the same again and again, after it was asked once.
func warm(ctx context.Context, m *meter, connections []int, out io.Writer) error {
	for _, n := range connections {
		var beside float64
		for _, q := range questions() {
			_, failed := m.once(ctx, []string{q.path})
			r, err := m.measure(ctx, n, q.path)
			if err := cmp.Or(failed, err); err != nil {
				return fmt.Errorf("%s, %d connections: %w", q.name, n, err)
			}
			if q.path == health {
				beside = r.rate()
			}
			printLine(out, q.name, n, r, beside)
		}
	}
	return nil
}

// cold asks on one connection for rankings that nobody has asked for since the
// server's start: of each month one first, whose facts are loaded for it, then
// the others.
func cold(ctx context.Context, m *meter, out io.Writer) error {
	var first, later []string
	for month := time.Date(2002, time.September, 1, 0, 0, 0, 0, time.UTC); month.Year() < 2003 || month.Month() < time.November; month = month.AddDate(0, 1, 0) {
		path := "/v1/reports/ranking?market=FR&panel=demo&month=" + month.Format("2006-01") + "&location="
		first = append(first, path+"home")
		later = append(later, path+"work", path+"both", path+"home%2Bwork&credit=use", path+"home&credit=use", path+"work&credit=use")
	}
	for _, q := range []struct {
		name  string
		paths []string
	}{{"ranking of a month not loaded", first}, {"ranking not asked before", later}} {
		r, err := m.once(ctx, q.paths)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		printLine(out, q.name, 1, r, 0)
	}
	return nil
}

// atOnce asks on so many connections at the same moment, each once: all must be
// answered, and none refused.
func atOnce(ctx context.Context, m *meter, n int, out io.Writer) error {
	r, err := m.atOnce(ctx, n, ranking)
	if err != nil {
		return fmt.Errorf("%d connections at once: %w", n, err)
	}
	printLine(out, "ranking, once on each", n, r, 0)
	if r.refused > 0 {
		return fmt.Errorf("%d connections at once: %d were refused", n, r.refused)
	}
	return nil
}

func printLine(out io.Writer, name string, connections int, r result, beside float64) {
	ratio := ""
	if beside > 0 {
		ratio = fmt.Sprintf("%.2f", r.rate()/beside)
	}
	fmt.Fprintf(out, "%s\t%d\t%.0f\t%s\t%.2f\t%.2f\t%d\t\n", name, connections, r.rate(), ratio, r.quantile(0.5), r.quantile(0.99), r.refused)
}
