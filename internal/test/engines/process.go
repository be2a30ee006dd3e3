package engines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 2 * time.Minute       // a start on a machine that is busy with other tests
	stopLimit  = 30 * time.Second      // an orderly stop, before it is killed
	pollEvery  = 25 * time.Millisecond // how often a start is asked whether it answers
)

// process is a server that can be started again with the same arguments. Its
// methods are for the test's own goroutine.
type process struct {
	t      testing.TB
	name   string
	dir    string // its working folder, where engine.log is written
	own    string // the log that the server writes itself; empty: none
	argv   []string
	answer func(context.Context) error // nil once the server serves

	cmd    *exec.Cmd
	killed bool          // by the test
	ended  chan struct{} // closed by the goroutine in launch once the process is gone
}

// start launches the process and returns when it answers; the test fails if it
// ends before that or takes too long.
func (p *process) start() {
	p.t.Helper()
	if err := p.launch(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
	if err := p.await(); err != nil {
		p.Kill()
		p.t.Fatalf("start %s: %v; the end of its log:\n%s", p.name, err, p.logTail())
	}
}

func (p *process) launch() error {
	log, err := os.OpenFile(p.logPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                             // the child has its own
	cmd := exec.Command(p.argv[0], p.argv[1:]...) //nolint:noctx // it lives until Kill or Stop, whatever context a test has
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.SysProcAttr = dieWithParent()
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		// The kernel kills the child when the thread that started it ends, so
		// that thread is held until the child has gone by itself.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	p.cmd, p.killed, p.ended = cmd, false, ended
	return <-started
}

func (p *process) await() error {
	ctx, cancel := context.WithTimeout(p.t.Context(), startLimit)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	last := errors.New("not asked yet")
	for {
		select {
		case <-p.ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("no answer in %v: %w", startLimit, last)
		case <-poll.C:
			if last = p.answer(ctx); last == nil {
				return nil
			}
		}
	}
}

// PID is the server's process, for a test that measures it.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Died says how the server ended, where no Kill or Stop of the test's did it;
// empty: it runs, or the test ended it.
func (p *process) Died() string {
	if p.running() || p.killed {
		return ""
	}
	return p.cmd.ProcessState.String()
}

// running reports whether there is a process to signal.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// signal sends to the process, which may be ending by itself meanwhile.
func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %s with %v: %v", p.name, sig, err)
	}
}

// Kill ends the server as a power cut would end its process (SIGKILL) and
// returns when it is gone. What it wrote stays.
func (p *process) Kill() {
	p.t.Helper()
	p.killed = true
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Stop ends the server in an orderly way (SIGTERM) and returns when it is gone.
func (p *process) Stop() {
	p.t.Helper()
	p.killed = true
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // a paused one would never hear
	timeout := time.NewTimer(stopLimit)
	defer timeout.Stop()
	select {
	case <-p.ended:
	case <-timeout.C:
		p.t.Logf("%s did not stop in %v: killed", p.name, stopLimit)
		p.Kill()
	}
}

// Restart starts the server again on the same data and ports, after a Stop if
// it runs, and returns when it answers.
func (p *process) Restart() {
	p.t.Helper()
	if p.running() {
		p.Stop()
	}
	p.start()
}

// Pause freezes the server (SIGSTOP): connections stay open and nothing answers.
func (p *process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
}

// Resume ends a Pause.
func (p *process) Resume() {
	p.t.Helper()
	p.signal(syscall.SIGCONT)
}

// cleanUp ends the server with the test, and shows its log if the test failed.
func (p *process) cleanUp() {
	if p.ended == nil {
		return
	}
	if how := p.Died(); how != "" {
		p.t.Logf("%s died before the test's end: %s", p.name, how)
	}
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("the end of the log of %s:\n%s", p.name, p.logTail())
	}
}

func (p *process) logPath() string { return filepath.Join(p.dir, "engine.log") }

// logTail gives the last 4 KiB of what the server printed, and 8 KiB of its own
// log: from its first fatal line on, where it says what it died of, or else the last.
func (p *process) logTail() []byte {
	printed := tailOf(p.logPath(), 4096)
	if p.own == "" {
		return printed
	}
	own, err := os.ReadFile(p.own)
	if err != nil {
		own = []byte(err.Error())
	}
	const limit = 8192
	if at := bytes.Index(own, []byte("<Fatal>")); at >= 0 {
		own = own[bytes.LastIndexByte(own[:at], '\n')+1:]
		own = own[:min(limit, len(own))]
	}
	return slices.Concat(printed, []byte("\nits own log:\n"), own[max(0, len(own)-limit):])
}

func tailOf(path string, size int) []byte {
	log, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-size):]
}
