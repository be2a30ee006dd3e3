package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/packtest"
)

// TestCutFiles: a capture or a gzip cut in the middle gives what stands before
// the cut, and then one clear line; the command fails.
func TestCutFiles(t *testing.T) {
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	capture, err := os.ReadFile("../../testdata/replay/oscar_bitlbee351.pcap")
	if err != nil {
		t.Fatal(err)
	}
	pcap := cut(t, dir, "cut.pcap", capture)
	gz := cut(t, dir, "cut.ndjson.gz", packtest.Gzip(t, []byte(strings.Join(replayEvents(5000), "\n"))))
	for name, args := range map[string][]string{
		"capture": {"collect", "pcap", pcap, "--market", "FR", "--location", "home", "--data", dir},
		"gzip":    {"events", "load", "--backfill", gz, "--data", dir},
	} {
		t.Run(name, func(t *testing.T) {
			var out, logs bytes.Buffer
			err := run(t.Context(), args, nil, &out, &logs)
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "cut.") {
				t.Fatalf("the error is %q, want one line that names the file", err)
			}
			if exitCode(err) != exitFailed {
				t.Fatalf("exit %d, want %d", exitCode(err), exitFailed)
			}
			if !strings.Contains(out.String(), "rejected 0") || strings.Contains(out.String(), "accepted 0") {
				t.Fatalf("the good part was not taken: %s", out.String())
			}
		})
	}
}

// cut writes the first half of a file.
func cut(t *testing.T, dir, name string, whole []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
