package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"rollcall"
	"rollcall/internal/bench/product"
)

// question is asked once for each of some segments, or once where it names none.
type question struct {
	name      string
	segment   string // its parameter's name; "": it is of all
	by        string
	window    string
	platforms string
	days      int // the last so many; 0: all
}

func questions() []question {
	return []question{
		{name: "an instance's month", segment: "segment"},
		{name: "an instance's month on phones", segment: "segment", platforms: "phone"},
		{name: "an instance's days", segment: "segment", by: "day"},
		{name: "an instance's rolling 28 days", segment: "segment", window: "28d"},
		{name: "the last 31 days on phones", platforms: "phone", days: 31},
		{name: "the month"},
		{name: "the month by device", by: "platform"},
		{name: "the month by instance", by: "segment"},
		{name: "the days of the month", by: "day"},
	}
}

// mostSegments are asked for one by one.
const mostSegments = 40

// asking is what questions are asked with.
type asking struct {
	program *product.Program
	month   *month
	done    *product.Measured
	stdout  io.Writer
}

// answers starts a server and times its answers, each once and cold in memory but
// for days that an earlier question has left there.
func (k *asking) answers(ctx context.Context, name string, args ...string) (err error) {
	s, err := k.program.Serve(ctx, args...)
	if err != nil {
		return err
	}
	defer func() {
		used, ended := s.End()
		k.done.Servers = append(k.done.Servers, product.Served{Store: name, Usage: used})
		fmt.Fprintf(k.stdout, "%s: the server took %.1f s of processors and %d MB of memory at its peak\n", name, used.CPU.Seconds(), used.Memory>>20)
		err = errors.Join(err, ended)
	}()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	for _, q := range questions() {
		a, err := q.ask(ctx, s, k.month, k.stdout, name)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		k.done.Answers = append(k.done.Answers, a)
	}
	return nil
}

// ask asks for each segment, and prints how long the answers took.
func (q *question) ask(ctx context.Context, s *product.Server, m *month, stdout io.Writer, name string) (a product.Answer, err error) {
	segments := []int{0}
	if q.segment != "" {
		segments = segments[:0]
		for i := 0; i < m.segments; i += max(1, m.segments/mostSegments) {
			segments = append(segments, i)
		}
	}
	before, err := s.Processor(ctx)
	if err != nil {
		return a, err
	}
	var took []time.Duration
	var accounts float64
	rows := 0
	for _, segment := range segments {
		begun := time.Now()
		table, err := q.get(ctx, s, m, segment)
		if unseen := new(product.Status); errors.As(err, &unseen) && unseen.Code == http.StatusNotFound {
			continue // the smallest of very many instances may have no account
		}
		if err != nil {
			return a, err
		}
		took = append(took, time.Since(begun))
		rows = max(rows, len(table.Rows))
		for i := range table.Rows {
			accounts = max(accounts, table.Rows[i].UniqueAccounts.Value)
		}
	}
	slices.Sort(took)
	after, err := s.Processor(ctx)
	a = product.Answer{Store: name, Question: q.name, Rows: rows, Half: took[len(took)/2], All: took[len(took)-1], CPU: time.Duration((after - before) / float64(len(took)) * float64(time.Second))}
	fmt.Fprintf(stdout, "%s: %s: asked %d times, %d rows, %.0f accounts at the most: half within %d ms, all within %d ms, %.0f ms of Rollcall's processor each\n",
		name, q.name, len(took), rows, accounts, a.Half.Milliseconds(), a.All.Milliseconds(), 1000*a.CPU.Seconds())
	return a, err
}

// table is what of an answer is read here.
type table struct {
	Rows []struct {
		UniqueAccounts struct {
			Value float64 `json:"value"`
		} `json:"unique_accounts"`
	} `json:"rows"`
}

func (q *question) get(ctx context.Context, s *product.Server, m *month, segment int) (t table, err error) {
	last := m.first + rollcall.Day(m.days) - 1
	parameters := url.Values{"market": {"FR"}, "service": {service}, "from": {max(m.first, last-rollcall.Day(cmp.Or(q.days, m.days))+1).String()}, "to": {last.String()}, "min_accounts": {"0"}}
	if q.segment != "" {
		parameters.Set(q.segment, segmentID(segment).String())
	}
	for name, value := range map[string]string{"by": q.by, "window": q.window, "platform": q.platforms} {
		if value != "" {
			parameters.Set(name, value)
		}
	}
	body, err := s.Get(ctx, "/v1/census?"+parameters.Encode())
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(body, &t)
}
