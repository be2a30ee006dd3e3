package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"rollcall"
	"rollcall/api/export/folder"
	"rollcall/internal/server"
)

type publicationCmd struct {
	List   publicationListCmd   `cmd:"" help:"List what was published."`
	Diff   publicationDiffCmd   `cmd:"" help:"Compare two versions of a month, cell by cell."`
	Verify publicationVerifyCmd `cmd:"" help:"Compute every version's objects' hashes again."`

	Replicates publicationReplicatesCmd `cmd:"" help:"Write the weights of a version's panelists, and those of samples drawn from them, with which anyone computes the standard error of any figure."`

	Withdraw publicationWithdrawCmd `cmd:"" help:"Withdraw a version that was published wrong: it is answered 410, and the latest before it takes its place."`
}

// published says whose publications are meant.
type published struct {
	Market string `required:"" help:"Market id."`
	Panel  string `help:"Panel id; all where absent."`
}

func (p *published) list(ctx context.Context, api *client, late bool) ([]rollcall.Publication, error) {
	query := url.Values{"market": {p.Market}}
	if late {
		query.Set("late", "true")
	}
	if p.Panel != "" {
		query.Set("panel", p.Panel)
	}
	return rows[rollcall.Publication](ctx, api, "/v1/publications?"+query.Encode())
}

type publicationListCmd struct {
	published
	server.Engine
}

// Run lists the versions.
func (c *publicationListCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		list, err := c.list(ctx, api, true)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "PANEL\tMONTH\tVERSION\tSTATUS\tPUBLISHED\tDAYS SINCE\tDOCUMENT\tREASON")
		for _, p := range list {
			fmt.Fprintf(out, "%s\t%s\t%d\t%s%s\t%s\t%s\t%.12s\t%s\n", p.Panel, p.Month, p.Version, p.Status, internalNote(p)+calibratedNote(p)+withdrawnNote(p)+agedNote(p),
				p.Time.UTC().Format(time.RFC3339), lateDays(p), p.Document, p.Reason)
		}
		return out.Flush()
	})
}

// calibratedNote says to whose census a version is calibrated, and that it is
// another since.
func calibratedNote(p rollcall.Publication) string {
	if p.Calibration == nil {
		return ""
	}
	ids := make([]string, len(p.Calibration.Services))
	for i, id := range p.Calibration.Services {
		ids[i] = string(id)
	}
	note := ", calibrated to the census of " + strings.Join(ids, ", ")
	if since := p.Calibration.Since; len(since) > 0 {
		note += " (since then " + strings.Join(since, "; ") + ")"
	}
	return note
}

// lateDays is how many diary days came since a version was closed.
func lateDays(p rollcall.Publication) string {
	if p.Late == nil {
		return "-"
	}
	return strconv.Itoa(*p.Late)
}

type publicationWithdrawCmd struct {
	month
	Version int    `required:"" help:"The version, from 1."`
	Reason  string `required:"" help:"Why; whoever asks for the version is told."`
	server.Engine
}

// Run withdraws the version.
func (c *publicationWithdrawCmd) Run(ctx context.Context, s *streams) error {
	path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/withdraw", url.PathEscape(c.Market), url.PathEscape(c.Panel), c.month.Month, c.Version)
	return within(ctx, &c.Engine, s, func(api *client) error {
		var p rollcall.Publication
		if err := api.do(ctx, http.MethodPost, path, map[string]string{"reason": c.Reason}, &p); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s %s %s: version %d is withdrawn since %s: %s\n",
			p.Market, p.Panel, p.Month, p.Version, p.Withdrawn.UTC().Format(time.RFC3339), p.WithdrawalReason)
		return err
	})
}

// withdrawnNote marks a version that must not be used.
func withdrawnNote(p rollcall.Publication) string {
	if p.Withdrawn.IsZero() {
		return ""
	}
	return ", withdrawn on " + p.Withdrawn.UTC().Format(time.DateOnly) + " (" + p.WithdrawalReason + ")"
}

// agedNote marks a version of which no figure can be computed any more.
func agedNote(p rollcall.Publication) string {
	if p.AgedOut.IsZero() {
		return ""
	}
	return ", facts aged out on " + p.AgedOut.UTC().Format(time.DateOnly)
}

