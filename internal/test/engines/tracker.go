package engines

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines/cache"
)

// testFolder is a folder of internal/test that has another language's packages, or a
// module of its own, in the module whose folder the engines were looked for from.
func testFolder(name string) string {
	name = filepath.Join("internal/test", name)
	at, err := os.Getwd()
	for err == nil {
		if folder := filepath.Join(at, name); cache.Present(folder) {
			return folder
		}
		if at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	return name
}

// missingPackages is about those of a folder of internal/test, which has a target of
// the same name.
func missingPackages(name string) string {
	if lack := missingProgram("node", "nodejs npm"); lack != "" {
		return lack
	}
	if packages := filepath.Join(testFolder(name), "node_modules/.package-lock.json"); !cache.Present(packages) {
		return packages + " is not there: \"make " + name + "\" installs them"
	}
	return ""
}

// Tracker is a tracker's client in an application.
type Tracker struct {
	Client string // as send.mjs calls it
	URL    string // of the server
	Key    string
	Trait  string // what the client is told of each person
	Env    []string
}

// Send sends an event of each account, and gives the accounts that the client says
// were taken.
func (k Tracker) Send(t testing.TB, accounts []string) (taken []string) {
	t.Helper()
	Require(t, Trackers)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"send.mjs", k.Client, k.URL, k.Key, k.Trait}, accounts...)...)
	cmd.Dir, cmd.SysProcAttr, cmd.Env = testFolder("trackers"), dieWithParent(), append(os.Environ(), k.Env...)
	if k.Client == "posthog-v1" {
		cmd.Env = append(cmd.Env, "POSTHOG_CAPTURE_MODE=v1")
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v", k.Client, err)
	}
	if errs.Len() > 0 {
		t.Logf("%s says:\n%s", k.Client, errs.Bytes())
	}
	return strings.Fields(out.String())
}
