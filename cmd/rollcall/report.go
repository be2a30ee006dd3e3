package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rollcall"
	"rollcall/api/export"
	"rollcall/api/openapi"
	"rollcall/internal/server"
)

type reportCmd struct {
	Report string         `arg:"" help:"ranking, trend, duplication, combinations, incremental, profile, frequency, curve, loyalty, quality or consistency; or markets: one service (--service) in every market whose month is published."`
	Market string         `help:"Market id, such as FR; needed by every report but markets."`
	Panel  string         `help:"Panel id; needed by every report but markets, which takes several joined by commas for markets with more than one."`
	Month  rollcall.Month `help:"The market's local month, YYYY-MM; or --from and --to." placeholder:"YYYY-MM"`
	narrowing
	Version *int `help:"A published version, from 1; the latest where absent."`
	Live    bool `help:"Compute now from a month that may not be closed; provisional."`
	output
	server.Engine
}

// narrowing says what a report is narrowed to.
type narrowing struct {
	From     string `help:"First day of a period, YYYY-MM-DD, or month; with --to, and no --month then."`
	To       string `help:"Last day of the period, or month; its month's version answers."`
	Location string `help:"home, work, home+work, both, home-only or work-only; of a ranking also all: home, work and home+work in one table." placeholder:"home+work"`
	Service  string `help:"Narrow the rows to these ids, joined by commas."`
	Credit   string `help:"presence or use." placeholder:"presence"`
	Target   string `help:"Persons with these demographics, such as age=15-24,sex=F."`
	Compare  string `help:"Of a ranking: the month that changes are from, previous, year or one of the 12 before as YYYY-MM." placeholder:"previous"`
	Bands    string `help:"Of a frequency's days: such as 1,2-7,8+, or all for each number of days." placeholder:"1,2-3,4-7,8-14,15+"`
	Pool     *int   `help:"The mean of so many months, 2 to 12, up to this one: for services and places with few users." placeholder:"M"`
}