type publicationDiffCmd struct {
	month
	First  int `arg:"" help:"A version."`
	Second int `arg:"" help:"Another version."`

	Report string `help:"The report to compare; the rankings at home+work, home and work where absent."`
	narrowing
	output
	server.Engine
}

// Run prints what differs.
func (c *publicationDiffCmd) Run(ctx context.Context, s *streams) error {
	path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/diff/%d",
		url.PathEscape(c.Market), url.PathEscape(c.Panel), c.month.Month, c.First, c.Second)
	query := url.Values{}
	c.into(query)
	if c.Report != "" {
		query.Set("report", c.Report)
	}
	return within(ctx, &c.Engine, s, func(api *client) error { return c.print(ctx, s, api, path, query) })
}

type publicationVerifyCmd struct {
	published
	server.Engine
}

// Run verifies each version that has not aged out; the first that is not what
// it was is an error.
func (c *publicationVerifyCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		list, err := c.list(ctx, api, false)
		if err != nil {
			return err
		}
		aged := 0
		for _, p := range list {
			if !p.AgedOut.IsZero() {
				aged++
				continue
			}
			path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/verify",
				url.PathEscape(string(p.Market)), url.PathEscape(string(p.Panel)), p.Month, p.Version)
			if err := api.do(ctx, http.MethodGet, path, nil, nil); err != nil {
				return err
			}
		}
		left := ""
		if aged > 0 {
			left = fmt.Sprintf("; %d have aged out and can't be verified", aged)
		}
		are := " are what they were"
		if len(list)-aged == 1 {
			are = " is what it was"
		}
		_, err = fmt.Fprintf(s.out, "%s%s%s\n", count(len(list)-aged, "version"), are, left)
		return err
	})
}

type publicationReplicatesCmd struct {
	edition
	From   string `help:"The first month of the file; several are drawn as one sample, for the errors of changes and means." placeholder:"YYYY-MM"`
	N      int    `help:"Replicates; the error of a standard error is 1/sqrt(2n) of it." default:"200"`
	Seed   int64  `help:"Of the draws: the same version and seed give the same bytes." default:"1"`
	Uses   string `help:"Write what the panelists did beside it, by service, place and credit." type:"typed" placeholder:"FILE.parquet"`
	Output string `short:"o" required:"" help:"The file to write." type:"typed" placeholder:"FILE.parquet"`
	server.Engine
}

// Run writes the file, or both.
func (c *publicationReplicatesCmd) Run(ctx context.Context, s *streams) error {
	for _, path := range []string{c.Output, c.Uses} {
		if path == "" {
			continue
		}
		if !strings.EqualFold(filepath.Ext(path), ".parquet") {
			return server.UsageError{Err: fmt.Errorf("%s: replicates and uses are written as Parquet; name a file that ends in .parquet", path)}
		}
		if err := folderOf(path); err != nil {
			return err
		}
	}
	if c.Output == c.Uses {
		return server.UsageError{Err: fmt.Errorf("--uses %s: is the file that -o names", c.Uses)}
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		version, err := c.version(ctx, api)
		if err != nil {
			return err
		}
		query := url.Values{}
		if c.From != "" {
			query.Set("from", c.From)
		}
		at := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/", url.PathEscape(c.Market), url.PathEscape(c.Panel), c.month.Month, version)
		if c.Uses != "" {
			if err := c.fetch(ctx, s, api, at+"uses.parquet", query, c.Uses); err != nil {
				return err
			}
		}
		query.Set("n", strconv.Itoa(c.N))
		query.Set("seed", strconv.FormatInt(c.Seed, 10))
		if err := c.fetch(ctx, s, api, at+"replicates.parquet", query, c.Output); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "version %d: %s of seed %d in %s\n", version, count(c.N, "replicate"), c.Seed, c.Output)
		return err
	})
}

