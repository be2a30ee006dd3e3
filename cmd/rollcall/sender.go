package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rollcall/ingest"
)

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

// try sends the body once. A body that the log had no room for is sent again
// whole: what was taken of it already counts once whatever happens.
func (s *sender) try(ctx context.Context, contentType string, body []byte) (counts ingest.Counts, full bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/v1/events?"+s.query, bytes.NewReader(body))
	if err != nil {
		return counts, false, err
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := s.api.http.Do(request)
	if err != nil {
		return counts, false, err
	}
	defer answer.Body.Close()
	var said struct {
		Detail string `json:"detail"`
		ingest.Counts
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return counts, false, fmt.Errorf("the server answered %s", answer.Status)
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
		fmt.Fprintf(err, "%s: line %d: %s\n", name, e.Line, e.Reason)
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
	_, failed := fmt.Fprintln(out, line)
	return failed
}
