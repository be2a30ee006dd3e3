package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// program is Rollcall, built.
type program struct {
	path   string
	stderr io.Writer
}

func build(ctx context.Context, folder string, stderr io.Writer) (*program, error) {
	path, err := filepath.Abs(filepath.Join(folder, "rollcall"))
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, "go", "build", "-o", path, "rollcall/cmd/rollcall")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build rollcall: %w\n%s", err, printed)
	}
	return &program{path, stderr}, nil
}

// usage is what a process has used.
type usage struct {
	wall, cpu time.Duration
	memory    int64 // at its peak, in bytes
}

// String says it.
func (u usage) String() string {
	return fmt.Sprintf("%.1f s, %.1f s of processors, %d MB of memory at its peak", u.wall.Seconds(), u.cpu.Seconds(), u.memory>>20)
}

// storeSize gives the bytes of a folder's store.
func storeSize(folder string) (size int64, err error) {
	for _, name := range []string{"rollcall.db", "rollcall.db-wal"} {
		at, err := os.Stat(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		size += at.Size()
	}
	return size, nil
}

// command runs one to its end.
func (p *program) command(ctx context.Context, args ...string) (usage, error) {
	c := exec.CommandContext(ctx, p.path, args...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	begun := time.Now()
	if err := c.Run(); err != nil {
		return usage{}, fmt.Errorf("rollcall %s: %w\n%s", args[0], err, said.String())
	}
	return used(c, begun), nil
}

// used gives what a process that has ended used.
func used(c *exec.Cmd, begun time.Time) usage {
	u := usage{wall: time.Since(begun), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if of, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = of.Maxrss << 10 // Linux counts it in KiB
	}
	return u
}

// server is a Rollcall that answers.
type server struct {
	url   string
	cmd   *exec.Cmd
	begun time.Time
	read  chan struct{}
}

// serve starts one, and returns when it listens.
func (p *program) serve(ctx context.Context, args ...string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, p.path, append(args, "--listen", "127.0.0.1:0")...), begun: time.Now(), read: make(chan struct{})}
	s.cmd.Stderr = p.stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	said := bufio.NewScanner(out)
	for s.url == "" && said.Scan() {
		s.url = regexp.MustCompile(`http://[0-9.:]+`).FindString(said.Text())
	}
	go func() {
		defer close(s.read)
		_, _ = io.Copy(io.Discard, out) // nothing that it says matters now
	}()
	if s.url == "" {
		_, ended := s.end()
		return nil, errors.Join(errors.New("rollcall ended before it listened"), ended)
	}
	return s, nil
}

// get asks it.
func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return body, err
}

// ready returns once the server is.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.get(ctx, "/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// processor gives the seconds of processors that the server has used.
func (s *server) processor(ctx context.Context) (float64, error) {
	metrics, err := s.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`).FindSubmatch(metrics)
	if found == nil {
		return 0, errors.New("no process_cpu_seconds_total in /metrics")
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// end ends the server, and gives what it used.
func (s *server) end() (usage, error) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-s.read
	err := s.cmd.Wait()
	return used(s.cmd, s.begun), err
}
