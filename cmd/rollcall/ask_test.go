package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/aggregate/report"
	"rollcall/internal/server"
)

// askers ask for reports all at once.
type askers struct {
	*testing.T
	of    *child
	calm  map[string]string // what each question is answered when nobody else asks
	run   sync.WaitGroup
	given atomic.Int64
	later atomic.Int64 // told to come back
}

// newAskers asks each question once.
func newAskers(t *testing.T, of *child, questions []string) *askers {
	t.Helper()
	a := &askers{T: t, of: of, calm: make(map[string]string)}
	for _, q := range questions {
		status, text := a.ask(q)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", q, status, text)
		}
		a.calm[q] = text
	}
	return a
}

// all asks every question so many times, all at once, and waits for the answers.
func (a *askers) all(times int) {
	a.Helper()
	for range times {
		for q, calm := range a.calm {
			a.run.Go(func() {
				switch status, text := a.ask(q); {
				case status == http.StatusOK && text == calm:
					a.given.Add(1)
				case status == http.StatusServiceUnavailable:
					a.later.Add(1)
				default:
					a.Errorf("%s: %d, %d bytes; when calm, %d bytes", q, status, len(text), len(calm))
				}
			})
		}
	}
	a.run.Wait()
}

func (a *askers) ask(question string) (status int, text string) {
	answer, err := a.of.patient().Get("http://localhost" + question)
	if err != nil {
		a.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		a.Error(err)
	}
	return answer.StatusCode, string(b)
}

// heavy are reports of a month that is computed anew for each.
func heavy(market, panel, month string) (questions []string) {
	for _, name := range report.Reports() {
		q := url.Values{"market": {market}, "panel": {panel}, "month": {month}, "live": {"true"}, "format": {"csv"}}
		questions = append(questions, "/v1/reports/"+name+"?"+q.Encode())
	}
	return questions
}

// TestServeMemory asks for ten times the reports that are let in at a time, each
// of a month computed anew. Those that are answered must be answered as in calm.
func TestServeMemory(t *testing.T) { serveMemory(t, 1) }

// TestSoakServeMemory is the same ten times over.
func TestSoakServeMemory(t *testing.T) {
	soak(t)
	serveMemory(t, 10)
}

func serveMemory(t *testing.T, rounds int) {
	const inside, bound = 68, server.ServeMemory
	c := newCluster(t).empty("simulated")
	c.program = build(t)
	c.aggregator("--flush-bytes", "67108864")
	c.run("collect", "simulate", "--months", "2002-10")
	s := c.spawn("serve")
	await(t, s.ready)
	a := newAskers(t, s, heavy("FR", "demo", "2002-10"))
	t.Logf("one at a time: peak %d MiB", s.peak()>>20)
	for range rounds {
		a.all(10 * inside / len(a.calm))
	}
	t.Logf("%d answered, %d told to come back", a.given.Load(), a.later.Load())
	if a.given.Load() < inside/2 || a.later.Load() == 0 {
		t.Errorf("%d were answered, %d told to come back", a.given.Load(), a.later.Load())
	}
	s.requireBound("at the end", bound)
}

// TestUndoUsage: what a command that undoes mistakes can't take is bad usage, and
// what it does not find is a failure.
func TestUndoUsage(t *testing.T) {
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	rollcallRun(t, "service", "add", "mychat", "--name", "MyChat", "--data", dir)
	days := []string{"--from", "2002-10-01", "--to", "2002-10-02"}
	for _, c := range []struct {
		args []string
		exit int
	}{
		{[]string{"remove", "--market", "FR", "--service", "mychat", "--reason", "x", "--from", "2002-10-xx", "--to", "2002-10-02"}, exitUsage},
		{[]string{"remove", "--market", "FR", "--service", "mychat", "--reason", "x", "--from", "2002-10-03", "--to", "2002-10-02"}, exitUsage},
		{append([]string{"remove", "--market", "FR", "--service", "mychat", "--reason", "x"}, days...), exitFailed},
		{append([]string{"mark", "--market", "FR", "--reason", ""}, days...), exitUsage},
		{append([]string{"mark", "--market", "FR", "--reason", "", "--clear"}, days...), exitUsage},
		{append([]string{"mark", "--market", "FR", "--reason", "x", "--clear"}, days...), exitFailed},
		{[]string{"erase", "--service", "mychat", "--account", strings.Repeat("a", 1025)}, exitUsage},
		{[]string{"erase", "--service", "mychat", "--account", strings.Repeat("a", 1024)}, exitFailed},
	} {
		err := run(t.Context(), append([]string{"census", c.args[0], "--data", dir}, c.args[1:]...), nil, io.Discard, io.Discard)
		if err == nil || exitCode(err) != c.exit {
			t.Errorf("%q: %v, want exit %d", c.args, err, c.exit)
		}
	}
}
