package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"rollcall/ingest"
	"rollcall/ingest/collect/file"
	"rollcall/internal/server"
)

type eventsCmd struct {
	Load eventsLoadCmd `cmd:"" help:"Load files of events through the log; returns when the store has them."`
}

type eventsLoadCmd struct {
	Backfill bool     `help:"Take events of any age."`
	Files    []string `arg:"" name:"file" help:"NDJSON, Parquet or Arrow; .gz and .zst too."`
	server.Engine
}

// Validate refuses files that are not there.
func (c *eventsLoadCmd) Validate() error {
	if slices.Contains(c.Files, "") {
		return errors.New("a file's name is empty")
	}
	return exist(c.Files...)
}

// exist refuses paths where no file is, by the names that the user typed.
func exist(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return fmt.Errorf("%s: is a folder; give a file", path)
		case errors.Is(err, fs.ErrNotExist) && strings.Contains(path, "://"):
			return fmt.Errorf("%s: is no file of this machine; fetch it first", path)
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s: there is no such file", path)
		case err != nil:
			return err
		}
	}
	return nil
}

// Run loads each file. A file with a fault gives what stands before it, and
// the command fails at the end; a refused line is counted and kept, and is no
// failure. Where the server has gone, or the user wants no more, nothing else
// is tried.
func (c *eventsLoadCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
		var faults []error
		for _, path := range c.Files {
			err := c.load(ctx, s, api, path)
			if ctx.Err() != nil || errors.Is(err, errLost) {
				return errors.Join(append(faults, err)...)
			}
			faults = append(faults, err)
		}
		faults = append(faults, newSender(api, "", false).settle(ctx))
		return errors.Join(faults...)
	})
}

func (c *eventsLoadCmd) load(ctx context.Context, s *streams, api *client, path string) error {
	to := newSender(api, path, c.Backfill)
	bar := progress(s.err, path)
	err := to.file(ctx, path, bar)
	return errors.Join(err, bar.Finish(), printCounts(s.out, s.err, path, &to.Counts), allRefused(path, &to.Counts))
}

// allRefused is an error where no line of an input was taken: it names the
// reason that most have, and what to do about it.
func allRefused(name string, c *ingest.Counts) error {
	if c.Read == 0 || c.Accepted > 0 || c.Refused() == 0 {
		return nil
	}
	most := ""
	for _, code := range slices.Sorted(maps.Keys(c.Rejected)) {
		if most == "" || c.Rejected[code] > c.Rejected[most] {
			most = code
		}
	}
	text := fmt.Sprintf("%s: every line was refused, %d of %d as %s", name, c.Rejected[most], c.Refused(), most)
	if remedy := remedies()[most]; remedy != "" {
		text += ": " + remedy
	}
	return errors.New(text)
}

// remedies says what to do about a reason, where that isn't in its words.
func remedies() map[string]string {
	return map[string]string{
		"too_old":         "--backfill takes events of any age",
		"future":          "the clock or the zone of the source is wrong",
		"unknown_market":  "add the market with `rollcall market add`",
		"unknown_service": "add the service with `rollcall service add`",
	}
}

func (s *sender) file(ctx context.Context, path string, bar *progressbar.ProgressBar) error {
	parts := file.Parts(ctx, path, func(read, total int64) {
		bar.ChangeMax64(max(total, read, 1)) // a bar of an empty file would refuse to finish
		_ = bar.Set64(read)                  // a bar that can't be drawn is no reason to stop
	})
	for part, err := range parts {
		if err != nil {
			return err
		}
		if err := s.post(ctx, part.Type, part.Body, part.Base); err != nil {
			return fmt.Errorf("%s: after line %d: %w", path, part.Base, err)
		}
	}
	return nil
}

// progress draws on a terminal, and nowhere else. The length is told with the
// first bytes: a bar of unknown length would draw from a goroutine of its own.
func progress(w io.Writer, name string) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.DefaultBytesSilent(1)
	}
	return progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(name), progressbar.OptionClearOnFinish())
}

// sender posts bodies of events and adds up what became of them. A full log
// makes it wait: nothing is dropped.
type sender struct {
	ingest.Counts
	api   *client
	query string
}

func newSender(api *client, source string, backfill bool) *sender {
	query := url.Values{"source": {source}}
	if backfill {
		query.Set("backfill", "true")
	}
	return &sender{api: api, query: query.Encode()}
}

// post sends one body; its lines are counted from base.
func (s *sender) post(ctx context.Context, contentType string, body []byte, base int) error {
	for {
		counts, full, err := s.try(ctx, contentType, body)
		if err != nil {
			return err
		}
		if !full {
			s.Add(counts, base)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// try sends the body once. A body that the log had no space for is sent again
// whole: what was taken of it already counts once whatever happens.
func (s *sender) try(ctx context.Context, contentType string, body []byte) (counts ingest.Counts, full bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/v1/events?"+s.query, bytes.NewReader(body))
	if err != nil {
		return counts, false, err
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := s.api.ask(request)
	if err != nil {
		return counts, false, err
	}
	defer answer.Body.Close()
	var said struct {
		Detail string `json:"detail"`
		ingest.Counts
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return counts, false, fmt.Errorf("the server answered %s: %w", answer.Status, readError(err))
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusUnprocessableEntity:
		return said.Counts, false, nil
	case http.StatusTooManyRequests:
		return counts, true, nil
	}
	return counts, false, errors.New(said.Detail)
}

// settle waits until the store has what was sent.
func (s *sender) settle(ctx context.Context) error {
	return s.api.do(ctx, http.MethodPost, "/v1/log/settle", nil, nil)
}

// printCounts says what became of an input: one line of counts on out, the
// first refused lines on err.
func printCounts(out, err io.Writer, name string, c *ingest.Counts) error {
	for _, e := range c.Errors {
		fmt.Fprintf(err, "%s: line %d: %s\n", name, e.Line, strings.TrimPrefix(e.Reason, "line: "))
	}
	line := fmt.Sprintf("%s: read %d, accepted %d, rejected %d", name, c.Read, c.Accepted, c.Refused())
	codes := make([]string, 0, len(c.Rejected))
	for code := range c.Rejected {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		line += fmt.Sprintf(", %s %d", code, c.Rejected[code])
	}
	for _, code := range slices.Sorted(maps.Keys(c.Warnings)) {
		fmt.Fprintf(err, "%s: warning: %s\n", name, warning(code, c.Warnings[code]))
	}
	_, failed := fmt.Fprintln(out, line)
	return failed
}

// warning says in words what n events or lines were warned of.
func warning(code string, n int) string {
	switch code {
	case ingest.WarnNoRoster:
		return fmt.Sprintf("%d events are of a panel without a roster, and count once `rollcall panel load` has given it one", n)
	case ingest.WarnNotKept:
		return fmt.Sprintf("%d refused lines are not kept: too many were refused", n)
	}
	return fmt.Sprintf("%s %d", code, n)
}
