package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoCommands: what the demonstration says can be tried works in a shell,
// whatever its folder is called, and answers for the month that was printed.
func TestDemoCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "it's here")
	rollcallRun(t, "collect", "simulate", "--months", demoMonth.String(), "--data", data)
	commands := demoCommands(itself, data)
	if len(commands) != 3 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, line := range commands {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "MSN Messenger") || !strings.Contains(string(out), "2002") {
			t.Errorf("%s: %v:\n%s", line, err, out)
		}
	}
}
