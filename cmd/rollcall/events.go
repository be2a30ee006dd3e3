package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"

	"rollcall/ingest/collect/file"
)

type eventsCmd struct {
	Load eventsLoadCmd `cmd:"" help:"Load files of events through the log; returns when the store has them."`
}

type eventsLoadCmd struct {
	Backfill bool     `help:"Take events of any age."`
	Files    []string `arg:"" name:"file" help:"NDJSON, Parquet or Arrow; .gz and .zst too."`
	engine
}

// Validate refuses files that are not there.
func (c *eventsLoadCmd) Validate() error { return exist(c.Files...) }

// exist refuses paths where no file is, by the names that the user typed.
func exist(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err != nil {
			return err
		} else if info.IsDir() {
			return fmt.Errorf("%s is a folder", path)
		}
	}
	return nil
}

// Run loads each file. A file with a fault gives what stands before it, and
// the command fails at the end; a refused line is counted and kept, and is no
// failure.
func (c *eventsLoadCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		var faults []error
		for _, path := range c.Files {
			if err := c.load(ctx, s, api, path); err != nil {
				faults = append(faults, err)
			}
		}
		faults = append(faults, newSender(api, "", false).settle(ctx))
		return errors.Join(faults...)
	})
}

func (c *eventsLoadCmd) load(ctx context.Context, s *streams, api *client, path string) error {
	to := newSender(api, path, c.Backfill)
	bar := progress(s.err, path)
	err := to.file(ctx, path, bar)
	return errors.Join(err, bar.Finish(), printCounts(s.out, s.err, path, &to.Counts))
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

// progress draws on a terminal, and nowhere else.
func progress(w io.Writer, name string) *progressbar.ProgressBar {
	if !isTerminal(w) {
		return progressbar.DefaultBytesSilent(-1)
	}
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(name), progressbar.OptionClearOnFinish())
}
