package poll

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The bounds of an answer.
const (
	maxAnswer = 64 << 20
	patience  = 30 * time.Second
)

// Source is where snapshots come from: a URL, or a command's output.
type Source struct {
	URL       string
	Command   string
	TokenFile string // read anew each time, so that it can be changed
	Bare      bool   // the token stands without "Bearer" before it
	Now       func() time.Time
}

// Ask gives a snapshot's text, and when it was taken.
func (s *Source) Ask(ctx context.Context) ([]byte, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at := s.Now()
	if s.Command != "" {
		text, err := s.run(ctx)
		return text, at, err
	}
	text, err := s.get(ctx)
	return text, at, err
}

func (s *Source) run(ctx context.Context) ([]byte, error) {
	command := exec.CommandContext(ctx, "sh", "-c", s.Command) // the operator's own
	out := &bounded{left: maxAnswer}
	said := &head{left: 300}
	command.Stdout, command.Stderr = out, said
	command.WaitDelay = time.Second // for what it started and left
	if err := command.Run(); err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n"); line != "" {
			return nil, fmt.Errorf("the command: %w: %s", err, line)
		}
		return nil, fmt.Errorf("the command: %w", err)
	}
	return out.Bytes(), nil
}

// head takes the beginning, and lets the rest go.
type head struct {
	bytes.Buffer
	left int
}

// Write takes what there is space for.
func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.left)
	h.left -= n
	h.Buffer.Write(p[:n])
	return len(p), nil
}

// bounded takes so much and no more.
type bounded struct {
	bytes.Buffer
	left int
}

var errLong = errors.New("the answer is longer than 64 MiB")

// Write takes more of the answer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errLong
	}
	return b.Buffer.Write(p)
}

func (s *Source) get(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if err := s.authorise(request); err != nil {
		return nil, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", answer.Status)
	}
	out := &bounded{left: maxAnswer}
	if _, err := io.Copy(out, answer.Body); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// authorise puts the token in, which goes nowhere else: a redirection is not
// followed.
func (s *Source) authorise(request *http.Request) error {
	if s.TokenFile == "" {
		return nil
	}
	text, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return err
	}
	token := strings.TrimSpace(string(text))
	if !s.Bare && !strings.Contains(token, " ") {
		token = "Bearer " + token
	}
	request.Header.Set("Authorization", token)
	return nil
}
