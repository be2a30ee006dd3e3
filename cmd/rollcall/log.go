package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type replayCmd struct {
	From string `required:"" help:"A time (2002-10-03, or RFC 3339), or offsets by partition (0=120,3=77)." placeholder:"TIME|OFFSETS"`
	engine
}

// Run folds the log again from there to its present end.
func (c *replayCmd) Run(ctx context.Context, s *streams) error {
	from, err := parseFrom(c.From)
	if err != nil {
		return usageError{err}
	}
	return c.with(ctx, s, func(api *client) error {
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
