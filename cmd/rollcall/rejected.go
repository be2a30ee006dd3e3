package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"rollcall"
)

type rejectedCmd struct {
	List   rejectedListCmd   `cmd:"" help:"List what was refused and why, oldest first."`
	Replay rejectedReplayCmd `cmd:"" help:"Append what was refused to the log once more, after a fix."`
}

type rejectedListCmd struct {
	Format string `help:"table or json (NDJSON with the whole input, base64)." enum:"table,json" default:"table"`
	engine
}

// Run lists the refused inputs.
func (c *rejectedListCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		answer, err := api.get(ctx, "/v1/rejected", url.Values{})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if c.Format == "json" {
			_, err := io.Copy(s.out, answer.Body)
			return err
		}
		return listRejected(s.out, json.NewDecoder(answer.Body))
	})
}

func listRejected(w io.Writer, in *json.Decoder) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "REFUSED\tSOURCE\tLINE\tCODE\tREASON\tBYTES")
	for {
		var r struct {
			rollcall.Rejected
			Error string `json:"error"`
		}
		err := in.Decode(&r)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return fmt.Errorf("read the rejected: %w", err)
		}
		if r.Error != "" {
			return errors.New(r.Error)
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\t%d\n", r.Time.UTC().Format(time.RFC3339), r.Source, r.Line, r.Code, r.Reason, len(r.Body))
	}
}

type rejectedReplayCmd struct{ engine }

// Run sends the refused again, and waits until the store has what is valid now.
func (c *rejectedReplayCmd) Run(ctx context.Context, s *streams) error {
	return c.with(ctx, s, func(api *client) error {
		var sent struct {
			Inputs int `json:"inputs"`
		}
		if err := api.do(ctx, http.MethodPost, "/v1/rejected/replay", nil, &sent); err != nil {
			return err
		}
		if err := api.do(ctx, http.MethodPost, "/v1/log/settle", nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "sent again: %d inputs\n", sent.Inputs)
		return err
	})
}
