package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// exposure is the most, in tenths, that systemd's judge of restrictions may find
// a unit exposed; a service without restrictions has 96.
const exposure = "20"

// TestUnits: systemd's own reader has nothing to say about the units, and its
// judge of restrictions is content.
func TestUnits(t *testing.T) {
	analyze := analyzer(t)
	units, program := copyUnits(t)
	for _, unit := range units {
		t.Run(filepath.Base(unit), func(t *testing.T) {
			if said, err := analyze("verify", "--man=no", "--recursive-errors=no", unit); err != nil || said != "" {
				t.Errorf("verify: %v: %s", err, said)
			}
			if said, err := analyze("security", "--offline=yes", "--threshold="+exposure, unit); err != nil {
				t.Errorf("security: %v: %s", err, said)
			}
			text := read(t, unit)
			if !strings.Contains(text, "\nExecStart="+program+" ") {
				t.Error("it starts something else")
			}
			wrong := filepath.Join(t.TempDir(), "wrong.service")
			write(t, wrong, strings.Replace(text, "ProtectSystem=strict", "ProtectSystems=strict", 1))
			if said, _ := analyze("verify", "--man=no", "--recursive-errors=no", wrong); said == "" {
				t.Error("a misspelt setting is taken")
			}
		})
	}
	if len(units) != 4 {
		t.Errorf("%d units, want one for one machine and three for a cluster", len(units))
	}
}

// analyzer runs systemd's own checker.
func analyzer(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	engines.Require(t, engines.Systemd)
	return func(args ...string) (string, error) {
		said, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		return strings.TrimSpace(string(said)), err
	}
}

// copyUnits copies the units so that they start a program that is there.
func copyUnits(t *testing.T) (units []string, program string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(folder, "rollcall")
	write(t, program, "")
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("systemd/*.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		unit := filepath.Join(folder, filepath.Base(file))
		write(t, unit, strings.ReplaceAll(read(t, file), "/usr/bin/rollcall", program))
		units = append(units, unit)
	}
	return units, program
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
