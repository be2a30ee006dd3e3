package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/internal/server"
)

type replayCmd struct {
	From string `required:"" help:"A time (2002-10-03, or RFC 3339), or offsets by partition (0=120,3=77)." placeholder:"TIME|OFFSETS"`
	server.Engine
}

// Run folds the log again from there to its present end.
func (c *replayCmd) Run(ctx context.Context, s *streams) error {
	from, err := parseFrom(c.From)
	if err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		var done struct {
			Events int64 `json:"events"`
		}
		if err := api.do(ctx, http.MethodPost, "/v1/log/replay", from, &done); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "folded again: %d events\n", done.Events)
		return err
	})
}

// parseFrom makes the request's body.
func parseFrom(text string) (map[string]any, error) {
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return map[string]any{"time": t}, nil
		}
	}
	offsets := map[string]int64{}
	for part := range strings.SplitSeq(text, ",") {
		p, at, ok := strings.Cut(part, "=")
		partition, err := strconv.ParseUint(p, 10, 31)
		offset, failed := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil || failed != nil || offset < 0 {
			return nil, fmt.Errorf("--from %q: want a time such as 2002-10-03T00:00:00Z, or offsets such as 0=120,3=77", text)
		}
		offsets[strconv.FormatUint(partition, 10)] = offset
	}
	return map[string]any{"offsets": offsets}, nil
}

type rejectedCmd struct {
	List   rejectedListCmd   `cmd:"" help:"List what was refused and why, oldest first."`
	Replay rejectedReplayCmd `cmd:"" help:"Append what was refused to the log once more, after a fix."`
}

type rejectedListCmd struct {
	Format string `help:"table or json (NDJSON with the whole input, base64)." enum:"table,json" default:"table"`
	server.Engine
}

// Run lists the refused inputs.
func (c *rejectedListCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
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

type rejectedReplayCmd struct{ server.Engine }

// Run sends the refused again, and waits until the store has what is valid now.
func (c *rejectedReplayCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
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
