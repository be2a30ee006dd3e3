package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/logtest"
)

// childDir is set in the process that TestKill kills.
const (
	childDir   = "ROLLCALL_TEST_KAFKA_DIR"
	childRound = "ROLLCALL_TEST_KAFKA_ROUND"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, "child:", child(context.Background(), dir, os.Getenv(childRound)))
		os.Exit(1) // it runs until it is killed
	}
	os.Exit(m.Run())
}

const killWriters = 4

// child appends under load, with a source that commits, and tells each
// acknowledgement on its standard output.
func child(ctx context.Context, dir, round string) error {
	n, err := strconv.Atoi(round)
	if err != nil {
		return err
	}
	opt := kafka.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Now: logtest.Now}
	b, err := Open(dir, Options{Options: opt})
	if err != nil {
		return err
	}
	if err := b.Cluster().EnsureTopics(ctx, 2); err != nil {
		return err
	}
	s, err := kafka.NewSource(b.Cluster(), logtest.Group, kafka.SourceOptions{Options: opt})
	if err != nil {
		return err
	}
	w := kafka.NewWriter(b.Cluster(), kafka.WriterOptions{Options: opt})
	failed := make(chan error)
	for i := range killWriters {
		go func() { failed <- appendForEver(ctx, w, killBase(n, i)) }()
	}
	go func() { failed <- commitForEver(ctx, s) }()
	return <-failed
}

// killBase is the first visitor of a round's writer.
func killBase(round, writer int) int { return round<<40 | writer<<32 }

func appendForEver(ctx context.Context, w *kafka.Writer, base int) error {
	for seq := 0; ; {
		n := 1 + seq%700
		if err := w.Append(ctx, rollcall.BatchOf(logtest.Events(base+seq, n)...)); err != nil {
			return err
		}
		seq += n
		fmt.Println(base, seq)
	}
}

func commitForEver(ctx context.Context, s *kafka.Source) error {
	for {
		b, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if err := s.Commit(ctx, rollcall.Offsets{b.Partition: b.Next}); err != nil {
			return err
		}
	}
}

// Nothing that was acknowledged is lost when the process is killed under load,
// again and again, and the offsets that it committed hide none of it.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := make(map[int]int) // of a base: how many
	for round := range 3 {
		killOne(t, dir, round, acked)
	}
	b := openBroker(t, dir, Options{})
	if d, err := b.Damage(); err != nil || !d.Since.IsZero() {
		t.Errorf("a kill is told as damage: %+v, %v", d, err)
	}
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	missing := make(map[rollcall.Visitor]bool)
	for base, n := range acked {
		for i := range n {
			missing[rollcall.Visitor(base+i)] = true
		}
	}
	total := len(missing)
	ctx := logtest.Within(t, logtest.Patience)
	for len(missing) > 0 {
		batch, err := s.Next(ctx)
		if err != nil {
			t.Fatalf("%d of %d acknowledged events are lost: %v", len(missing), total, err)
		}
		for _, v := range batch.Visitor {
			delete(missing, rollcall.Visitor(v))
		}
	}
	t.Logf("%d acknowledged events, none lost", total)
}

// killOne runs a child until it has had some acknowledgements, kills it, and
// adds what it told.
func killOne(t *testing.T, dir string, round int, acked map[int]int) {
	t.Helper()
	cmd := exec.CommandContext(logtest.Within(t, logtest.Patience), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childRound+"="+strconv.Itoa(round))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var kill sync.Once
	n := 0
	for lines.Scan() {
		var base, seq int
		if _, err := fmt.Sscan(lines.Text(), &base, &seq); err != nil {
			continue // the last line may be cut
		}
		acked[base] = max(acked[base], seq)
		if n++; n >= 30+20*round {
			kill.Do(func() {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("round %d: the child ended by itself: %v\n%s", round, err, stderr.String())
	}
}
