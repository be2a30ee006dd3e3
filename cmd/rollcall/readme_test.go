package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// readmeBlocks gives the commands of a section of the README, a block a text.
func readmeBlocks(t *testing.T, section string) (blocks []string) {
	t.Helper()
	_, text, ok := strings.Cut(readFile(t, "README.md"), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for _, found := range regexp.MustCompile("(?ms)^```\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

// shell runs the lines as a reader's shell would, in a folder where bin/rollcall
// is this program.
func shell(t *testing.T, folder, lines string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-e", "-c", lines)
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, lines, out)
	}
	return string(out)
}

// readmeFolder is a folder with what the README's commands name.
func readmeFolder(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	program, err := exec.LookPath(itself)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(folder, "bin/rollcall")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(folder, "docs/example"), os.DirFS(filepath.Join(checkout, "docs/example"))); err != nil {
		t.Fatal(err)
	}
	capture := readFile(t, "testdata/replay/msn8_ymsg10_bitlbee128_escargot.pcap")
	if err := os.WriteFile(filepath.Join(folder, "capture.pcap"), []byte(capture), 0o600); err != nil {
		t.Fatal(err)
	}
	log := "2002-10-03 20:22:05 c2s1\tinfo\tAuthenticated as alice@example.org\n2002-10-03 20:23:05 c2s1\tinfo\tClient disconnected: connection closed\n"
	if err := os.WriteFile(filepath.Join(folder, "prosody.log"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestReadmeFigures runs the README's first commands, all but the server's, on the
// example's files; what it shows of the ranking is printed.
func TestReadmeFigures(t *testing.T) {
	lines := regexp.MustCompile(`(?m)^(make build|bin/rollcall run .*)$`).ReplaceAllString(readmeBlocks(t, "Your own figures")[0], "")
	out := shell(t, readmeFolder(t), lines)
	shown := regexp.MustCompile("(?ms)^```text\n( +Unique audience\n.*?)^```$").FindStringSubmatch(readFile(t, "README.md"))
	if shown == nil || !strings.Contains(out, shown[1]) {
		t.Errorf("the README doesn't show what is printed:\n%s", out)
	}
}

// TestExamplePage runs the commands of the example's page, which shows what each
// block of them prints. Account-minutes depend on a folder's key.
func TestExamplePage(t *testing.T) {
	folder := readmeFolder(t)
	minutes := regexp.MustCompile(`\d,\d{3} \[\d,\d{3}, \d,\d{3}\]  yes`)
	blocks := regexp.MustCompile("(?ms)^```\n(.*?)^```\n\n```text\n(.*?)^```$").FindAllStringSubmatch(readFile(t, "docs/example/README.md"), -1)
	for _, block := range blocks {
		got := minutes.ReplaceAllString(shell(t, folder, "exec 2>/dev/null\n"+block[1]), "minutes")
		if want := minutes.ReplaceAllString(block[2], "minutes"); got != want {
			t.Errorf("%s prints\n%s\nnot\n%s", block[1], got, want)
		}
	}
	if len(blocks) != 5 {
		t.Errorf("%d blocks of commands were run", len(blocks))
	}
}

// TestReadmeFeeds runs what the README says of feeding, against a server; what
// each sends is counted.
func TestReadmeFeeds(t *testing.T) {
	engines.Require(t, engines.SQLite)
	engines.Require(t, engines.Curl)
	folder := readmeFolder(t)
	shell(t, folder, "bin/rollcall market add FR --zone Europe/Paris --data data\nsqlite3 chat.db \"CREATE TABLE last_seen(user, seen); INSERT INTO last_seen VALUES ('bob@example.org', 1033669325)\"")
	p := spawn(t, "run", "--data", filepath.Join(folder, "data"), "--listen", "127.0.0.1:0")
	fed := 0
	for _, block := range readmeBlocks(t, "Feeding it") {
		if strings.HasPrefix(block, "kcat ") {
			continue // kcat feeds a real Kafka in the tests of internal/kafka
		}
		before := p.metric("rollcall_log_events_total")
		shell(t, folder, strings.ReplaceAll(block, "127.0.0.1:8080", p.addr))
		await(t, func() bool { return p.metric("rollcall_log_events_total") > before })
		fed++
	}
	if fed != 4 {
		t.Errorf("%d ways to feed it were run", fed)
	}
	shell(t, folder, "bin/rollcall census --market FR --service jabber --location elsewhere --from 2002-10-01 --to 2002-10-31 --min-accounts 1 --format json -o census.json --data data")
	text, err := os.ReadFile(filepath.Join(folder, "census.json"))
	if err != nil {
		t.Fatal(err)
	}
	if table := readTable(t, filepath.Join(folder, "census.json")); measure(table, 0, "unique_accounts").Status != rollcall.OK || measure(table, 0, "unique_accounts").Value != 2 {
		t.Errorf("the log and the table have an account each: %s", bytes.TrimSpace(text))
	}
}
