// Package product runs Rollcall as its users do, and tells what its processes used.
package product

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

// Program is Rollcall, built.
type Program struct {
	path   string
	stderr io.Writer
}

// Build builds it into a folder; what its servers say of errors goes to stderr.
func Build(ctx context.Context, folder string, stderr io.Writer) (*Program, error) {
	path, err := filepath.Abs(filepath.Join(folder, "rollcall"))
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, "go", "build", "-o", path, "rollcall/cmd/rollcall")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build rollcall: %w\n%s", err, printed)
	}
	return &Program{path, stderr}, nil
}

// Usage is what a process has used.
type Usage struct {
	Wall   time.Duration `json:"wall"`
	CPU    time.Duration `json:"cpu"`
	Memory int64         `json:"memory"` // at its peak, in bytes
}

// String says it.
func (u Usage) String() string {
	return fmt.Sprintf("%.1f s, %.1f s of processors, %d MB of memory at its peak", u.Wall.Seconds(), u.CPU.Seconds(), u.Memory>>20)
}

// StoreSize gives the bytes of a folder's store.
func StoreSize(folder string) (size int64, err error) {
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

// Command runs one to its end.
func (p *Program) Command(ctx context.Context, args ...string) (Usage, error) {
	c := exec.CommandContext(ctx, p.path, args...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	begun := time.Now()
	if err := c.Run(); err != nil {
		return Usage{}, fmt.Errorf("rollcall %s: %w\n%s", args[0], err, said.String())
	}
	return used(c, begun), nil
}

// used gives what a process that has ended used.
func used(c *exec.Cmd, begun time.Time) Usage {
	u := Usage{Wall: time.Since(begun), CPU: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	if of, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Memory = of.Maxrss << 10 // Linux counts it in KiB
	}
	return u
}

// Server is a Rollcall that answers.
type Server struct {
	url   string
	cmd   *exec.Cmd
	begun time.Time
	read  chan struct{}
}

// Serve starts one, and returns when it listens.
func (p *Program) Serve(ctx context.Context, args ...string) (*Server, error) {
	s := &Server{cmd: exec.CommandContext(ctx, p.path, append(args, "--listen", "127.0.0.1:0")...), begun: time.Now(), read: make(chan struct{})}
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
		_, ended := s.End()
		return nil, errors.Join(errors.New("rollcall ended before it listened"), ended)
	}
	return s, nil
}

// Status is an answer of a server that is not 200.
type Status struct {
	Code int
	Body string
}

// Error says it.
func (s *Status) Error() string { return fmt.Sprintf("%d: %s", s.Code, s.Body) }

// Get asks it. Its error is a Status where the server answers.
func (s *Server) Get(ctx context.Context, path string) ([]byte, error) {
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
		err = &Status{answer.StatusCode, string(body)}
	}
	return body, err
}

// Ready returns once the server is.
func (s *Server) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.Get(ctx, "/readyz")
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

// Processor gives the seconds of processors that the server has used.
func (s *Server) Processor(ctx context.Context) (float64, error) {
	metrics, err := s.Get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`).FindSubmatch(metrics)
	if found == nil {
		return 0, errors.New("no process_cpu_seconds_total in /metrics")
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// End ends the server, and gives what it used.
func (s *Server) End() (Usage, error) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-s.read
	err := s.cmd.Wait()
	return used(s.cmd, s.begun), err
}
