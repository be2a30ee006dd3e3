package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/api/export/folder"
	"rollcall/internal/server"
	"rollcall/internal/transfer"
)

type backupCmd struct {
	File string `arg:"" help:"The copy; it must not exist yet." type:"typed"`
	server.Engine
}

// Run copies the store while it is in use. The copy has an id of its own: a
// deployment restored from it reads the log again from its start.
func (c *backupCmd) Run(ctx context.Context, s *streams) error {
	if err := errors.Join(folderOf(c.File), folder.Absent(c.File)); err != nil {
		return err
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		answer, err := api.send(ctx, http.MethodPost, "/v1/backup", "application/json", strings.NewReader("{}"))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		size, err := c.write(answer.Body)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "copied: %s to %s\n", count(int(size), "byte"), c.File)
		return err
	})
}

// write puts the copy into a new file, or leaves none, and says how long it is.
func (c *backupCmd) write(copied io.Reader) (size int64, err error) {
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	size, err = io.Copy(f, copied)
	if err := errors.Join(readError(err), f.Sync(), f.Close()); err != nil {
		return 0, fmt.Errorf("backup: %w", errors.Join(err, os.Remove(c.File)))
	}
	return size, nil
}

type restoreCmd struct {
	File string `arg:"" help:"A backup." type:"typed"`
	Data string `help:"The new data folder: it must be empty or not there." default:"rollcall-data" type:"path" placeholder:"DIR"`
}

// Validate refuses a backup that is not there.
func (c *restoreCmd) Validate() error { return exist(c.File) }

// Run makes a data folder of a backup.
func (c *restoreCmd) Run(ctx context.Context, s *streams) error {
	found, keys, err := server.Restore(ctx, c.File, c.Data, s.optionsAt(slog.LevelWarn))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "restored %d cells, %d diaries, %d objects into %s\n", found.Cells, found.Diaries, found.Objects, c.Data)
	for _, k := range keys {
		fmt.Fprintf(s.out, "put the master key there before it is started: master.key with the id %s is not in a backup\n", k.ID)
	}
	return nil
}

type storeCmd struct {
	Check storeCheckCmd `cmd:"" help:"Read the whole store and name what is damaged; fails if anything is."`
	Copy  storeCopyCmd  `cmd:"" help:"Copy a folder's store to ClickHouse, and compare both; given again, it goes on."`
}

type storeCheckCmd struct {
	Repair bool `help:"Set damaged facts aside, and make SQLite's indexes anew where the file has faults."`
	Forget bool `help:"First drop what was set aside before, once replay has rebuilt it."`
	server.Engine
}

// Run prints what is damaged, a line each, and what is set aside.
func (c *storeCheckCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		var found struct {
			rollcall.StoreCheck
			SetAside []rollcall.Damage `json:"set_aside"`
		}
		asked := map[string]bool{"repair": c.Repair, "forget": c.Forget}
		if err := api.do(ctx, http.MethodPost, "/v1/store/check", asked, &found); err != nil {
			return err
		}
		for _, fault := range found.Faults {
			fmt.Fprintf(s.out, "fault: %s\n", fault)
		}
		for _, d := range found.Damaged {
			fmt.Fprintf(s.out, "damaged: %s %s: %s\n", d.Table, d.Row, d.Reason)
		}
		for _, d := range found.SetAside {
			fmt.Fprintf(s.out, "set aside %s: %s %s: %s\n", d.Time.Format(time.RFC3339), d.Table, d.Row, d.Reason)
		}
		fmt.Fprintf(s.out, "read %d cells, %d diaries, %d objects: %d damaged, %d faults of the files, %d rows set aside\n",
			found.Cells, found.Diaries, found.Objects, len(found.Damaged), len(found.Faults), len(found.SetAside))
		switch {
		case len(found.Faults) > 0:
			return errors.New("the store's own files are damaged: restore a backup, or let a new store read the log again")
		case len(found.Damaged) > 0 && !c.Repair:
			return errors.New("the store is damaged: --repair sets the rows aside, and `rollcall replay` rebuilds them from the log")
		}
		return nil
	})
}

type storeCopyCmd struct {
	server.Copying
}

// Run prints a line for each kind of thing that a store holds: how many there
// are, here and there, and a hash of them all.
func (c *storeCopyCmd) Run(ctx context.Context, s *streams) error {
	bar := steps(s.err, "months of facts", 1)
	lines, err := server.CopyStore(ctx, &c.Copying, s.optionsAt(slog.LevelWarn), func(done, all int) {
		bar.ChangeMax(max(all, 1))
		_ = bar.Set(done) // a bar that can't be drawn is no reason to stop
	})
	if err := errors.Join(err, bar.Finish()); err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "what\tin the folder\tin the copy\tsum of hashes\t")
	for _, l := range lines {
		says := l.From.String() + "\tthe same"
		if l.From != l.To {
			says = l.From.String() + " / " + l.To.String() + "\tDIFFERENT"
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\n", l.Kind, l.From.Rows, l.To.Rows, says)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if kinds := transfer.Differing(lines); len(kinds) > 0 {
		return fmt.Errorf("the copy is not what the folder holds: %s; drop the database and copy again, or use it no more if it was in use since", strings.Join(kinds, ", "))
	}
	_, err = fmt.Fprintln(s.out, "the copy holds all that the folder's store holds")
	return err
}
