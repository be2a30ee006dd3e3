package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"rollcall"
)

const checkout = "../.."

// TestDocumentedCommands parses every command line of the documents that
// begins with bin/rollcall. Nothing is run.
func TestDocumentedCommands(t *testing.T) {
	commands := 0
	for name, text := range documents(t) {
		for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", " "), "\n") {
			line, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/rollcall ")
			if !ok {
				continue
			}
			commands++
			t.Run(name, func(t *testing.T) { parses(t, words(line)) })
		}
	}
	if commands < 25 {
		t.Errorf("found %d command lines: they are not where they were", commands)
	}
}

// documents reads every Markdown file of the project.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := fs.Glob(os.DirFS(checkout), pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d documents, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(filepath.Join(checkout, path))
			if err != nil {
				t.Fatal(err)
			}
			out[path] = string(text)
		}
	}
	return out
}

// words cuts a command line as a shell does, up to a pipe, a redirection or a
// comment.
func words(line string) []string {
	var out []string
	for _, word := range regexp.MustCompile(`('[^']*'|"[^"]*"|[^\s'"])+`).FindAllString(line, -1) {
		if strings.ContainsAny(word[:1], "#|<>;&") {
			break
		}
		out = append(out, strings.NewReplacer("'", "", `"`, "").Replace(word))
	}
	return out
}

// parses parses a command line where the files that it names are.
func parses(t *testing.T, args []string) {
	t.Chdir(t.TempDir())
	for _, name := range args {
		if filepath.IsAbs(name) || !regexp.MustCompile(`^[^-].*\.(csv|json|ndjson|gz|zst|parquet|arrow|pcap|pcapng|dsn|db|yaml|log|1|token)$`).MatchString(name) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parser, err := kong.New(new(cli), kong.Name("rollcall"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("rollcall %s: %v", strings.Join(args, " "), err)
	}
}

// TestWorkedExample runs docs/example/five and holds docs/method.md to its figures.
func TestWorkedExample(t *testing.T) {
	data, example := t.TempDir(), filepath.Join(checkout, "docs/example/five")
	month := []string{"--market", "FR", "--panel", "nn", "--month", "2002-10", "--data", data}
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", data)
	load(t, data, filepath.Join(example, "events.ndjson"))
	rollcallRun(t, append([]string{"panel", "load", "--panelists", filepath.Join(example, "panelists.csv"), "--universe", filepath.Join(example, "universe.csv")}, month...)...)
	rollcallRun(t, append([]string{"close", "--low", "0", "--caution", "0"}, month...)...)
	report := func(args ...string) *rollcall.Table {
		file := filepath.Join(t.TempDir(), "report.json")
		rollcallRun(t, append(append([]string{"report", "--version", "1", "--format", "json", "-o", file}, args...), month...)...)
		return readTable(t, file)
	}
	_, text, _ := strings.Cut(documents(t)["docs/method.md"], "## 10.")
	for _, figure := range exampleFigures(report("ranking"), report("duplication", "--service", "msn")) {
		if !strings.Contains(text, figure) {
			t.Errorf("the worked example lacks %q", figure)
		}
	}
	for _, place := range []string{"home", "work", "home+work", "both", "home-only", "work-only"} {
		audience := thousands(measure(report("ranking", "--location", place, "--service", "msn"), 0, "unique_audience").Value)
		if row := `\| ` + regexp.QuoteMeta(place) + ` \| [P0-9, ]+ \| ` + audience + ` \|`; !regexp.MustCompile(row).MatchString(text) {
			t.Errorf("the worked example lacks the row %s", row)
		}
	}
}

// exampleFigures are the figures of the worked example, as it writes them.
func exampleFigures(ranking, duplication *rollcall.Table) []string {
	of := func(column string) rollcall.Measure { return measure(ranking, 0, column) }
	audience := of("unique_audience")
	return []string{
		thousands(audience.Value), thousands(audience.SE), thousands(audience.Low), thousands(audience.High),
		fmt.Sprintf("= %.2f %%; coverage", of("reach").Value), fmt.Sprintf("= %.2f %%.", of("coverage").Value),
		fmt.Sprintf("= %.3f. Minutes", of("sessions_per_person").Value), fmt.Sprintf("= %.2f.", of("minutes_per_person").Value),
		fmt.Sprintf("= %.2f %%. Duplication", of("audience_share").Value),
		thousands(of("exclusive").Value), fmt.Sprintf("loyalty %.2f %%", of("loyalty").Value),
		thousands(of("exclusive").SE) + "; q", // of the difference too: AIM's users all use MSN
		fmt.Sprintf("%.2f %% of MSN", measure(duplication, 0, "share_of_a").Value),
		fmt.Sprintf("= %.1f. Exclusive", measure(duplication, 0, "index").Value),
		fmt.Sprintf("efficiency %.1f %%", ranking.Meta.Weights.Efficiency), fmt.Sprintf("= %.2f; efficiency", ranking.Meta.Weights.NEff),
		thousands(ranking.Meta.Universe.Active.Value),
	}
}

func measure(t *rollcall.Table, row int, column string) rollcall.Measure {
	m, _ := t.Cell(row, column).(rollcall.Measure)
	return m
}

// thousands writes a whole number as the documents do: 1,585,000.
func thousands(x float64) string {
	text := fmt.Sprintf("%.0f", x)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func readTable(t *testing.T, path string) *rollcall.Table {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := new(rollcall.Table)
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPortsOfACluster: the three lines that start a cluster can be given on one
// machine, as they stand.
func TestPortsOfACluster(t *testing.T) {
	defaults := map[string]string{"collect": "8080", "aggregate": "8081", "serve": "8080"}
	for _, name := range []string{"README.md", "docs/operating.md"} {
		text, err := os.ReadFile(filepath.Join(checkout, name))
		if err != nil {
			t.Fatal(err)
		}
		used := make(map[string]string)
		for _, line := range regexp.MustCompile(`(?m)^ *bin/rollcall (collect|aggregate|serve) .*--brokers .*$`).FindAllStringSubmatch(string(text), 3) {
			port := defaults[line[1]]
			if m := regexp.MustCompile(`--listen \S+:(\d+)`).FindStringSubmatch(line[0]); m != nil {
				port = m[1]
			}
			if other, taken := used[port]; taken {
				t.Errorf("%s: %s and %s both listen on port %s", name, other, line[1], port)
			}
			used[port] = line[1]
		}
		if len(used) != 3 {
			t.Errorf("%s: %d lines that start a cluster's roles, want 3", name, len(used))
		}
	}
}