// fetch writes what the API gives to a file, and draws on a terminal how much
// has come.
func (c *publicationReplicatesCmd) fetch(ctx context.Context, s *streams, api *client, path string, query url.Values, file string) error {
	answer, err := api.get(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	bar := progress(s.err, filepath.Base(file))
	about, _ := strconv.ParseInt(answer.Header.Get("Rollcall-Bytes-About"), 10, 64)
	bar.ChangeMax64(max(1, about))
	defer bar.Close()
	return writeFile(file, func(w io.Writer) error {
		_, err := io.Copy(io.MultiWriter(w, bar), answer.Body)
		return err
	})
}

type closeCmd struct {
	month
	Status  string `help:"preliminary, final or restated." enum:"preliminary,final,restated" default:"preliminary"`
	Reason  string `help:"Why; required where restated."`
	Low     *int   `help:"Persons under which a figure is withheld; under the panel's own the version is internal."`
	Caution *int   `help:"Persons under which a figure is flagged."`

	Confidence *float64 `help:"Of the intervals, 0.5 to 1." placeholder:"0.95"`
	Trim       string   `help:"Clip weights while raking, to these multiples of their mean; CAP 0 for none." placeholder:"FLOOR,CAP"`

	Calibrate []string `help:"Services to whose own census of the month the panel is calibrated, by the accounts that a person has." placeholder:"SERVICE,..."`
	PerPerson string   `name:"accounts-per-person" help:"How many accounts a person has of each service to calibrate: service,accounts_per_person,se,source,source_date and, where places elsewhere count, location." type:"typed" placeholder:"FILE.csv"`
	server.Engine
}

// Validate refuses a file that is not there.
func (c *closeCmd) Validate() error { return exist(c.PerPerson) }

// Run closes the month and names the version.
func (c *closeCmd) Run(ctx context.Context, s *streams) error {
	in := map[string]any{"market": c.Market, "panel": c.Panel, "month": c.month.Month, "status": c.Status, "reason": c.Reason}
	if c.Low != nil {
		in["low"] = *c.Low
	}
	if c.Caution != nil {
		in["caution"] = *c.Caution
	}
	if c.Confidence != nil {
		if !(*c.Confidence >= 0.5 && *c.Confidence < 1) {
			return server.UsageError{Err: fmt.Errorf("--confidence %g: is not at least 0.5 and under 1", *c.Confidence)}
		}
		in["confidence"] = *c.Confidence
	}
	if c.Trim != "" {
		trim, err := parseTrim(c.Trim)
		if err != nil {
			return err
		}
		in["trim"] = trim
	}
	if err := c.calibrate(in); err != nil {
		return err
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		var p rollcall.Publication
		if err := api.do(ctx, http.MethodPost, "/v1/publications", in, &p); err != nil {
			return c.named(err)
		}
		fmt.Fprintf(s.out, "%s %s %s: version %d, %s%s%s\n", p.Market, p.Panel, p.Month, p.Version, p.Status, internalNote(p)+calibratedNote(p), unchangedNote(p))
		if err := c.warn(ctx, s, api, p); err != nil {
			return err
		}
		if p.Calibration != nil {
			for _, note := range p.Calibration.Notes {
				fmt.Fprintln(s.out, note)
			}
		}
		return c.count(ctx, s, api, p)
	})
}

// diaries says that so many are there.
func diaries(n int) string {
	if n == 1 {
		return "1 diary is"
	}
	return fmt.Sprintf("%d diaries are", n)
}

// calibrate puts in what the panel is calibrated with.
func (c *closeCmd) calibrate(in map[string]any) error {
	if (len(c.Calibrate) == 0) != (c.PerPerson == "") {
		return server.UsageError{Err: errors.New("--calibrate and --accounts-per-person go together: the services, and how many accounts of each a person has")}
	}
	if c.PerPerson == "" {
		return nil
	}
	text, err := os.ReadFile(c.PerPerson)
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(text, []byte("\n")) { // JSON would change what is not
		if !utf8.Valid(line) {
			return fmt.Errorf("%s line %d: is not UTF-8 text", c.PerPerson, i+1)
		}
	}
	in["calibrate"], in["accounts_per_person"] = c.Calibrate, string(text)
	return nil
}

// named has the lines of an error that are of the file with the accounts a person begin
// with its name as the user typed it.
func (c *closeCmd) named(err error) error {
	refused := unusable{}
	if c.PerPerson == "" || !errors.As(err, &refused) {
		return err
	}
	lines := strings.Split(refused.Error(), "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "accounts-per-person"); ok {
			lines[i] = c.PerPerson + rest
		}
	}
	return unusable{errors.New(strings.Join(lines, "\n"))}
}

// unchangedNote says that a close made no version.
func unchangedNote(p rollcall.Publication) string {
	if !p.Unchanged {
		return ""
	}
	note := "; nothing has changed since it was published on " + p.Time.UTC().Format(time.DateOnly)
	if p.Reason != "" {
		note += " (" + p.Reason + ")"
	}
	return note + ", so no version was made"
}

