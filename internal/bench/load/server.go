package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
)

// server is a Rollcall in a process of its own, on the demonstration.
type server struct {
	url    string
	cmd    *exec.Cmd
	folder string // of the program
	read   chan struct{}
}

// startServer builds Rollcall, starts it on the folder, and returns when it
// listens: at once, or after it has filled the folder.
func startServer(ctx context.Context, data string, stderr io.Writer) (_ *server, err error) {
	s := &server{read: make(chan struct{})}
	if s.folder, err = os.MkdirTemp("", "rollcall-load-"); err != nil {
		return nil, err
	}
	program := filepath.Join(s.folder, "rollcall")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "rollcall/cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build rollcall: %w\n%s", err, printed), os.RemoveAll(s.folder))
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	s.cmd = exec.CommandContext(ctx, program, "demo", "--data", data, "--listen", "127.0.0.1:0")
	s.cmd.Stderr = stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	if s.url, err = s.listens(out); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// listens waits for the line that says where the server listens, and has what it
// says then read too.
func (s *server) listens(out io.Reader) (url string, err error) {
	said := bufio.NewScanner(out)
	for said.Scan() {
		if at := regexp.MustCompile(`listens on (http://[^;]+);`).FindStringSubmatch(said.Text()); at != nil {
			go func() {
				defer close(s.read)
				_, _ = io.Copy(io.Discard, out) // nothing that it says matters now
			}()
			return at[1], nil
		}
	}
	close(s.read)
	return "", errors.Join(errors.New("rollcall ended before it listened"), said.Err())
}

// stop ends the server, and removes its program; the folder stays.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-s.read
	return errors.Join(s.cmd.Wait(), os.RemoveAll(s.folder))
}
