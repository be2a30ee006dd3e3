package engines

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines/cache"
)

// ending records how Require ends a test; the real T would end this one.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper()                    {}
func (e *ending) Skipf(f string, a ...any)   { e.how = "skip: " + fmt.Sprintf(f, a...) }
func (e *ending) Fatalf(f string, a ...any)  { e.how = "fatal: " + fmt.Sprintf(f, a...) }
func (e *ending) begins(words string) bool   { return strings.HasPrefix(e.how, words) }
func (e *ending) contains(words string) bool { return strings.Contains(e.how, words) }

func TestRequireWithoutEngines(t *testing.T) {
	tests := map[string]struct{ env, how string }{
		"at home":       {"", "skip: needs "},
		"in make check": {"require", "fatal: needs "},
	}
	for name, tt := range tests {
		for _, engine := range []Engine{KafkaEngine, ConnectEngine, ClickHouseEngine, Readers, SynapseEngine} {
			t.Run(name+"/"+string(engine), func(t *testing.T) {
				t.Setenv(cache.Env, t.TempDir())
				t.Setenv(Env, tt.env)
				e := &ending{TB: t}
				Require(e, engine)
				if !e.begins(tt.how+string(engine)) || strings.Contains(e.how, "\n") {
					t.Fatalf("Require ended with %q; want one line that begins %q", e.how, tt.how)
				}
			})
		}
	}
}

// TestEveryEngineIsLookedFor: each constant of engines.go has what says whether it is there.
func TestEveryEngineIsLookedFor(t *testing.T) {
	text, err := os.ReadFile("engines.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\t\w+ +Engine = "(.*)"$`).FindAllStringSubmatch(string(text), -1)
	if len(names) < 20 {
		t.Fatalf("engines.go names %d engines", len(names))
	}
	for _, name := range names {
		engine := Engine(name[1])
		if _, program := programs[engine]; !program && lacks[engine] == nil {
			t.Errorf("nothing says whether %q is there", engine)
		}
	}
}

func TestRequireUnknownEngine(t *testing.T) {
	t.Setenv(Env, "")
	e := &ending{TB: t}
	Require(e, "abacus")
	if !e.contains(`no engine "abacus"`) {
		t.Fatalf("Require(abacus) ended with %q", e.how)
	}
}

// orphanEnv has the test binary play the test that is killed.
const orphanEnv = "ROLLCALL_TEST_ORPHAN"

func TestNoServerOutlivesAKilledTest(t *testing.T) {
	Require(t, ClickHouseEngine)
	if os.Getenv(orphanEnv) != "" {
		fmt.Println("address", ClickHouse(t).HTTPAddr())
		<-t.Context().Done() // never: it is killed here
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$")
	victim.Env = append(os.Environ(), orphanEnv+"=1", "TMPDIR="+t.TempDir())
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	addr := readAddress(t, bufio.NewScanner(out))
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // killed
	waitRefused(t, addr)
}

func readAddress(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	var seen []string
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "address "); ok {
			return addr
		}
		seen = append(seen, lines.Text())
	}
	t.Fatalf("the child printed no address: %q", seen)
	return ""
}

// waitRefused returns when nothing listens at addr.
func waitRefused(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil && ctx.Err() == nil {
			return
		}
		if err == nil {
			_ = conn.Close() // only the dial was asked
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the server at %s outlived its test", addr)
		case <-poll.C:
		}
	}
}
