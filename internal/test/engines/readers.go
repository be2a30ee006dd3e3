package engines

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines/cache"
)

func missingReaders(dir cache.Dir) string {
	if !cache.Present(dir.Python()) {
		return dir.Readers() + " is not there: \"make engines\" fetches it"
	}
	return ""
}

const soffice = "soffice"

// Python runs a script with the readers' libraries, and gives what it printed.
func Python(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	Require(t, Readers)
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), dir.Python(), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("python %v: %v\n%s%s", args, err, printed, failed.String())
	}
	return printed
}

// Convert has LibreOffice write files in another form into a folder. It has a
// profile of its own, so that it runs beside a user's.
func Convert(t testing.TB, form, folder string, files ...string) {
	t.Helper()
	Require(t, Calc)
	profile := "-env:UserInstallation=file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "profile"))
	args := append([]string{profile, "--headless", "--convert-to", form, "--outdir", folder}, files...)
	if printed, err := exec.CommandContext(t.Context(), soffice, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", soffice, args, err, printed)
	}
}

// PythonServer runs a script with the readers' libraries, and gives the first
// line that it prints: where it listens, say. The script ends when its input
// does, which is when the test has ended or was killed.
func PythonServer(t testing.TB, args ...string) (line string) {
	t.Helper()
	Require(t, Readers)
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir.Python(), args...) //nolint:noctx // it lives until the test has ended
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("python %v: %v", args, err)
		}
	})
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("python %v: %v", args, err)
	}
	return strings.TrimSpace(line)
}
