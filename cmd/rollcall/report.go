package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"rollcall/internal/server"
)

type reportCmd struct {
	Report string `arg:"" help:"ranking, trend, duplication, combinations, incremental, profile, frequency, curve, loyalty, quality or consistency."`
	month
	narrowing
	Version int  `help:"A published version; the latest where absent."`
	Live    bool `help:"Compute now from a month that may not be closed; provisional."`
	output
	server.Engine
}

// narrowing says what a report is narrowed to.
type narrowing struct {
	From     string `help:"First day of the period, YYYY-MM-DD; the month where absent."`
	To       string `help:"Last day of the period."`
	Location string `help:"home, work, home+work, both, home-only or work-only." placeholder:"home+work"`
	Service  string `help:"Narrow the rows to these ids, joined by commas."`
	Credit   string `help:"presence or use." placeholder:"presence"`
	Target   string `help:"Persons with these demographics, such as age=15-24,sex=F."`
	Pool     int    `help:"The mean of so many months, 2 to 12, up to this one: for services and places with few users." placeholder:"M"`
}

// into adds what is asked for to a query.
func (n *narrowing) into(query url.Values) {
	for name, value := range map[string]string{
		"from": n.From, "to": n.To, "location": n.Location, "service": n.Service, "credit": n.Credit, "target": n.Target,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if n.Pool != 0 {
		query.Set("pool", strconv.Itoa(n.Pool))
	}
}

// Run prints the report.
func (c *reportCmd) Run(ctx context.Context, s *streams) error {
	query := c.month.query()
	c.into(query)
	if c.Version != 0 {
		query.Set("version", strconv.Itoa(c.Version))
	}
	if c.Live {
		query.Set("live", "true")
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		return c.print(ctx, s, api, "/v1/reports/"+url.PathEscape(c.Report), query)
	})
}

// output says in which form a table is wanted, and where.
type output struct {
	Format string `help:"table, json or csv." enum:"table,json,csv" default:"table"`
	Output string `short:"o" help:"Write to this file." type:"path" placeholder:"FILE"`
}

// print reads a table from the API and writes it as asked. A file is written
// whole or not at all.
func (o *output) print(ctx context.Context, s *streams, api *client, path string, query url.Values) error {
	if o.Format != "table" {
		query.Set("format", o.Format)
	}
	answer, err := api.get(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if o.Output == "" {
		return o.write(s.out, answer.Body)
	}
	return writeFile(o.Output, func(w io.Writer) error { return o.write(w, answer.Body) })
}

func (o *output) write(w io.Writer, body io.Reader) error {
	if o.Format == "table" {
		return printTable(w, body)
	}
	_, err := io.Copy(w, body)
	return err
}

// writeFile writes beside the file and renames.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".rollcall-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