// warn tells of the month's diaries that count in nothing, their person not being on
// the roster.
func (c *closeCmd) warn(ctx context.Context, s *streams, api *client, p rollcall.Publication) error {
	q := url.Values{"market": {string(p.Market)}, "panel": {string(p.Panel)}, "month": {p.Month.String()}, "version": {strconv.Itoa(p.Version)}}
	var quality struct {
		Meta struct{ Sample rollcall.SampleMeta }
	}
	if err := api.do(ctx, http.MethodGet, "/v1/reports/quality?"+q.Encode(), nil, &quality); err != nil {
		return err
	}
	if n := quality.Meta.Sample.NotInTab; n > 0 {
		fmt.Fprintf(s.err, "warning: %s of persons who are not on the roster of %s: no figure has them until `rollcall panel load` has loaded one with them\n", diaries(n), p.Month)
	}
	return nil
}

// count says how many of the version's figures are withheld, and why.
func (c *closeCmd) count(ctx context.Context, s *streams, api *client, p rollcall.Publication) error {
	path := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/withheld", url.PathEscape(string(p.Market)), url.PathEscape(string(p.Panel)), p.Month, p.Version)
	reports, err := rows[struct{ Figures, Below, Undefined int }](ctx, api, path)
	if err != nil {
		return err
	}
	figures, below, undefined := 0, 0, 0
	for _, r := range reports {
		figures, below, undefined = figures+r.Figures, below+r.Below, undefined+r.Undefined
	}
	_, err = fmt.Fprintf(s.out, "of %d figures of its reports %d are withheld: %d of too few persons, %d undefined\n", figures, below+undefined, below, undefined)
	return err
}

// parseTrim reads FLOOR,CAP.
func parseTrim(s string) (rollcall.Trim, error) {
	floor, limit, _ := strings.Cut(s, ",")
	low, err := strconv.ParseFloat(floor, 64)
	high, err2 := strconv.ParseFloat(limit, 64)
	if err != nil || err2 != nil || math.IsNaN(low+high) || math.IsInf(low+high, 0) {
		return rollcall.Trim{}, server.UsageError{Err: fmt.Errorf("--trim %q: is not two numbers FLOOR,CAP, such as 0.3,3", s)}
	}
	return rollcall.Trim{Floor: low, Cap: high}, nil
}

func internalNote(p rollcall.Publication) string {
	if p.Internal {
		return ", internal (limits under the panel's own)"
	}
	return ""
}

type exportCmd struct {
	Month exportMonthCmd `cmd:"" help:"Write a published month as a folder: a workbook, every report as CSV, Parquet and Arrow, the method, how to cite, and hashes."`
}

// edition names a version.
type edition struct {
	month
	Version *int `help:"A published version, from 1; the latest where absent."`
}

type exportMonthCmd struct {
	edition
	Locale string `help:"Language of the folder: en or fr." enum:"en,fr" default:"en"`
	Output string `short:"o" required:"" help:"The folder to make; it must not be there yet." type:"typed" placeholder:"DIR"`
	server.Engine
}

// Run writes the folder, whole or not at all.
func (c *exportMonthCmd) Run(ctx context.Context, s *streams) error {
	if err := errors.Join(folderOf(c.Output), folder.Absent(c.Output)); err != nil {
		return err
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		version, err := c.version(ctx, api)
		if err != nil {
			return err
		}
		from := fmt.Sprintf("/v1/publications/%s/%s/%s/%d/folder.zip", url.PathEscape(c.Market), url.PathEscape(c.Panel), c.month.Month, version)
		answer, err := api.get(ctx, from, url.Values{"locale": {c.Locale}})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		archive, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		files, err := folder.Write(archive, c.Output)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "version %d: %s in %s\n", version, count(files, "file"), c.Output)
		return err
	})
}

// version is the one asked for, or the latest that a report is of.
func (c *edition) version(ctx context.Context, api *client) (int, error) {
	if c.Version != nil {
		return *c.Version, nil
	}
	answer, err := api.get(ctx, "/v1/reports/ranking", c.query())
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var t rollcall.Table
	if err := json.NewDecoder(answer.Body).Decode(&t); err != nil {
		return 0, fmt.Errorf("read the ranking: %w", err)
	}
	return t.Meta.Version, nil
}
