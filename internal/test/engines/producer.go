package engines

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines/cache"
)

// RunProducer runs a program for Node that finds kafkajs, for a minute at most.
func RunProducer(t testing.TB, program string) {
	t.Helper()
	Require(t, Producers)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--input-type=module")
	cmd.Dir, cmd.SysProcAttr, cmd.Stdin = testFolder("producers"), dieWithParent(), strings.NewReader(program)
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("a program with kafkajs: %v\n%s", err, printed)
	}
}

// rsyslogd is where Debian has it, which is on the PATH of root alone.
const rsyslogd = "/usr/sbin/rsyslogd"

func missingRsyslog() string {
	if !cache.Present(rsyslogd) {
		return rsyslogd + " is not there: apt-get install rsyslog rsyslog-kafka"
	}
	if found, _ := filepath.Glob("/usr/lib/*/rsyslog/omkafka.so"); len(found) == 0 { // the pattern is a constant
		return "rsyslog can't write to Kafka: apt-get install rsyslog-kafka"
	}
	return ""
}

// Rsyslog starts Debian's rsyslog with a configuration, and stops it with the test.
// It reads and writes nothing but what the configuration names.
func Rsyslog(t testing.TB, configuration string) {
	t.Helper()
	Require(t, RsyslogEngine)
	p := process{t: t, name: "rsyslog", dir: t.TempDir()}
	pid, file := filepath.Join(p.dir, "pid"), filepath.Join(p.dir, "rsyslog.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, "global(workDirectory=%q)\n%s", p.dir, configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	p.answer = func(context.Context) error {
		_, err := os.Stat(pid)
		return err
	}
	p.argv = []string{rsyslogd, "-n", "-f", file, "-i", pid}
	t.Cleanup(p.cleanUp)
	p.start()
}

// BuildBenthos builds the core of Benthos, of the version in internal/test/benthos, and
// gives the program.
func BuildBenthos(t testing.TB) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "benthos")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/redpanda-data/benthos/v4/cmd/benthos")
	build.Dir = testFolder("benthos")
	if printed, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build Benthos: %v\n%s", err, printed)
	}
	return program
}

// RunBenthos runs it with a configuration's file until its input has ended and all is sent.
func RunBenthos(ctx context.Context, program, configuration string) error {
	cmd := exec.CommandContext(ctx, program, "run", configuration)
	cmd.Dir, cmd.SysProcAttr = filepath.Dir(program), dieWithParent()
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("benthos: %w\n%s", err, printed)
	}
	return nil
}
