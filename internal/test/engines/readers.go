package engines

import (
	"bytes"
	"os/exec"
	"path/filepath"
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

func missingCalc() string {
	if _, err := exec.LookPath(soffice); err != nil {
		return "there is no soffice on the PATH: apt-get install libreoffice-calc"
	}
	return ""
}

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
