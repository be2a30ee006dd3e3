package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
)

// loading is a load of more lines than can be read meanwhile: the test ends it.
type loading struct {
	cmd       *exec.Cmd
	out, errs bytes.Buffer
	fifo      string
	fed       chan error // owned by the feeding goroutine: how it ended
}

// startLoad starts a load of a pipe that gives lines until nobody reads them.
func startLoad(t *testing.T, dir string) *loading {
	t.Helper()
	l := &loading{fifo: filepath.Join(t.TempDir(), "events.ndjson"), fed: make(chan error, 1)}
	if err := syscall.Mkfifo(l.fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l.cmd = exec.Command(itself, "events", "load", "--backfill", "--data", dir, l.fifo)
	l.cmd.Stdout, l.cmd.Stderr = &l.out, &l.errs
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.fed <- l.feed() }()
	return l
}

func (l *loading) feed() error {
	pipe, err := os.OpenFile(l.fifo, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer pipe.Close()
	for seed := uint64(0); ; seed++ {
		if _, err := fmt.Fprintln(pipe, strings.Join(seededEvents(seed, 1000), "\n")); err != nil {
			return err
		}
	}
}

// requireOneLine ends the test unless the command failed with one plain line
// that has the words and nothing of how a command speaks to a server.
func (l *loading) requireOneLine(t *testing.T, words string) {
	t.Helper()
	err := l.cmd.Wait()
	if fed := <-l.fed; !errors.Is(fed, syscall.EPIPE) {
		t.Errorf("the load was fed to the end: %v", fed)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("the load ended with %v, want exit %d\n%s%s", err, exitFailed, l.out.String(), l.errs.String())
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(l.errs.String()), "\n") {
		if !strings.HasPrefix(line, "{") && !strings.Contains(line, ": warning: ") { // the log's own, or what was folded
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 || !strings.Contains(lines[0], words) || strings.Contains(lines[0], "localhost") {
		t.Errorf("the error is %q, want one line that says %q", lines, words)
	}
}

// startHeldLoad starts a server, and a load through it that the server has
// begun to fold.
func startHeldLoad(t *testing.T) (*child, *loading) {
	t.Helper()
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	server := spawn(t, "run", "--data", dir, "--listen", "127.0.0.1:0")
	l := startLoad(t, dir)
	await(t, func() bool { return server.metric(foldedTotal) > 0 })
	return server, l
}

// TestServerKilledUnderALoad: a closed pipe of the server's is no closed stdout.
func TestServerKilledUnderALoad(t *testing.T) {
	for range 3 {
		server, l := startHeldLoad(t)
		server.kill()
		l.requireOneLine(t, "the connection to the server was lost")
	}
}

// TestInterruptedLoad: whoever stops a load is told so, not how it was sent.
func TestInterruptedLoad(t *testing.T) {
	_, l := startHeldLoad(t)
	if err := l.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	l.requireOneLine(t, "interrupted")
}

// TestUnread: whoever has read enough of an answer or of the help goes, and hears
// no more, by whichever way of writing it came.
func TestUnread(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(stdout{writer}, strings.NewReader("an answer\n")); err == nil || !onlyUnread(err) {
		t.Errorf("an answer copied into a closed pipe: %v", err)
	}
	for _, args := range [][]string{{"--help"}, {"report", "--help"}} {
		err := run(t.Context(), args, strings.NewReader(""), stdout{writer}, io.Discard)
		if err == nil || !onlyUnread(err) {
			t.Errorf("%v into a closed pipe: %v", args, err)
		}
	}
}

// TestOnlyUnread: silence is for our own stdout, and for nothing beside it.
func TestOnlyUnread(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	_, unread := stdout{writer}.Write([]byte("a line\n"))
	if !errors.Is(unread, syscall.EPIPE) {
		t.Fatalf("a closed pipe gives %v", unread)
	}
	for _, test := range []struct {
		err    error
		silent bool
	}{
		{nil, true},
		{unread, true},
		{fmt.Errorf("print: %w", unread), true},
		{errors.Join(unread, nil), true},
		{syscall.EPIPE, false},
		{errors.Join(unread, context.Canceled), false},
		{fmt.Errorf("load: %w", errors.Join(errLost, unread)), false},
	} {
		if got := onlyUnread(test.err); got != test.silent {
			t.Errorf("onlyUnread(%v) = %v", test.err, got)
		}
	}
}

// asked counts what is asked of a server, and has its answers; nil: it isn't there.
type asked struct {
	n      int
	answer func() *http.Response
}

func (a *asked) RoundTrip(*http.Request) (*http.Response, error) {
	if a.n++; a.answer == nil {
		return nil, syscall.ECONNREFUSED
	}
	return a.answer(), nil
}

// TestNothingAfterTheServerHasGone: a load whose server has gone tries no other
// file and waits for nothing; after any other fault it does both.
func TestNothingAfterTheServerHasGone(t *testing.T) {
	for _, tt := range []struct {
		fault        error
		files, asked int
	}{{fmt.Errorf("a: %w", errLost), 1, 0}, {errors.New("line 1"), 2, 1}, {nil, 2, 1}} {
		files, server := 0, new(asked)
		err := settled(t.Context(), &client{http: &http.Client{Transport: server}}, eachFile(t.Context(), []string{"a", "b"}, func(string) error {
			files++
			return tt.fault
		}))
		if files != tt.files || server.n != tt.asked || !errors.Is(err, tt.fault) && tt.fault != nil {
			t.Errorf("%v: %d files, asked %d times, %v", tt.fault, files, server.n, err)
		}
	}
}

// TestAuditAsksOnce: of a long audit log, as much is read as is printed.
func TestAuditAsksOnce(t *testing.T) {
	server := &asked{answer: func() *http.Response {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Link": {`</v1/audit?before=2002-10-03T18:22:05Z&limit=1>; rel="next"`}},
			Body: io.NopCloser(strings.NewReader(`{"rows":[{"time":"2002-10-03T18:22:05Z","name":"operator","action":"backup"}]}`)),
		}
	}}
	list, err := (&tokenAuditCmd{Limit: 1}).newest(t.Context(), &client{http: &http.Client{Transport: server}})
	if err != nil || len(list) != 1 || server.n != 1 {
		t.Errorf("%d entries of %d requests, %v", len(list), server.n, err)
	}
}

// refusing fails the first part of a file, and takes others once it is let.
type refusing struct {
	taken chan struct{} // closed by the test: the others' answers come
	lines []string      // what the parts' lines were said to be
	mu    sync.Mutex    // guards lines
}

func (s *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	lines := r.URL.Query().Get("lines")
	s.mu.Lock()
	s.lines = append(s.lines, lines)
	s.mu.Unlock()
	if lines == "" {
		return nil, syscall.ECONNRESET
	}
	select {
	case <-s.taken:
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"read":7,"accepted":7,"rejected":{}}`))}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// TestFailedPartWaits: when a part of a file fails, those that are under way are
// waited for, since the server may have taken them, and no other is sent.
func TestFailedPartWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.ndjson")
	const line = `{"account":"0123456789012345678901234567890123456789012345678901234567890123456789"}` + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(line, 13<<20/len(line))), 0o600); err != nil { // four parts
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		server := &refusing{taken: make(chan struct{})}
		to := newSender(&client{http: &http.Client{Transport: server}}, path, true)
		done := make(chan error)
		go func() { done <- to.file(t.Context(), path, progress(io.Discard, path)) }()
		synctest.Wait() // the first has failed, and nothing moves but for an answer
		close(server.taken)
		if err := <-done; !errors.Is(err, syscall.ECONNRESET) || !strings.Contains(err.Error(), "after line 0: ") {
			t.Errorf("the load ended with %v", err)
		}
		if want := 7 * (atOnce - 1); to.Read != want || to.Accepted != want {
			t.Errorf("of the parts that were under way, %d were read and %d accepted, want %d", to.Read, to.Accepted, want)
		}
		slices.Sort(server.lines)
		if len(server.lines) != atOnce || server.lines[0] != "" || server.lines[1] == "" {
			t.Errorf("parts were sent whose lines are %q, want the first %d", server.lines, atOnce)
		}
	})
}
