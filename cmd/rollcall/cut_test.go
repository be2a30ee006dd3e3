package main

import (
	"bytes"
	"fmt"
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

// TestLinesNotLookedAt: where good lines were given up with the many bad ones before
// them, the command fails, and says what to do; done, all of them count.
func TestLinesNotLookedAt(t *testing.T) {
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	var lines strings.Builder
	for i := range 14_000 {
		service := "nosuch"
		if i >= 12_000 {
			service = "icq"
		}
		fmt.Fprintf(&lines, `{"time":"2002-10-03T18:22:05Z","market":"FR","service":%q,"location":"home","kind":"login","account":"a%d"}`+"\n", service, i)
	}
	path := filepath.Join(dir, "mixed.ndjson")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	load := []string{"events", "load", "--backfill", path, "--data", dir}
	var out, logs bytes.Buffer
	err := run(t.Context(), load, nil, &out, &logs)
	if err == nil || exitCode(err) != exitFailed || !strings.Contains(err.Error(), "4000 lines were not looked at") ||
		!strings.Contains(err.Error(), "10000 as unknown_service: add the service") || !strings.Contains(err.Error(), "give all of it again") {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(logs.String(), "mixed.ndjson: and 9980 more were refused: `rollcall rejected list`") {
		t.Errorf("nothing says that there are more than these:\n%s", logs.String())
	}
	rollcallRun(t, "service", "add", "nosuch", "--name", "No such", "--data", dir)
	out.Reset()
	if err := run(t.Context(), load, nil, &out, &logs); err != nil || !strings.Contains(out.String(), "read 14000, accepted 14000, rejected 0") {
		t.Errorf("loaded again: %v, %s", err, out.String())
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
