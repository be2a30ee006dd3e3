package engines

import (
	"os/exec"
	"strings"
	"testing"
)

// RunProducer runs a program for Node that finds kafkajs.
func RunProducer(t testing.TB, program string) {
	t.Helper()
	Require(t, Producers)
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module")
	cmd.Dir, cmd.SysProcAttr, cmd.Stdin = testFolder("producers"), dieWithParent(), strings.NewReader(program)
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("a program with kafkajs: %v\n%s", err, printed)
	}
}
