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

// trackersFolder is that of the clients, in the module whose folder the engines
// were looked for from.
func trackersFolder() string {
	at, err := os.Getwd()
	for err == nil {
		if folder := filepath.Join(at, "internal/test/trackers"); cache.Present(filepath.Join(folder, "send.mjs")) {
			return folder
		}
		if at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	return "internal/test/trackers"
}

func missingTrackers(cache.Dir) string {
	if lack := missingProgram("node", "nodejs npm"); lack != "" {
		return lack
	}
	if packages := filepath.Join(trackersFolder(), "node_modules/.package-lock.json"); !cache.Present(packages) {
		return packages + " is not there: \"make trackers\" installs them"
	}
	return ""
}

// Track sends an event of each account with a tracker's client, to a server's
// address and with its key; trait is what the client is told of each person. It
// gives the accounts that the client says were taken.
func Track(t testing.TB, client, url, key, trait string, accounts []string) (taken []string) {
	t.Helper()
	Require(t, Trackers)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"send.mjs", client, url, key, trait}, accounts...)...)
	cmd.Dir, cmd.SysProcAttr = trackersFolder(), dieWithParent()
	if client == "posthog-v1" {
		cmd.Env = append(os.Environ(), "POSTHOG_CAPTURE_MODE=v1")
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v", client, err)
	}
	if errs.Len() > 0 {
		t.Logf("%s says:\n%s", client, errs.Bytes())
	}
	return strings.Fields(out.String())
}
