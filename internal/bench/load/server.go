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

// startServer builds Rollcall and starts it on the folder twice: the first fills
// the folder where it isn't, and has months in memory that the second has not.
func startServer(ctx context.Context, data string, stderr io.Writer) (*server, error) {
	folder, err := os.MkdirTemp("", "rollcall-load-")
	if err != nil {
		return nil, err
	}
	s, err := twice(ctx, folder, data, stderr)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func twice(ctx context.Context, folder, data string, stderr io.Writer) (*server, error) {
	build := exec.CommandContext(ctx, "go", "build", "-o", program(folder), "rollcall/cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build rollcall: %w\n%s", err, printed)
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o755); err != nil {
		return nil, err
	}
	first, err := start(ctx, folder, data, stderr)
	if err != nil {
		return nil, err
	}
	if err := first.end(); err != nil {
		return nil, err
	}
	return start(ctx, folder, data, stderr)
}

func program(folder string) string { return filepath.Join(folder, "rollcall") }

// start starts the program that is in the folder, and returns when it listens.
func start(ctx context.Context, folder, data string, stderr io.Writer) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, program(folder), "demo", "--data", data, "--listen", "127.0.0.1:0"), folder: folder, read: make(chan struct{})}
	s.cmd.Stderr = stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	if s.url, err = s.listens(out); err != nil {
		return nil, errors.Join(err, s.end())
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

// end ends the server.
func (s *server) end() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-s.read
	return s.cmd.Wait()
}

// stop ends the server, and removes its program; the folder stays.
func (s *server) stop() error { return errors.Join(s.end(), os.RemoveAll(s.folder)) }