// into adds what is asked for to a query.
func (n *narrowing) into(query url.Values) {
	for name, value := range map[string]string{
		"from": n.From, "to": n.To, "location": n.Location, "service": n.Service, "credit": n.Credit, "target": n.Target, "bands": n.Bands, "compare": n.Compare,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if n.Pool != nil {
		query.Set("pool", strconv.Itoa(*n.Pool))
	}
}

// Validate refuses what a question to the API would take for not given.
func (c *reportCmd) Validate() error {
	if c.Report == "" {
		return errors.New("which? ranking, trend, duplication, combinations, incremental, profile, frequency, curve, loyalty, quality, consistency or markets")
	}
	if c.Report == marketsReport {
		return c.validateMarkets()
	}
	if known := openapi.Names(); !slices.Contains(known, c.Report) {
		return &rollcall.Unknown{Kind: "report", Name: c.Report, Near: rollcall.Nearest(c.Report, known)}
	}
	var missing []string
	for _, flag := range [][2]string{{"--market", c.Market}, {"--panel", c.Panel}} {
		if flag[1] == "" {
			missing = append(missing, flag[0]+"=STRING")
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	return c.narrowing.Validate()
}

// marketsReport is the one report that is not of one market.
const marketsReport = "markets"

// validateMarkets refuses what only a report of one market has.
func (c *reportCmd) validateMarkets() error {
	switch {
	case c.Service == "":
		return errors.New("missing flags: --service=STRING")
	case c.Month == 0:
		return errors.New("missing flags: --month=YYYY-MM")
	case c.Market != "":
		return errors.New("--market: is not for markets, which is of every market whose month is published")
	case c.Version != nil || c.Live:
		return errors.New("--version and --live: are not for markets, which takes the latest version of each")
	}
	for _, flag := range [][2]string{{"--from", c.From}, {"--to", c.To}, {"--target", c.Target}, {"--compare", c.Compare}, {"--bands", c.Bands}} {
		if flag[1] != "" {
			return fmt.Errorf("%s: is not for markets", flag[0])
		}
	}
	if c.Pool != nil {
		return errors.New("--pool: is not for markets")
	}
	return nil
}

// Validate refuses the number of months that over REST is none.
func (n *narrowing) Validate() error {
	if n.Pool != nil && *n.Pool == 0 {
		return errors.New("--pool 0: is not 2 to 12 months")
	}
	return nil
}

// Run prints the report.
func (c *reportCmd) Run(ctx context.Context, s *streams) error {
	query := url.Values{}
	for name, value := range map[string]string{"market": c.Market, "panel": c.Panel} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.Month != 0 {
		query.Set("month", c.Month.String())
	}
	c.into(query)
	if c.Version != nil {
		query.Set("version", strconv.Itoa(*c.Version))
	}
	if c.Live {
		query.Set("live", "true")
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		return c.print(ctx, s, api, "/v1/reports/"+url.PathEscape(c.Report), query)
	})
}

// output says in which form a table is wanted, and where.
type output struct {
	Format string `help:"table, json, csv, xlsx, parquet or arrow; what the file's ending says where absent, else table." enum:",table,json,csv,xlsx,parquet,arrow" default:""`
	Locale string `help:"Language of a table and of a workbook, and of numbers in CSV: en or fr." enum:"en,fr" default:"en"`
	Round  *int   `help:"Decimals to which values and intervals are rounded in every form but a table; --round=-3 is to thousands." placeholder:"N"`
	Output string `short:"o" help:"Write to this file." type:"typed" placeholder:"FILE"`
}

// Forms that are the command's own, beside package export's.
const (
	formTable = "table"
	formJSON  = "json"
)

// print reads a table from the API and writes it as asked. A file is written
// whole or not at all.
func (o *output) print(ctx context.Context, s *streams, api *client, path string, query url.Values) error {
	form, err := o.form(isTerminal(s.out))
	if err != nil {
		return err
	}
	if form != formTable {
		query.Set("format", form)
		query.Set("locale", o.Locale)
		if o.Round != nil {
			query.Set("round", strconv.Itoa(*o.Round))
		}
	}
	answer, err := api.get(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	writeBody := copyBody
	if form == formTable {
		if writeBody, err = o.tableWriter(ctx, s, api); err != nil {
			return err
		}
	}
	write := func(w io.Writer) error { return writeBody(w, answer.Body) }
	if o.Output == "" {
		return write(s.out)
	}
	if err := writeFile(o.Output, write); err != nil {
		return err
	}
	if form == string(export.CSV) && !isDevice(o.Output) {
		query.Set("format", formJSON)
		query.Del("locale") // the sidecar's own words are given to an English report
		return o.describe(ctx, api, path, query)
	}
	return nil
}

// form is the one asked for by name or by the file's ending, which may not
// contradict each other; an ending that is no form's (".xls") needs the name. A
// terminal takes text only.
func (o *output) form(terminal bool) (string, error) {
	if info, err := os.Stat(o.Output); err == nil && info.IsDir() {
		return "", server.UsageError{Err: fmt.Errorf("-o %s: is a folder", o.Output)}
	}
	form, ending := o.Format, formOfFile(o.Output)
	if unknown := filepath.Ext(o.Output); form == "" && ending == "" && unknown != "" {
		return "", server.UsageError{Err: fmt.Errorf("-o %s: %s names no form of a table; say which with --format", o.Output, unknown)}
	}
	if form == "" {
		form = ending
	}
	if form == "" {
		form = formTable
	}
	if ending != "" && ending != form {
		return "", server.UsageError{Err: fmt.Errorf("--format %s and -o %s contradict each other: the file's ending says %s", form, o.Output, ending)}
	}
	if own := export.Form(form); o.Output == "" && terminal && form != formTable && form != formJSON && !own.Text() {
		return "", server.UsageError{Err: fmt.Errorf("%s is not for a terminal: name a file with -o", form)}
	}
	return form, nil
}

// formOfFile is the form that a file's ending names; empty: none.
func formOfFile(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return formJSON
	case ".txt":
		return formTable
	}
	return string(export.FormOf(file))
}

func copyBody(w io.Writer, body io.Reader) error {
	_, err := io.Copy(w, body)
	return err
}

// describe writes what the columns of a CSV file are beside it.
func (o *output) describe(ctx context.Context, api *client, path string, query url.Values) error {
	answer, err := api.get(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var t rollcall.Table
	if err := json.NewDecoder(answer.Body).Decode(&t); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	return writeFile(o.Output+export.SidecarEnding, func(w io.Writer) error {
		return export.WriteSidecar(w, &t, filepath.Base(o.Output), export.Options{Locale: export.Locale(o.Locale)})
	})
}

// writeFile writes beside the file and renames. The file has the mode that any
// new one has. A pipe or a device is written to, and stays what it is.
func writeFile(path string, write func(io.Writer) error) error {
	if err := folderOf(path); err != nil {
		return err
	}
	if isDevice(path) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	place := path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		place = target // where a link leads, which stays one
	}
	beside := filepath.Join(filepath.Dir(place), fmt.Sprintf(".rollcall-%x", rand.Uint64()))
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666) // the umask decides
	if err != nil {
		return ofPath(path, err)
	}
	err = ofPath(path, errors.Join(write(f), f.Close()))
	if err == nil {
		err = ofPath(path, os.Rename(beside, place))
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return nil
}

// ofPath tells the system's error about the file beside by the path that the user typed.
func ofPath(path string, err error) error {
	var at *fs.PathError
	var moved *os.LinkError
	switch {
	case errors.As(err, &at):
		return fmt.Errorf("%s: %w", path, at.Err)
	case errors.As(err, &moved):
		return fmt.Errorf("%s: %w", path, moved.Err)
	}
	return err
}

// isDevice says whether there is something at the path that is no file or folder.
func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// folderOf refuses a path whose folder is not there, in its own words.
func folderOf(path string) error {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no folder %s", path, dir)
	}
	return nil
}

type targetCmd struct {
	Save targetSaveCmd `cmd:"" help:"Save a target under a name: --target @NAME asks for it."`
	List targetListCmd `cmd:"" help:"List saved targets."`
}

type targetSaveCmd struct {
	Name       string `arg:"" help:"The target's name."`
	Expression string `arg:"" help:"Such as 'age=15-24,sex=F': ',' is and, '|' or, '!' not."`
	server.Engine
}

// Run saves the target.
func (c *targetSaveCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
		var is rollcall.Target
		done, err := api.set(ctx, "/v1/targets", rollcall.Target{Name: c.Name, Expression: c.Expression}, &is)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s: target %s, %s\n", done, is.Name, is.Expression)
		return err
	})
}

type targetListCmd struct{ server.Engine }

// Run lists the targets.
func (c *targetListCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/targets", func(t rollcall.Target) string { return t.Name + "\t" + t.Expression })
}
