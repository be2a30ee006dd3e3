// Command operator measures the census at the size of an operator: a month of
// daily visits, each of an account, a day, a device and an instance. It writes the
// month's table, loads it with the product as it is, and asks for every instance's
// month and for whole months, by a server, as often as it takes to see the slowest.
//
//	go run ./internal/bench/operator --accounts 12500000
//
// A month of 400,000 accounts is 3.2 million visits; of 12.5 million, 100 million.
// With --clickhouse the store is copied there and the same is asked again.
//
// Read month.go (the visits), table.go (their file), ask.go (the questions), then
// this file. The tests beside hold a service that is counted exactly to a count by
// hand, over the same month.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"rollcall"
	"rollcall/internal/bench/command"
	"rollcall/internal/bench/product"
)

func main() { os.Exit(command.Run("operator", run)) }

const service = "mychat"

// options are what the command line says.
type options struct {
	accounts, instances, places int
	exact                       bool
	days                        int
	form, data, clickhouse      string
	json                        string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.accounts, "accounts", 400_000, "accounts of the operator")
	flags.IntVar(&o.instances, "instances", 20, "instances: segments of the census; 10,000 at the most")
	flags.IntVar(&o.places, "places", 1, "1: every visit is elsewhere, as an operator knows no place; 3")
	flags.IntVar(&o.days, "days", 31, "days of visits, the last of them 31 October 2026")
	flags.BoolVar(&o.exact, "exact", false, "count the service exactly")
	flags.StringVar(&o.form, "form", parquetForm, "`form` of the table: parquet, or csv for --source tchap")
	flags.StringVar(&o.data, "data", filepath.Join("build", "operator"), "`folder` of the tables and of the store, which are made anew")
	flags.StringVar(&o.clickhouse, "clickhouse", "", "`clickhouse://HOST:PORT/DATABASE` to copy the store to, and to ask as well")
	flags.StringVar(&o.json, "json", "", "`file` for what was measured, as JSON")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.accounts < 1 || o.instances < 1 || o.instances > 10_000 || o.places != 1 && o.places != 3 || o.days < 1 || o.form != parquetForm && o.form != csvForm || flags.NArg() > 0 {
		return o, errors.New("want accounts from 1, 1 to 10000 instances, 1 or 3 places, days from 1, parquet or csv, and no more words")
	}
	return o, nil
}

// run measures as the arguments say, and prints a line a thing.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(o.data), os.MkdirAll(o.data, 0o755)); err != nil {
		return err
	}
	p, err := product.Build(ctx, o.data, stderr)
	if err != nil {
		return err
	}
	m := newMonth(o.accounts, o.instances, o.places)
	m.last(o.days)
	done := &product.Measured{Accounts: o.accounts, Instances: o.instances, Days: o.days}
	tables, err := o.write(m, done, stdout)
	if err != nil {
		return err
	}
	store := filepath.Join(o.data, "store")
	if err := o.load(ctx, p, store, tables, done, stdout); err != nil {
		return err
	}
	ask := &asking{p, m, done, stdout}
	if err := ask.answers(ctx, "SQLite", "run", "--data", store); err != nil {
		return err
	}
	if o.clickhouse != "" {
		used, err := p.Command(ctx, "store", "copy", "--data", store, "--to", o.clickhouse)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "copied to ClickHouse: %s\n", used)
		if err := ask.answers(ctx, "ClickHouse", "serve", "--clickhouse", o.clickhouse); err != nil {
			return err
		}
	}
	if o.json == "" {
		return nil
	}
	return done.Write(o.json)
}

// write writes the tables, one a day, and counts their visits.
func (o *options) write(m *month, done *product.Measured, stdout io.Writer) (tables []string, err error) {
	begun, size := time.Now(), int64(0)
	for day := m.first; day < m.first+rollcall.Day(m.days); day++ {
		table := filepath.Join(o.data, day.String()+"."+o.form)
		n, err := m.writeDay(table, o.form, day)
		if err != nil {
			return nil, err
		}
		at, err := os.Stat(table)
		if err != nil {
			return nil, err
		}
		done.Visits += n
		tables, size = append(tables, table), size+at.Size()
	}
	fmt.Fprintf(stdout, "%d accounts, %d instances, %d places: %d visits, tables of %d MB (%s), written in %.0f s\n",
		o.accounts, o.instances, o.places, done.Visits, size>>20, o.form, time.Since(begun).Seconds())
	return tables, nil
}

// load makes a store and loads the tables into it.
func (o *options) load(ctx context.Context, p *product.Program, store string, tables []string, done *product.Measured, stdout io.Writer) error {
	census := []string{"service", "add", service, "--name", "MyChat", "--epoch", "none", "--data", store}
	if o.exact {
		census = append(census, "--census", "exact")
	}
	for _, args := range [][]string{{"market", "add", "FR", "--zone", "Europe/Paris", "--data", store}, census} {
		if _, err := p.Command(ctx, args...); err != nil {
			return err
		}
	}
	args := []string{"events", "load", "--backfill", "--data", store}
	if o.form == csvForm {
		args = append(args, "--source", "tchap", "--market", "FR", "--service", service)
	}
	used, err := p.Command(ctx, append(args, tables...)...)
	if err != nil {
		return err
	}
	size, err := product.StoreSize(store)
	if err != nil {
		return err
	}
	done.Load, done.Store = used, size
	fmt.Fprintf(stdout, "loaded: %s; %.2f us of a processor a visit; the store is %d MB\n", used, used.CPU.Seconds()*1e6/float64(done.Visits), size>>20)
	return nil
}
