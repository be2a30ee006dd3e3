package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest/collect/meter"
	"rollcall/internal/problem"
)

// TestRefusalFails: a question that can't be asked is bad usage, and one that the
// facts don't answer is a failure, whatever was asked for.
func TestRefusalFails(t *testing.T) {
	for _, c := range []struct {
		fault  *rollcall.Invalid
		method string
		want   int
	}{
		{&rollcall.Invalid{Field: "n", Value: "1", Reason: "is not 2 to 1000 replicates", Code: "n"}, http.MethodGet, exitUsage},
		{&rollcall.Invalid{Field: "n", Value: "1", Reason: "is not 2 to 1000 replicates", Code: "n"}, http.MethodPost, exitFailed},
		{&rollcall.Invalid{Field: "margin msn, category", Value: "1", Reason: "may have 12 persons by its error", Code: "calibrated_target"}, http.MethodGet, exitFailed},
		{&rollcall.Invalid{Field: "margin age, category", Value: "65+", Reason: "raking does not converge", Code: "convergence"}, http.MethodGet, exitFailed},
		{&rollcall.Invalid{Field: "from", Value: "2002-12-01", Reason: "crosses the change of the pseudonyms' key", Code: "two_keys"}, http.MethodGet, exitFailed},
		{&rollcall.Invalid{Field: "panel", Reason: "leaves several in GB", Code: "several_panels"}, http.MethodGet, exitFailed},
	} {
		d, _ := problem.Of(c.fault)
		answer := httptest.NewRecorder()
		d.Locate(func(field string) string {
			if field == "n" || field == "from" || field == "panel" {
				return "query"
			}
			return ""
		}).Write(answer)
		err := readProblem(c.method, answer.Result())
		if got := exitCode(err); got != c.want || err.Error() != c.fault.Error() {
			t.Errorf("%s of %v: exit %d, want %d: %v", c.method, c.fault, got, c.want, err)
		}
	}
	both, _ := problem.Of(errors.Join(
		&rollcall.Invalid{Field: "query.from", Reason: "is missing", Code: "from"},
		&rollcall.Invalid{Field: "query.to", Reason: "crosses a change", Code: "two_keys"}))
	answer := httptest.NewRecorder()
	both.Write(answer)
	if got := exitCode(readProblem(http.MethodGet, answer.Result())); got != exitUsage {
		t.Errorf("a mistake beside a refusal: exit %d", got)
	}
}

// TestInterfaceTold: how much an interface had is told every ten minutes of it.
func TestInterfaceTold(t *testing.T) {
	var said bytes.Buffer
	c := &pcapCmd{Interface: "eth0", sightings: 3}
	watch := c.watch(&streams{err: &said})
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for i := range 21 { // a minute apart
		watch(meter.Stats{Last: at.Add(time.Duration(i) * time.Minute), Packets: int64(100 * (i + 1))})
	}
	for _, want := range []string{"eth0: packets 100, sightings 3", "eth0: packets 1100, sightings 3", "eth0: packets 2100, sightings 3"} {
		if strings.Count(said.String(), want) != 1 {
			t.Errorf("said\n%s, want once %q", said.String(), want)
		}
	}
	if n := strings.Count(said.String(), "packets"); n != 3 {
		t.Errorf("told %d times, want 3", n)
	}
}

// TestWriteWhole: a file is replaced whole, where a link leads to; where its writing
// fails it stays as it was, and nothing is left beside it.
func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "table.csv"), filepath.Join(dir, "latest.csv")
	if err := os.Symlink("table.csv", link); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string, fail error) error {
		return writeFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	cut := errors.New("cut")
	for _, tt := range []struct {
		path, text string
		fail       error
		want       string
	}{
		{path, "service,reach\n", nil, "service,reach\n"},
		{path, "half", cut, "service,reach\n"},
		{link, "half", cut, "service,reach\n"},
		{link, "reach\n", nil, "reach\n"},
	} {
		if err := write(tt.path, tt.text, tt.fail); !errors.Is(err, tt.fail) {
			t.Errorf("%s: %v", tt.path, err)
		}
		for _, name := range []string{path, link} {
			if text, err := os.ReadFile(name); err != nil || string(text) != tt.want {
				t.Errorf("%s has %q, %v; want %q", name, text, err, tt.want)
			}
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
}

// TestWritePipe: what is no file is written to, and nothing takes its place.
func TestWritePipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // whoever writes finds a reader
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	const text = "service\n"
	if err := writeFile(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("the pipe is %v, %v", info.Mode(), err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
}
