package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/internal/server"
)

type replayCmd struct {
	From string `required:"" help:"A time (2002-10-03, or RFC 3339), or offsets by partition (0=120,3=77)." placeholder:"TIME|OFFSETS"`

	WithRemoved bool `help:"Bring back what was removed from the census too."`
	server.Engine
}

// Run folds the log again from there to its present end.
func (c *replayCmd) Run(ctx context.Context, s *streams) error {
	from, err := parseFrom(c.From)
	if err != nil {
		return server.UsageError{Err: err}
	}
	from["with_removed"] = c.WithRemoved
	return within(ctx, &c.Engine, s, func(api *client) error {
		var done struct {
			Events int64 `json:"events"`
		}
		if err := api.do(ctx, http.MethodPost, "/v1/log/replay", from, &done); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "folded again: %s\n", count(int(done.Events), "event"))
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

type logCmd struct {
	Acknowledge acknowledgeCmd `cmd:"" help:"Take note of what the embedded log has lost by damage of its files."`
}

type acknowledgeCmd struct{ server.Engine }

// Run prints what was lost; /readyz is no longer degraded by it.
func (c *acknowledgeCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		var d struct {
			Since          time.Time
			Bytes, Records int64
		}
		if err := api.do(ctx, http.MethodPost, "/v1/log/acknowledge", nil, &d); err != nil {
			return err
		}
		if d.Since.IsZero() {
			_, err := fmt.Fprintln(s.out, "the log has lost nothing since it was last acknowledged")
			return err
		}
		_, err := fmt.Fprintf(s.out, "lost, and taken note of: %s with %s, found %s\n", count(int(d.Bytes), "byte"), count(int(d.Records), "record"), d.Since.Format(time.RFC3339))
		return err
	})
}

type rejectedCmd struct {
	List   rejectedListCmd   `cmd:"" help:"List what was refused and why, oldest first."`
	Replay rejectedReplayCmd `cmd:"" help:"Append what was refused and is valid now to the log, after a fix."`
}

// rejectedFlags choose from what was refused.
type rejectedFlags struct {
	Code   string `help:"Only what was refused with this code, such as unknown_service." placeholder:"CODE"`
	Source string `help:"Only what comes from a source that begins so." placeholder:"TEXT"`
}

func (f *rejectedFlags) query() url.Values {
	q := url.Values{}
	if f.Code != "" {
		q.Set("code", f.Code)
	}
	if f.Source != "" {
		q.Set("source", f.Source)
	}
	return q
}

type rejectedListCmd struct {
	Format string `help:"table or json (NDJSON with the whole input, base64)." enum:"table,json" default:"table"`
	All    bool   `help:"Also what was sent again and is valid now."`
	rejectedFlags
	server.Engine
}

// Run lists the refused inputs.
func (c *rejectedListCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		q := c.query()
		if c.All {
			q.Set("all", "true")
		}
		answer, err := api.get(ctx, "/v1/rejected", q)
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

// listRejected prints a row an input, and the numbers by code.
func listRejected(w io.Writer, in *json.Decoder) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "REFUSED\tSOURCE\tLINE\tCODE\tREASON\tBYTES")
	byCode, replayed := map[string]int{}, 0
	for {
		var r struct {
			rollcall.Rejected
			Error string `json:"error"`
		}
		err := in.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the rejected: %w", err)
		}
		if r.Error != "" {
			return errors.New(r.Error)
		}
		r.Reason = strings.TrimPrefix(r.Reason, "line: ") // the column before it is the line
		if r.Replayed.IsZero() {
			byCode[r.Code]++
		} else {
			replayed++
			r.Reason = "valid since " + r.Replayed.UTC().Format(time.RFC3339) + "; was: " + r.Reason
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\t%d\n", r.Time.UTC().Format(time.RFC3339), r.Source, r.Line, r.Code, r.Reason, len(r.Body))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "refused: %s\n", counts(byCode))
	if err == nil && replayed > 0 {
		_, err = fmt.Fprintf(w, "sent again, and valid: %d\n", replayed)
	}
	return err
}

// counts prints a total and the numbers that it is of, in the names' order.
func counts(by map[string]int) string {
	total, parts := 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		total += by[name]
		parts = append(parts, fmt.Sprintf("%d %s", by[name], name))
	}
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(parts, ", "))
}

type rejectedReplayCmd struct {
	rejectedFlags
	server.Engine
}

// Run sends again what is valid now, waits until the store has it, and says what
// is still refused.
func (c *rejectedReplayCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		var done struct {
			Inputs, Valid int
			Refused       map[string]int
		}
		if err := api.do(ctx, http.MethodPost, "/v1/rejected/replay?"+c.query().Encode(), nil, &done); err != nil {
			return err
		}
		if err := api.do(ctx, http.MethodPost, "/v1/log/settle", nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "valid now, and sent again: %d of %d inputs\nstill refused: %s\n", done.Valid, done.Inputs, counts(done.Refused))
		return err
	})
}

// untaken is an error where no line of an input was taken, or some were not looked
// at: it names the reason that most have, and what to do about it.
func untaken(name string, c *ingest.Counts) error {
	rest := c.Rejected[ingest.CodeRest]
	if c.Refused() == 0 || c.Accepted > 0 && rest == 0 {
		return nil
	}
	most := commonest(c)
	text := fmt.Sprintf("%s: every line was refused, %d of %d as %s", name, c.Rejected[most], c.Refused(), most)
	if rest > 0 {
		were := " were"
		if rest == 1 {
			were = " was"
		}
		text = fmt.Sprintf("%s: %s%s not looked at, since most of those before were refused, %d as %s", name, count(rest, "line"), were, c.Rejected[most], most)
	}
	if remedy := remedies()[most]; remedy != "" {
		text += ": " + remedy
	}
	if rest > 0 {
		text += "; then give all of it again, which counts nothing twice"
	}
	return errors.New(text)
}

// commonest gives the reason that most of the lines have that were looked at.
func commonest(c *ingest.Counts) (most string) {
	for _, code := range slices.Sorted(maps.Keys(c.Rejected)) {
		if code != ingest.CodeRest && (most == "" || c.Rejected[code] > c.Rejected[most]) {
			most = code
		}
	}
	return most
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
